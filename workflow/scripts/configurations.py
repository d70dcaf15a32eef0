import sys

from vibentropy.dataset import ConfigurationSet, collect, outcomes
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import attributes

with logged(snakemake.log[0]) as progress:
    configurations = collect(
        [ConfigurationSet.load(path) for path in snakemake.input.labels],
        snakemake.params.roles,
        energy_tolerance=snakemake.params.duplicates["energy"],
        entropy_tolerance=snakemake.params.duplicates["entropy"],
    )
    configurations.attributes |= attributes(snakemake.config, snakemake.input)
    counts = outcomes(configurations.table)
    progress.note(counts.to_string(index=False))
    print(counts.to_string(index=False), file=sys.stderr)
    configurations.attributes["units"] = "Å, eV, eV/Å, k_B; of each column at its data set"
    configurations.save(snakemake.output.data)
    configurations.to_extxyz(snakemake.output.atoms)
    save_table(configurations.table, snakemake.output.table)
    save_table(counts, snakemake.output.outcomes)
