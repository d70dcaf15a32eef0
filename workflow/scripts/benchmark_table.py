from vibentropy import plotting
from vibentropy.benchmark import compare_labels, compare_predictions, gather, largest, load, scaling
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import label
from vibentropy.table_page import write_page

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
    write_page(snakemake.output.table, snakemake.output.table_page, "Speed and memory of descriptors")
    save_table(growth, snakemake.output.scaling)
    write_page(snakemake.output.scaling, snakemake.output.scaling_page, "Growth of the cost of descriptors")
    save_table(labels, snakemake.output.labels)
    write_page(snakemake.output.labels, snakemake.output.labels_page, "Speed and memory of labels")
    save_table(predictions, snakemake.output.predictions)
    write_page(snakemake.output.predictions, snakemake.output.predictions_page, "Speed and memory of predictions")
    source = label(snakemake.config)
    plotting.save(plotting.cost(table), snakemake.output.cost, snakemake.output.cost_pdf, source=source)
    plotting.save(plotting.speed(table), snakemake.output.speed, snakemake.output.speed_pdf, source=source)
    scale = plotting.scale(predictions, labels)
    plotting.save(scale, snakemake.output.scale, snakemake.output.scale_pdf, source=source)
    plotting.save(plotting.cost(labels), snakemake.output.label_cost, snakemake.output.label_cost_pdf, source=source)
