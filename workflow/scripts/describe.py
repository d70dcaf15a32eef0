from vibentropy.comparison import describe
from vibentropy.dataset import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.evaluation import save_table
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    configurations = ConfigurationSet.load(snakemake.input.labels)
    labelled = configurations.subset(configurations.table["status"] == "labelled").frames
    chosen = labelled[:: -(-len(labelled) // snakemake.params.frames) or 1]
    table = describe(snakemake.wildcards.descriptor, create(**snakemake.params.descriptor), chosen)
    progress.note(table.to_string(index=False))
    save_table(table, snakemake.output[0])
