from vibentropy import plotting
from vibentropy.benchmark import compare_labels, compare_predictions, gather, largest, load, scaling
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]) as progress:
    table = gather(load(*snakemake.input.measurements))
    growth = scaling(table)
    labels = compare_labels(load(*snakemake.input.labels))
    predictions = compare_predictions(load(*snakemake.input.predictions), load(*snakemake.input.labels))
    progress.note(largest(table).to_string(index=False))
    progress.note(growth.to_string(index=False))
    progress.note(labels.to_string(index=False))
    progress.note(predictions.to_string(index=False))
    save_table(table, snakemake.output.table)
    save_table(growth, snakemake.output.scaling)
    save_table(labels, snakemake.output.labels)
    save_table(predictions, snakemake.output.predictions)
    source = label(snakemake.config)
    plotting.save(plotting.cost(table), snakemake.output.cost, snakemake.output.cost_pdf, source=source)
    plotting.save(plotting.speed(table), snakemake.output.speed, snakemake.output.speed_pdf, source=source)
    scale = plotting.scale(predictions, labels)
    plotting.save(scale, snakemake.output.scale, snakemake.output.scale_pdf, source=source)
    plotting.save(plotting.cost(labels), snakemake.output.label_cost, snakemake.output.label_cost_pdf, source=source)
