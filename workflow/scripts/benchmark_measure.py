from vibentropy.benchmark import measure
from vibentropy.evaluation import save_table
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    table = measure(
        snakemake.wildcards.implementation,
        snakemake.params.specification,
        snakemake.params.sizes,
        snakemake.params.max_seconds,
        snakemake.params.max_memory,
        progress=progress.note,
    )
    save_table(table, snakemake.output[0])
