from pathlib import Path

import pandas as pd

from vibentropy.dataset import ConfigurationSet
from vibentropy.evaluation import save_table
from vibentropy.features import FeatureSet, concatenate
from vibentropy.learning import learning_curve
from vibentropy.progress import logged
from vibentropy.regression import create_regressor

with logged(snakemake.log[0]) as progress:
    shards = {}
    for path in snakemake.input.features:
        shards.setdefault(Path(path).parent.name, []).append(FeatureSet.load(path))
    curve = learning_curve(
        create_regressor(**snakemake.params.regressor),
        ConfigurationSet.load(snakemake.input.configurations).table,
        {dataset: concatenate(sets) for dataset, sets in shards.items()},
        pd.read_csv(snakemake.input.folds),
        **snakemake.params.sampling,
        tests=snakemake.params.tests,
        seed=snakemake.params.seed,
        exclude_duplicates=snakemake.params.exclude_duplicates,
        names=dict(snakemake.wildcards.items()),
        progress=progress.note,
    )
    save_table(curve, snakemake.output[0])
