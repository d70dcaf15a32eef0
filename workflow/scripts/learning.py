from vibentropy import plotting
from vibentropy.evaluation import save_table
from vibentropy.learning import load_curves, medians
from vibentropy.progress import logged
from vibentropy.provenance import label
from vibentropy.table_page import write_page

with logged(snakemake.log[0]) as progress:
    curves = load_curves(*snakemake.input.curves)
    progress.note(medians(curves).to_string())
    save_table(curves, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Errors against the number of labels")
    plotting.save(
        plotting.learning(curves, snakemake.params.test),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=label(snakemake.config),
    )
