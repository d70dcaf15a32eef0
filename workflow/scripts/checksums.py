from vibentropy.progress import logged
from vibentropy.provenance import checksums
from vibentropy.storage import atomic

with logged(snakemake.log[0]), atomic(snakemake.output[0]) as path:
    path.write_text(checksums(snakemake.input, path.parent), encoding="utf-8")
