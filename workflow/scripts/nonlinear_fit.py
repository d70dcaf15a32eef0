from vibentropy.datasets.store import load_table
from vibentropy.features.sets import load_by_dataset
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import load_folds
from vibentropy.studies.extensivity import assess

with logged(snakemake.log[0]) as progress:
    predictions, chosen = assess(
        snakemake.wildcards.model,
        load_table(snakemake.input.configurations),
        load_by_dataset(snakemake.input.features),
        load_folds(snakemake.input.folds),
        exclude_duplicates=snakemake.params.exclude_duplicates,
        seed=snakemake.config["seed"],
    )
    progress.note(f"{snakemake.wildcards.model}: {chosen}")
    save_table(predictions, snakemake.output[0])
