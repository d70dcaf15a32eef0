from vibentropy.files.logs import logged
from vibentropy.report.steps.page import write_summary

with logged(snakemake.log[0]):
    write_summary(
        snakemake.input.summary,
        snakemake.input.descriptors,
        snakemake.input.configurations,
        text=snakemake.output.text,
        page=snakemake.output.page,
        figure=snakemake.input.figure,
        **dict(snakemake.params.items()),
    )
