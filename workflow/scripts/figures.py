from vibentropy.files.logs import logged
from vibentropy.report.steps.figures import figures

with logged(snakemake.log[0]):
    figures(
        snakemake.input.predictions,
        snakemake.input.configurations,
        snakemake.output,
        config=snakemake.config,
        **dict(snakemake.params.items()),
    )
