from vibentropy.datasets.store import ConfigurationSet
from vibentropy.evaluation.metrics import load_summary
from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.report.html import write_results
from vibentropy.report.results_table import results_page
from vibentropy.studies.cost_and_error import load_costs

with logged(snakemake.log[0]):
    summary = load_summary(snakemake.input.summary)
    descriptors = load_costs(*snakemake.input.descriptors)
    element = ConfigurationSet.load(snakemake.input.configurations, [0]).frames[0].symbols[0]
    text = results_page(summary, descriptors, snakemake.params.tests, element, snakemake.params.command)
    with atomic(snakemake.output.text) as path:
        path.write_text(text, encoding="utf-8")
    write_results(text, snakemake.output.page)
