from vibentropy.crystal import Crystal
from vibentropy.interactions import load_potential, start_engine
from vibentropy.progress import logged
from vibentropy.provenance import attributes
from vibentropy.sampling import Trajectory, sample

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
