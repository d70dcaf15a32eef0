from vibentropy.atoms.crystal import Crystal
from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import load_potential, start_engine
from vibentropy.run.provenance import attributes
from vibentropy.sources.recipes import Trajectory, sample

with logged(snakemake.log[0]) as progress:
    planned = [Trajectory(**trajectory) for trajectory in snakemake.params.trajectories]
    progress.expect(len(planned))
    potential = load_potential(snakemake.params.potential)
    with start_engine(snakemake.params.potential, snakemake.input.table) as engine:
        configurations = sample(
            planned, Crystal.load(snakemake.input.lattice), potential, engine, snakemake.params.seed, progress
        )
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
