import sys

from vibentropy.dataset import merge, outcomes, read_frames, write_extxyz
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import attributes
from vibentropy.table_page import write_page

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
    write_extxyz(snakemake.output.atoms, read_frames(snakemake.output.data), table)
    save_table(table, snakemake.output.table)
    save_table(counts, snakemake.output.outcomes)
    write_page(snakemake.output.outcomes, snakemake.output.outcomes_page, "What became of every configuration")
