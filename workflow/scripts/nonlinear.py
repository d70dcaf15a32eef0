from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.extensivity import extensivity_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.extensivity import load_assessments, summarise

with logged(snakemake.log[0]) as progress:
    predictions = load_assessments(*snakemake.input.predictions)
    summary = summarise(predictions)
    progress.note(summary.to_string(index=False))
    save_table(summary, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Functions of sums and sums of functions")
    save_figure(
        extensivity_figure(predictions, summary),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=origin(snakemake.config, ["nonlinear"]),
    )
