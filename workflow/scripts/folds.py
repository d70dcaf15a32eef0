from vibentropy.dataset import ConfigurationSet, check_labelled, groups, usable
from vibentropy.evaluation import save_table
from vibentropy.progress import logged
from vibentropy.splits import folds_table, torn_rows

with logged(snakemake.log[0]) as progress:
    table = ConfigurationSet.load(snakemake.input.configurations).table
    check_labelled(table)
    training = table[usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train").to_numpy()]
    folds = folds_table(training, snakemake.params.n_folds, snakemake.params.splits, snakemake.params.seed)
    for split, rows in folds.groupby("split", sort=False):
        torn = torn_rows(groups(training), rows["fold"])
        progress.note(f"{split}: {torn.sum()} of {len(rows)} rows have another one of their trajectory in other folds")
    save_table(folds, snakemake.output[0])
