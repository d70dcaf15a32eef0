from vibentropy.files.logs import logged
from vibentropy.report.steps.benchmark import show_labels

with logged(snakemake.log[0]) as progress:
    show_labels(snakemake.input.labels, snakemake.output, config=snakemake.config, progress=progress)
