from vibentropy.dataset import ConfigurationSet, check_labelled, usable
from vibentropy.evaluation import folds_table, save_table
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    table = ConfigurationSet.load(snakemake.input.configurations).table
    check_labelled(table)
    training = usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train").to_numpy()
    save_table(folds_table(table[training], snakemake.params.n_folds), snakemake.output[0])
