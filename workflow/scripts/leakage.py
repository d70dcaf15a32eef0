from vibentropy.datasets.store import load_element
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.leakage import leakage_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.leakage import load_leakage

with logged(snakemake.log[0]) as progress:
    table = load_leakage(*snakemake.input.tables)
    progress.note(table.to_string(index=False))
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Held-out errors by way of testing")
    save_figure(
        leakage_figure(table, load_element(snakemake.input.configurations)),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=origin(snakemake.config, ["leakage"]),
    )
