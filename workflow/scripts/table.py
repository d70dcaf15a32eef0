from vibentropy.evaluation import save_table
from vibentropy.interactions import load_potential
from vibentropy.progress import logged
from vibentropy.storage import atomic

with logged(snakemake.log[0]) as progress:
    potential = load_potential(snakemake.params.potential)
    residuals = potential.residuals()
    progress.note(residuals.to_string(index=False))
    save_table(residuals, snakemake.output.residuals)
    with atomic(snakemake.output.table) as path:
        potential.write_setfl(path)
