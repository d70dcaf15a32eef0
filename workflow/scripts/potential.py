from vibentropy.crystal import Crystal
from vibentropy.evaluation import save_table
from vibentropy.potentials import Potential
from vibentropy.progress import logged
from vibentropy.storage import atomic

with logged(snakemake.log[0]) as progress:
    element = snakemake.params.potential["element"]
    potential = Potential.from_setfl(snakemake.params.potential["file"], element)
    residuals = potential.residuals()
    progress.note(residuals.to_string(index=False))
    save_table(residuals, snakemake.output.residuals)
    with atomic(snakemake.output.table) as path:
        potential.write_setfl(path)

    lattice = snakemake.params.lattice
    crystal = Crystal(element, lattice["structure"], lattice["a"])
    if lattice["relax"]:
        crystal = crystal.relaxed(potential)
    progress.note(f"{crystal.structure} {element}, a = {crystal.a:.7f} Å")
    crystal.save(snakemake.output.lattice)
