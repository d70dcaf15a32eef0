from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.style import save_figure
from vibentropy.report.figures.timing import cost_figure, scale_figure, speed_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import origin
from vibentropy.studies.benchmark.tables import compare_labels, compare_predictions, gather, largest, load, scaling

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
    source = origin(snakemake.config, ["benchmark"])
    save_figure(cost_figure(table), snakemake.output.cost, snakemake.output.cost_pdf, source=source)
    save_figure(speed_figure(table), snakemake.output.speed, snakemake.output.speed_pdf, source=source)
    scale = scale_figure(predictions, labels)
    save_figure(scale, snakemake.output.scale, snakemake.output.scale_pdf, source=source)
    save_figure(cost_figure(labels), snakemake.output.label_cost, snakemake.output.label_cost_pdf, source=source)
