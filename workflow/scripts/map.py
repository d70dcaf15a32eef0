from vibentropy.files.logs import logged
from vibentropy.run.steps.site_map import map_atoms

with logged(snakemake.log[0]) as progress:
    map_atoms(
        snakemake.input.minima[0],
        snakemake.input.configurations,
        snakemake.input.folds,
        snakemake.input.features,
        snakemake.input.lattice,
        snakemake.output[0],
        progress=progress,
        **dict(snakemake.params.items()),
    )
