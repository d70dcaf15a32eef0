from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.run.provenance import checksums

with logged(snakemake.log[0]), atomic(snakemake.output[0]) as path:
    path.write_text(checksums(snakemake.input, path.parent), encoding="utf-8")
