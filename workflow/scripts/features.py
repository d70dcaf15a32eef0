from vibentropy.files.logs import logged
from vibentropy.run.steps.features import compute_features

with logged(snakemake.log[0]) as progress:
    compute_features(
        snakemake.input.labels,
        snakemake.input.reference[0],
        snakemake.output[0],
        dataset=snakemake.wildcards.dataset,
        config=snakemake.config,
        read=snakemake.input,
        progress=progress,
        **dict(snakemake.params.items()),
    )
