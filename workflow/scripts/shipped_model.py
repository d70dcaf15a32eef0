import pandas as pd

from vibentropy.datasets.store import load_table
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.model import EntropyModel
from vibentropy.run import shipping
from vibentropy.sources import archives

with logged(snakemake.log[0]) as progress:
    summary = pd.read_csv(snakemake.input.summary).set_index(["descriptor", "regressor"])
    model = shipping.documented(
        EntropyModel.load(snakemake.input.model),
        load_table(snakemake.input.configurations),
        summary.loc[tuple(snakemake.params.names)],
        archives.crystal_of(snakemake.input.archive),
        archives.potential_of(snakemake.input.archive),
    )
    model.save(snakemake.output.model)
    predictions = pd.read_csv(snakemake.input.predictions, keep_default_na=False, na_values=[""])
    save_table(shipping.recorded(predictions), snakemake.output.recorded)
    progress.note(model.validity())
