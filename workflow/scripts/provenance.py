import json

from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.html import write_page
from vibentropy.run.provenance import record, table

with logged(snakemake.log[0]):
    recorded = record(snakemake.config)
    with atomic(snakemake.output.record) as path:
        path.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    save_table(table(recorded), snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Where the results come from")
