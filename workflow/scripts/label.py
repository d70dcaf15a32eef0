from vibentropy.datasets.store import ConfigurationSet
from vibentropy.files.logs import logged
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.from_config import load_potential
from vibentropy.run.provenance import attributes
from vibentropy.sources.perfect import perfect_crystals

with logged(snakemake.log[0]) as progress:
    configurations = ConfigurationSet.load(snakemake.input.structures)
    waiting = configurations.table["status"] == "relaxed"
    progress.expect(waiting.sum())
    if waiting.any():
        labeller = Labeller(
            load_potential(snakemake.params.potential),
            max_force=snakemake.params.labels["max_force"],
            min_eigenvalue=snakemake.params.labels["minimum_eigenvalue"],
            site_entropies=snakemake.params.labels["site_entropies"],
            temperatures=snakemake.params.labels["temperatures"],
        )
        reference = perfect_crystals(snakemake.params.dataset, snakemake.input.reference)
        configurations = labeller.label(configurations, reference, progress)
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    configurations.save(snakemake.output[0])
