from vibentropy.evaluation.metrics import load_summary
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.cost_and_error import cost_and_error_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.cost_and_error import comparison_table, load_costs

with logged(snakemake.log[0]):
    summary = load_summary(snakemake.input.summary)
    descriptors = load_costs(*snakemake.input.descriptors)
    table = comparison_table(summary, descriptors, snakemake.params.tests)
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Errors, number of features and cost")
    # All cells of a test may repeat others, or have no features.
    known = [name for name in snakemake.params.tests if f"{name}_mae" in table]
    figure = cost_and_error_figure(table, known[:1])
    save_figure(figure, snakemake.output.figure, snakemake.output.figure_pdf, source=origin(snakemake.config))
