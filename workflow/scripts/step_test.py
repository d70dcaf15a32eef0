from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.labels.step_test import step_test, verdict
from vibentropy.potentials.finite_differences import watched
from vibentropy.potentials.from_config import load_potential
from vibentropy.report.html import write_page
from vibentropy.sources.perfect import smallest_references
from vibentropy.sources.source import source_of

with logged(snakemake.log[0]) as progress:
    sources = [source_of(*named) for named in snakemake.params.datasets.items()]
    references = smallest_references(sources, snakemake.input.lattice)
    potential = watched(load_potential(**snakemake.params.potential), progress.note)
    table = step_test(references, potential, **snakemake.params.gates)
    progress.note(table.to_string(index=False))
    progress.note(verdict(table))
    save_table(table, snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Labels with half, once and twice the step")
