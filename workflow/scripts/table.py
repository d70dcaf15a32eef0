from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.potentials.from_config import load_potential
from vibentropy.report.html import write_page

with logged(snakemake.log[0]) as progress:
    potential = load_potential(**snakemake.params.potential)
    residuals = potential.residuals()
    progress.note(residuals.to_string(index=False))
    save_table(residuals, snakemake.output.residuals)
    write_page(snakemake.output.residuals, snakemake.output.residuals_page, "Smooth potential against its file")
    with atomic(snakemake.output.table) as path:
        potential.write_setfl(path)
