from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.report.figures.predictions import extrapolation_figure, parity_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.run.provenance import origin

with logged(snakemake.log[0]):
    predictions = load_predictions(*snakemake.input.predictions)
    tests = snakemake.params.tests
    figure = extrapolation_figure(predictions, tests) if tests else parity_figure(predictions)
    save_figure(figure, snakemake.output.png, snakemake.output.pdf, source=origin(snakemake.config))
