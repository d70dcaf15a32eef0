from vibentropy.crystal import Crystal
from vibentropy.interactions import load_potential
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    potential, lattice = load_potential(snakemake.params.potential), snakemake.params.lattice
    crystal = Crystal(potential.element, lattice["structure"], lattice["a"])
    if lattice["relax"]:
        crystal = crystal.relaxed(potential)
    progress.note(f"{crystal.structure} {crystal.element}, a = {crystal.a:.7f} Å")
    crystal.save(snakemake.output[0])
