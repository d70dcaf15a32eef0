from vibentropy.datasets.store import load_table
from vibentropy.evaluation.metrics import load_summary
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.model import EntropyModel
from vibentropy.run import shipping
from vibentropy.sources import archives

with logged(snakemake.log[0]) as progress:
    model = shipping.documented(
        EntropyModel.load(snakemake.input.model),
        load_table(snakemake.input.configurations),
        shipping.row_of(load_summary(snakemake.input.summary), *snakemake.params.names),
        archives.crystal_of(snakemake.input.archive),
        archives.potential_of(snakemake.input.archive),
    )
    model.save(snakemake.output.model)
    predictions = load_predictions(snakemake.input.predictions)
    save_table(shipping.recorded(predictions), snakemake.output.recorded)
    progress.note(model.validity())
