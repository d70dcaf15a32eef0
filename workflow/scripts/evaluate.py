from vibentropy.evaluation.coverage import coverage_table
from vibentropy.evaluation.fitting import load_fits
from vibentropy.evaluation.metrics import RESOLVED, different_rows, metrics_table, named_tests, summary_table
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page

with logged(snakemake.log[0]) as progress:
    predictions = named_tests(load_predictions(*snakemake.input.predictions), snakemake.params.tests)
    for line in different_rows(predictions):
        progress.note(line)
    metrics, coverage = (table(predictions, [*RESOLVED, "test"]) for table in (metrics_table, coverage_table))
    fits = load_fits(*snakemake.input.fits)
    summary = summary_table(metrics, coverage, fits)
    errors = summary.filter(regex="^(descriptor|regressor|split)$|_mae$")
    progress.note(f"mean absolute errors, k_B:\n{errors.to_string(index=False, float_format='%.3f')}")
    save_table(metrics, snakemake.output.metrics)
    write_page(snakemake.output.metrics, snakemake.output.metrics_page, "Errors by data set, class and cell size")
    save_table(metrics, snakemake.output.metrics_json)
    save_table(coverage, snakemake.output.coverage)
    write_page(snakemake.output.coverage, snakemake.output.coverage_page, "Coverage of the error bars")
    save_table(summary, snakemake.output.summary)
    write_page(snakemake.output.summary, snakemake.output.summary_page, "Models, one row each")
