from vibentropy.evaluation import coverage_table, load_predictions, metrics_table, save_table, summary_table
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    predictions = load_predictions(*snakemake.input.predictions)
    metrics, coverage = metrics_table(predictions), coverage_table(predictions)
    summary = summary_table(metrics, coverage)
    progress.note(summary.to_string(index=False))
    save_table(metrics, snakemake.output.metrics)
    save_table(metrics, snakemake.output.metrics_json)
    save_table(coverage, snakemake.output.coverage)
    save_table(summary, snakemake.output.summary)
