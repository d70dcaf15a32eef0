from vibentropy.files.logs import logged
from vibentropy.report.steps.set_aside import count_features

with logged(snakemake.log[0]) as progress:
    count_features(
        snakemake.params.features, table=snakemake.output.table, page=snakemake.output.page, progress=progress
    )
