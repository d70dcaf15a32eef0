from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.learning_curves import learning_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.learning_curves import load_curves, medians

with logged(snakemake.log[0]) as progress:
    curves = load_curves(*snakemake.input.curves)
    progress.note(medians(curves).to_string())
    save_table(curves, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Errors against the number of labels")
    save_figure(
        learning_figure(curves, snakemake.params.test),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=origin(snakemake.config, ["learning"]),
    )
