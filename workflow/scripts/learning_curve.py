import pandas as pd

from vibentropy.dataset import load_table
from vibentropy.evaluation import save_table
from vibentropy.features import load_by_dataset
from vibentropy.learning import learning_curve
from vibentropy.progress import logged
from vibentropy.regression import create_regressor

with logged(snakemake.log[0]) as progress:
    curve = learning_curve(
        create_regressor(**snakemake.params.regressor),
        load_table(snakemake.input.configurations),
        load_by_dataset(snakemake.input.features),
        pd.read_csv(snakemake.input.folds),
        **snakemake.params.sampling,
        tests=snakemake.params.tests,
        seed=snakemake.params.seed,
        exclude_duplicates=snakemake.params.exclude_duplicates,
        names=dict(snakemake.wildcards.items()),
        progress=progress.note,
    )
    save_table(curve, snakemake.output[0])
