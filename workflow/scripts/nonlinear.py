import pandas as pd

from vibentropy import plotting
from vibentropy.evaluation import save_table
from vibentropy.nonlinear import summarise
from vibentropy.progress import logged
from vibentropy.provenance import label
from vibentropy.table_page import write_page

with logged(snakemake.log[0]) as progress:
    # A class may be called None: text is text.
    predictions = pd.concat(
        [pd.read_csv(path, keep_default_na=False, na_values={"parts": ""}) for path in snakemake.input.predictions]
    )
    summary = summarise(predictions)
    progress.note(summary.to_string(index=False))
    save_table(summary, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Functions of sums and sums of functions")
    plotting.save(
        plotting.nonlinear(predictions, summary),
        snakemake.output.figure,
        snakemake.output.figure_pdf,
        source=label(snakemake.config),
    )
