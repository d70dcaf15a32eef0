from vibentropy.files.logs import logged
from vibentropy.report.steps.explorer import explore

with logged(snakemake.log[0]) as progress:
    explore(
        snakemake.input.predictions,
        snakemake.input.configurations,
        snakemake.input.folds,
        snakemake.input.lattice,
        snakemake.output[0],
        curves=next(iter(snakemake.input.curves), None),
        config=snakemake.config,
        progress=progress,
        **dict(snakemake.params.items()),
    )
