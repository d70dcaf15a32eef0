from vibentropy.atoms.crystal import Crystal
from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import load_potential

with logged(snakemake.log[0]) as progress:
    potential, lattice = load_potential(snakemake.params.potential), snakemake.params.lattice
    crystal = Crystal(potential.element, lattice["structure"], lattice["a"])
    if lattice["relax"]:
        crystal = crystal.relaxed(potential)
    progress.note(f"{crystal.structure} {crystal.element}, a = {crystal.a:.7f} Å")
    crystal.save(snakemake.output[0])
