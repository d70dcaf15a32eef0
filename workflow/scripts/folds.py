from vibentropy.files.logs import logged
from vibentropy.run.steps.folds import divide

with logged(snakemake.log[0]) as progress:
    divide(snakemake.input.configurations, snakemake.output[0], progress=progress, **dict(snakemake.params.items()))
