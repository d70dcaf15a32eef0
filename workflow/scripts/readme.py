from pathlib import Path

from vibentropy.page import write_between
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    write_between(snakemake.params.readme, Path(snakemake.input[0]).read_text(encoding="utf-8"))
