from vibentropy.files.logs import logged
from vibentropy.report.steps.configurations import put_together

with logged(snakemake.log[0]) as progress:
    put_together(
        snakemake.input.labels,
        data=snakemake.output.data,
        table=snakemake.output.table,
        counts=snakemake.output.outcomes,
        page=snakemake.output.outcomes_page,
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
