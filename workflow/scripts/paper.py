from vibentropy import plotting
from vibentropy.evaluation import load_predictions
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]):
    predictions = load_predictions(*snakemake.input.predictions)
    tests = snakemake.params.datasets
    figure = plotting.extrapolation(predictions, tests) if tests else plotting.parity(predictions)
    plotting.save(figure, snakemake.output.png, snakemake.output.pdf, source=label(snakemake.config))
