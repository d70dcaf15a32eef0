from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources.lattice import Lattice

with logged(snakemake.log[0]) as progress:
    crystal = Lattice.from_block(snakemake.params.lattice).at_rest(load_potential(**snakemake.params.potential))
    progress.note(str(crystal))
    crystal.save(snakemake.output[0])
