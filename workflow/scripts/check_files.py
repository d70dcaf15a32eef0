import pandas as pd

from vibentropy.datasets.store import load_table
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.sources.source import source_of

with logged(snakemake.log[0]):
    table = pd.concat([load_table(path) for path in snakemake.input.structures], ignore_index=True)
    source = source_of(snakemake.wildcards.dataset, snakemake.params.dataset)
    save_table(source.check_whole(table), snakemake.output[0])
