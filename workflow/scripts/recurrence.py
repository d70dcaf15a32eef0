from vibentropy.datasets.store import load_table
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page
from vibentropy.sources.published_arrays import published_labels
from vibentropy.studies.recurrence import recurrence

with logged(snakemake.log[0]) as progress:
    labels = {name: published_labels(snakemake.input.entropies, name) for name in snakemake.params.classes}
    table = recurrence(load_table(snakemake.input.configurations), labels, snakemake.params.tolerance)
    progress.note(table.to_string(index=False))
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Published labels that recur")
