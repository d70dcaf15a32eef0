from vibentropy.files.logs import logged
from vibentropy.run.steps.shipped_model import ship

with logged(snakemake.log[0]) as progress:
    ship(
        snakemake.input.model,
        snakemake.input.predictions,
        snakemake.input.configurations,
        snakemake.input.summary,
        snakemake.input.archive,
        shipped=snakemake.output.model,
        recorded=snakemake.output.recorded,
        names=snakemake.params.names,
        progress=progress,
    )
