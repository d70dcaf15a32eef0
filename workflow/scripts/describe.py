from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.descriptors import create
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.studies.cost_and_error import describe_cost

with logged(snakemake.log[0]) as progress:
    configurations = ConfigurationSet.load(snakemake.input.labels)
    labelled = configurations.subset(configurations.table["status"] == Status.LABELLED).frames
    chosen = labelled[:: -(-len(labelled) // snakemake.params.frames) or 1]
    table = describe_cost(snakemake.wildcards.descriptor, create(**snakemake.params.descriptor), chosen)
    progress.note(table.to_string(index=False))
    save_table(table, snakemake.output[0])
