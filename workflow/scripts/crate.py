import json
from pathlib import Path

from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.run.crate import crate

with logged(snakemake.log[0]), atomic(snakemake.output[0]) as path:
    recorded = json.loads(Path(snakemake.input.record).read_text(encoding="utf-8"))
    described = crate(recorded, snakemake.input.checksums)
    path.write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
