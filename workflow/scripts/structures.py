from vibentropy.files.logs import logged
from vibentropy.run.steps.structures import make_structures
from vibentropy.sources.source import Workshop

with logged(snakemake.log[0]) as progress:
    inputs, making = snakemake.input, snakemake.params.workshop
    make_structures(
        snakemake.output[0],
        dataset=snakemake.wildcards.dataset,
        specification=snakemake.params.dataset,
        content=snakemake.params.content,
        workshop=Workshop(**making, lattice=inputs.reference[0], table=inputs.table) if making else None,
        config=snakemake.config,
        read=inputs,
        progress=progress,
    )
