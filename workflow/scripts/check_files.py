import pandas as pd

from vibentropy.datasets.store import load_table
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.sources.user_files import check_files

with logged(snakemake.log[0]):
    table = pd.concat([load_table(path) for path in snakemake.input.structures], ignore_index=True)
    save_table(check_files(table, snakemake.params.specification), snakemake.output[0])
