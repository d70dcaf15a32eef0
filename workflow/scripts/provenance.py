import json

from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.provenance import record, table
from vibentropy.storage import atomic
from vibentropy.table_page import write_page

with logged(snakemake.log[0]):
    recorded = record(snakemake.config)
    with atomic(snakemake.output.record) as path:
        path.write_text(json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    save_table(table(recorded), snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Where the results come from")
