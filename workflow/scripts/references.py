from vibentropy.atoms.crystal import Crystal
from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import load_potential
from vibentropy.sources.references import Reference, make_references

with logged(snakemake.log[0]) as progress:
    references = [Reference.from_block(block) for block in snakemake.params.references]
    progress.expect(len(references))
    potential = load_potential(**snakemake.params.potential)
    make_references(references, Crystal.load(snakemake.input.lattice), potential, progress).save(snakemake.output[0])
