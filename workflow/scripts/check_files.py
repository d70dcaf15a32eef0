import pandas as pd

from vibentropy.dataset import load_table
from vibentropy.evaluation import save_table
from vibentropy.ingest import check
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    table = pd.concat([load_table(path) for path in snakemake.input.structures], ignore_index=True)
    save_table(check(table, snakemake.params.specification), snakemake.output[0])
