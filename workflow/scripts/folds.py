from vibentropy.datasets.store import load_table
from vibentropy.datasets.table import check_labelled, usable
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import describe_folds, folds_table

with logged(snakemake.log[0]) as progress:
    table = load_table(snakemake.input.configurations)
    check_labelled(table)
    training = table[usable(table, exclude_duplicates=False) & (table["role"] == "train").to_numpy()]
    folds = folds_table(
        training,
        snakemake.params.n_folds,
        snakemake.params.splits,
        snakemake.params.seed,
        exclude_duplicates=snakemake.params.exclude_duplicates,
    )
    for line in describe_folds(training, folds):
        progress.note(line)
    save_table(folds, snakemake.output[0])
