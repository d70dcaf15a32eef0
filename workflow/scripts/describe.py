from vibentropy.files.logs import logged
from vibentropy.run.steps.describe import measure_cost

with logged(snakemake.log[0]) as progress:
    measure_cost(
        snakemake.input.labels,
        snakemake.output[0],
        name=snakemake.wildcards.descriptor,
        progress=progress,
        **dict(snakemake.params.items()),
    )
