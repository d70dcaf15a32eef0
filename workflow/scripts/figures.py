from vibentropy import plotting
from vibentropy.dataset import ConfigurationSet, usable
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
    configurations = ConfigurationSet.load(snakemake.input.configurations)
    table = configurations.table[usable(configurations.table, snakemake.params.exclude_duplicates)]
    labels = plotting.labels(table[table["role"] == "train"], configurations.frames[0].symbols[0])
    plotting.save(labels, snakemake.output.labels, snakemake.output.labels_pdf, source=source)
