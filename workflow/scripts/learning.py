from vibentropy import plotting
from vibentropy.evaluation import save_table
from vibentropy.learning import load_curves, medians
from vibentropy.progress import logged
from vibentropy.provenance import label

with logged(snakemake.log[0]) as progress:
    curves = load_curves(*snakemake.input.curves)
    progress.note(medians(curves).to_string())
    save_table(curves, snakemake.output.table)
    plotting.save(
        plotting.learning(curves, snakemake.params.test),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=label(snakemake.config),
    )
