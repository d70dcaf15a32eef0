from vibentropy.dataset import check_labelled, load_table, usable
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.splits import describe, folds_table

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
    for line in describe(training, folds):
        progress.note(line)
    save_table(folds, snakemake.output[0])
