import pandas as pd

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.report.html import write_results
from vibentropy.report.results_table import results_page

with logged(snakemake.log[0]):
    summary = pd.read_csv(snakemake.input.summary, keep_default_na=False, na_values=[""])
    descriptors = pd.concat(map(pd.read_csv, snakemake.input.descriptors), ignore_index=True)
    element = ConfigurationSet.load(snakemake.input.configurations, [0]).frames[0].symbols[0]
    text = results_page(summary, descriptors, snakemake.params.tests, element, snakemake.params.command)
    with atomic(snakemake.output.text) as path:
        path.write_text(text, encoding="utf-8")
    write_results(text, snakemake.output.page)
