from vibentropy.datasets.store import load_table
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.learning.registry import create_regressor
from vibentropy.studies.leakage import leakage

with logged(snakemake.log[0]) as progress:
    table = leakage(
        create_regressor(**snakemake.params.regressor),
        load_table(snakemake.input.configurations),
        load_by_dataset(snakemake.input.features),
        classes=snakemake.params.classes,
        ranges=snakemake.params.ranges,
        n_folds=snakemake.params.n_folds,
        seed=snakemake.params.seed,
        names=dict(snakemake.wildcards.items()),
        note=progress.note,
    )
    save_table(table, snakemake.output[0])
