from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.report.figures.predictions import published_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.run.provenance import origin
from vibentropy.sources.reference_work import counterparts

with logged(snakemake.log[0]):
    predictions = load_predictions(*snakemake.input.predictions)
    config = snakemake.config
    published = counterparts(config["reference_work"], config["descriptors"])
    figure = published_figure(predictions, published, snakemake.params.larger)
    save_figure(figure, snakemake.output.png, snakemake.output.pdf, source=origin(config))
