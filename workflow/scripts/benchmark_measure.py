from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.studies.benchmark.measure import measure

with logged(snakemake.log[0]) as progress:
    table = measure(
        snakemake.wildcards.implementation,
        snakemake.params.specification,
        snakemake.params.sizes,
        snakemake.params.max_seconds,
        snakemake.params.max_memory,
        note=progress.note,
        threads=snakemake.params.threads,
    )
    save_table(table, snakemake.output[0])
