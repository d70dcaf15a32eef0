import pandas as pd

from vibentropy import plotting
from vibentropy.comparison import comparison_table
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import label
from vibentropy.table_page import write_page

with logged(snakemake.log[0]):
    summary = pd.read_csv(snakemake.input.summary, keep_default_na=False, na_values=[""])
    descriptors = pd.concat(map(pd.read_csv, snakemake.input.descriptors), ignore_index=True)
    table = comparison_table(summary, descriptors, snakemake.params.tests)
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Errors, number of features and cost")
    # All cells of a test may repeat others, or have no features.
    known = [name for name in snakemake.params.tests if f"{name}_mae" in table]
    figure = plotting.comparison(table, known[:1])
    plotting.save(figure, snakemake.output.figure, snakemake.output.figure_pdf, source=label(snakemake.config))
