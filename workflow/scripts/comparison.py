from vibentropy.files.logs import logged
from vibentropy.report.steps.comparison import compare

with logged(snakemake.log[0]):
    compare(
        snakemake.input.summary,
        snakemake.input.descriptors,
        tests=snakemake.params.tests,
        config=snakemake.config,
        **dict(snakemake.output.items()),
    )
