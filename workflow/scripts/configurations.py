import sys

from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.merge import merge
from vibentropy.datasets.store import stored_frames
from vibentropy.datasets.table import outcomes
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page
from vibentropy.run.provenance import attributes

with logged(snakemake.log[0]) as progress:
    table = merge(
        snakemake.input.labels,
        snakemake.output.data,
        snakemake.params.roles,
        energy_tolerance=snakemake.params.duplicates["energy"],
        entropy_tolerance=snakemake.params.duplicates["entropy"],
        units="Å, eV, eV/Å, k_B; of each column at its data set",
        **attributes(snakemake.config, snakemake.input),
    )
    counts = outcomes(table)
    progress.note(counts.to_string(index=False))
    print(counts.to_string(index=False), file=sys.stderr)
    write_extxyz(snakemake.output.atoms, stored_frames(snakemake.output.data), table)
    save_table(table, snakemake.output.table)
    save_table(counts, snakemake.output.outcomes)
    write_page(snakemake.output.outcomes, snakemake.output.outcomes_page, "What became of every configuration")
