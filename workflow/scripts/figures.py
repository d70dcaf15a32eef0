from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.report.figures.distributions import distribution_figure
from vibentropy.report.figures.predictions import extrapolation_figure, parity_figure
from vibentropy.report.figures.reliability import reliability_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.run.provenance import origin

with logged(snakemake.log[0]):
    source = origin(snakemake.config)
    predictions = load_predictions(*snakemake.input.predictions)
    save_figure(parity_figure(predictions), snakemake.output.parity, snakemake.output.parity_pdf, source=source)
    save_figure(
        extrapolation_figure(predictions),
        snakemake.output.extrapolation,
        snakemake.output.extrapolation_pdf,
        source=source,
    )
    save_figure(
        reliability_figure(predictions),
        snakemake.output.reliability,
        snakemake.output.reliability_pdf,
        source=source,
    )
    table = load_table(snakemake.input.configurations)
    element = ConfigurationSet.load(snakemake.input.configurations, [0]).frames[0].symbols[0]
    shown = usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train").to_numpy()
    labels = distribution_figure(table[shown], element)
    save_figure(labels, snakemake.output.labels, snakemake.output.labels_pdf, source=source)
