from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page
from vibentropy.report.potentials_table import potentials_page
from vibentropy.studies.shipped_potentials import load_shipped

with logged(snakemake.log[0]):
    table = load_shipped(*snakemake.input.rows)
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Vacancies by the potentials that LAMMPS ships")
    with atomic(snakemake.output.text) as temporary:
        temporary.write_text(potentials_page(table), encoding="utf-8")
