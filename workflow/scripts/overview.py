from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.report.figures.overview import overview_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.run.provenance import origin
from vibentropy.studies.benchmark.tables import compare_labels, compare_predictions, load

with logged(snakemake.log[0]):
    predictions = load_predictions(snakemake.input.predictions)
    shown = predictions[(predictions["stage"] != "test") | predictions["dataset"].isin(snakemake.params.datasets)]
    labels = load(*snakemake.input.labels)
    costs = compare_predictions(load(*snakemake.input.costs), labels)
    figure = overview_figure(shown, costs, compare_labels(labels))
    save_figure(figure, snakemake.output.png, snakemake.output.pdf, source=origin(snakemake.config))
