from vibentropy.files.logs import logged
from vibentropy.run.steps.label import label_shard

with logged(snakemake.log[0]) as progress:
    label_shard(
        snakemake.input.structures,
        snakemake.input.reference[0],
        snakemake.output[0],
        dataset=snakemake.wildcards.dataset,
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        mem_mb=snakemake.resources.mem_mb,
        **dict(snakemake.params.items()),
    )
