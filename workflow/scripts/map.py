import pandas as pd

from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.descriptors import create
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import logged
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.sources.source import source_of
from vibentropy.studies.site_maps import mapped, unseen_fits

with logged(snakemake.log[0]) as progress:
    minima, datasets = ConfigurationSet.load(snakemake.input.minima[0]), snakemake.params.datasets
    fit_of = unseen_fits(
        create_regressor(**snakemake.params.regressor),
        load_table(snakemake.input.configurations),
        load_by_dataset(snakemake.input.features),
        load_folds(snakemake.input.folds),
        snakemake.params.exclude_duplicates,
    )
    perfect = {
        name: source_of(name, datasets[name]).perfect(snakemake.input.lattice) for name in set(minima.table["dataset"])
    }
    descriptor = create(**snakemake.params.descriptor)
    frames = mapped(minima, descriptor, fit_of, lambda row, cell: perfect[row["dataset"]](row, cell))
    table = pd.DataFrame([atoms.info for atoms in frames])
    progress.note(table.to_string(index=False))
    write_extxyz(snakemake.output[0], frames, table)
