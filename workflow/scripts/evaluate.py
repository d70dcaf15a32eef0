import pandas as pd

from vibentropy.evaluation import (
    RESOLVED,
    coverage_table,
    load_predictions,
    metrics_table,
    named_tests,
    save_table,
    summary_table,
)
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    predictions = named_tests(load_predictions(*snakemake.input.predictions), snakemake.params.tests)
    metrics, coverage = (table(predictions, [*RESOLVED, "test"]) for table in (metrics_table, coverage_table))
    fits = pd.concat([pd.read_csv(path) for path in snakemake.input.fits])
    summary = summary_table(metrics, coverage, fits)
    progress.note(summary.to_string(index=False))
    save_table(metrics, snakemake.output.metrics)
    save_table(metrics, snakemake.output.metrics_json)
    save_table(coverage, snakemake.output.coverage)
    save_table(summary, snakemake.output.summary)
