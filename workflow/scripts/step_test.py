from vibentropy.evaluation import save_table
from vibentropy.finite_differences import smallest_crystal, step_test, verdict
from vibentropy.interactions import load_potential
from vibentropy.progress import logged
from vibentropy.table_page import write_page

with logged(snakemake.log[0]) as progress:
    perfect = smallest_crystal(snakemake.params.datasets, snakemake.input.lattice)
    table = step_test(perfect, load_potential(snakemake.params.potential), **snakemake.params.gates)
    progress.note(table.to_string(index=False))
    progress.note(verdict(table))
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Labels with half, once and twice the step")
