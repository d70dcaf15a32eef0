from vibentropy import plotting
from vibentropy.evaluation import load_predictions
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]):
    predictions = load_predictions(*snakemake.input.predictions)
    datasets = snakemake.params.datasets
    shown = predictions[(predictions["stage"] != "test") | predictions["dataset"].isin(datasets)]
    draw = plotting.extrapolation if datasets else plotting.parity
    plotting.save(draw(shown), snakemake.output.png, snakemake.output.pdf, source=label(snakemake.config))
