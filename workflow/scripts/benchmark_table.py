from vibentropy.files.logs import logged
from vibentropy.report.steps.benchmark import show_benchmark

with logged(snakemake.log[0]) as progress:
    show_benchmark(
        snakemake.input.measurements,
        snakemake.input.labels,
        snakemake.input.hessians,
        snakemake.input.predictions,
        snakemake.input.fits,
        snakemake.output,
        config=snakemake.config,
        progress=progress,
    )
