from vibentropy.files.logs import logged
from vibentropy.report.steps.maps import show_maps

with logged(snakemake.log[0]):
    show_maps(
        dict(zip(snakemake.params.models, snakemake.input.maps, strict=True)),
        config=snakemake.config,
        **dict(snakemake.output.items()),
    )
