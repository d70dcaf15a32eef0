from pathlib import Path

from vibentropy.files.logs import logged
from vibentropy.report.results_table import write_between

with logged(snakemake.log[0]):
    write_between(snakemake.params.readme, Path(snakemake.input[0]).read_text(encoding="utf-8"))
