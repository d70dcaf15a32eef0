from vibentropy.config import config_hash
from vibentropy.crystal import Crystal
from vibentropy.engine import LammpsEngine
from vibentropy.potentials import Potential
from vibentropy.progress import logged
from vibentropy.sampling import Trajectory, sample

planned = [Trajectory(**trajectory) for trajectory in snakemake.params.trajectories]
with logged(snakemake.log[0], len(planned)) as progress:
    potential = Potential.from_setfl(snakemake.params.potential["file"], snakemake.params.potential["element"])
    with LammpsEngine.on_table(snakemake.input.table, potential.element) as engine:
        configurations = sample(
            planned, Crystal.load(snakemake.input.lattice), potential, engine, snakemake.params.seed, progress
        )
    configurations.attributes["config_sha256"] = config_hash(snakemake.config)
    configurations.save(snakemake.output[0])
