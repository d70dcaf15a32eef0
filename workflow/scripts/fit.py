from vibentropy.files.logs import logged
from vibentropy.run.steps.fit import fit

with logged(snakemake.log[0]) as progress:
    fit(
        snakemake.input.configurations,
        snakemake.input.folds,
        snakemake.input.features,
        model=snakemake.output.model,
        predictions=snakemake.output.predictions,
        fits=snakemake.output.fit,
        names=dict(snakemake.wildcards.items()),
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
