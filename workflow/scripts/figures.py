from vibentropy import plotting
from vibentropy.dataset import ConfigurationSet, load_table, usable
from vibentropy.evaluation import load_predictions
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]):
    source = label(snakemake.config)
    predictions = load_predictions(*snakemake.input.predictions)
    plotting.save(plotting.parity(predictions), snakemake.output.parity, snakemake.output.parity_pdf, source=source)
    plotting.save(
        plotting.extrapolation(predictions),
        snakemake.output.extrapolation,
        snakemake.output.extrapolation_pdf,
        source=source,
    )
    plotting.save(
        plotting.reliability(predictions),
        snakemake.output.reliability,
        snakemake.output.reliability_pdf,
        source=source,
    )
    table = load_table(snakemake.input.configurations)
    element = ConfigurationSet.load(snakemake.input.configurations, [0]).frames[0].symbols[0]
    shown = usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train").to_numpy()
    labels = plotting.labels(table[shown], element)
    plotting.save(labels, snakemake.output.labels, snakemake.output.labels_pdf, source=source)
