from pathlib import Path

from vibentropy.files.logs import logged
from vibentropy.report.results_table import write_between

with logged(snakemake.log[0]):
    table = Path(snakemake.input[0]).read_text(encoding="utf-8")
    write_between(snakemake.params.readme, f"{table}\nPrinted by `{snakemake.params.command}`.")
