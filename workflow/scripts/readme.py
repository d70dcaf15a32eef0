from vibentropy.files.logs import logged
from vibentropy.report.steps.readme import write_results

with logged(snakemake.log[0]):
    write_results(
        snakemake.input.summary,
        snakemake.input.descriptors,
        snakemake.input.configurations,
        **dict(snakemake.params.items()),
    )
