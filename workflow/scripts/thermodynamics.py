from vibentropy.files.logs import logged
from vibentropy.report.steps.thermodynamics import thermodynamics

with logged(snakemake.log[0]):
    thermodynamics(
        snakemake.input.configurations,
        snakemake.input.lattice,
        snakemake.output,
        config=snakemake.config,
        **dict(snakemake.params.items()),
    )
