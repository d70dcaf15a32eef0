from vibentropy.atoms.crystal import Crystal
from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources.random_alloys import RandomAlloy, make_random_cells

with logged(snakemake.log[0]) as progress:
    alloy, sizes = RandomAlloy(**snakemake.params.alloy), snakemake.params.sizes
    progress.expect(alloy.arrangements * len(sizes))
    potential = load_potential(**snakemake.params.potential)
    crystal = Crystal.load(snakemake.input.lattice)
    make_random_cells(alloy, sizes, crystal, potential, progress).save(snakemake.output[0])
