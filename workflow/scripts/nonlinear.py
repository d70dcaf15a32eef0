from vibentropy.files.logs import logged
from vibentropy.report.steps.nonlinear import show_extensivity

with logged(snakemake.log[0]) as progress:
    show_extensivity(
        snakemake.input.predictions, config=snakemake.config, progress=progress, **dict(snakemake.output.items())
    )
