from vibentropy.datasets.store import load_table
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.studies.learning_curves import learning_curve

with logged(snakemake.log[0]) as progress:
    curve = learning_curve(
        create_regressor(**snakemake.params.regressor),
        load_table(snakemake.input.configurations),
        load_by_dataset(snakemake.input.features),
        load_folds(snakemake.input.folds),
        **snakemake.params.sampling,
        tests=snakemake.params.tests,
        seed=snakemake.params.seed,
        exclude_duplicates=snakemake.params.exclude_duplicates,
        names=dict(snakemake.wildcards.items()),
        note=progress.note,
    )
    save_table(curve, snakemake.output[0])
