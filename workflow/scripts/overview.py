from vibentropy import plotting
from vibentropy.benchmark import compare_labels, compare_predictions, load
from vibentropy.evaluation import load_predictions
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]):
    predictions = load_predictions(snakemake.input.predictions)
    shown = predictions[(predictions["stage"] != "test") | predictions["dataset"].isin(snakemake.params.datasets)]
    labels = load(*snakemake.input.labels)
    costs = compare_predictions(load(*snakemake.input.costs), labels)
    figure = plotting.overview(shown, costs, compare_labels(labels))
    plotting.save(figure, snakemake.output.png, snakemake.output.pdf, source=label(snakemake.config))
