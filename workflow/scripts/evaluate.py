from vibentropy.files.logs import logged
from vibentropy.report.steps.evaluate import evaluate

with logged(snakemake.log[0]) as progress:
    evaluate(
        snakemake.input.predictions,
        snakemake.input.fits,
        snakemake.output,
        tests=snakemake.params.tests,
        progress=progress,
    )
