import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import Status, usable
from vibentropy.files.logs import logged
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources.perfect import filled

with logged(snakemake.log[0]) as progress:
    table = load_table(snakemake.input.configurations)
    distinct = np.flatnonzero(usable(table) & table["dataset"].isin(snakemake.params.datasets))
    # Evenly over the ids, and so over classes and trajectories.
    evenly = np.linspace(0, len(distinct) - 1, min(snakemake.params.number, len(distinct))).round().astype(int)
    start = int(snakemake.wildcards.part) * snakemake.params.per_job
    chosen = distinct[evenly][start : start + snakemake.params.per_job]
    chosen = ConfigurationSet.load(snakemake.input.configurations, chosen)
    chosen.table["status"] = Status.RELAXED
    progress.expect(len(chosen))
    labeller = Labeller(
        load_potential(snakemake.params.potential),
        **snakemake.params.gates,
        site_entropies=True,
    )
    reference = filled(Crystal.load(snakemake.input.lattice))
    labeller.label(chosen, reference, progress).save(snakemake.output[0])
