from vibentropy.datasets.store import load_table
from vibentropy.evaluation.metrics import load_summary
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.model import EntropyModel
from vibentropy.run import shipping
from vibentropy.sources.archives import read_header

with logged(snakemake.log[0]) as progress:
    header = read_header(snakemake.input.archive)
    model = shipping.documented(
        EntropyModel.load(snakemake.input.model),
        load_table(snakemake.input.configurations),
        shipping.row_of(load_summary(snakemake.input.summary), *snakemake.params.names),
        header.crystal,
        header.potential,
    )
    model.save(snakemake.output.model)
    predictions = load_predictions(snakemake.input.predictions)
    save_table(shipping.recorded(predictions), snakemake.output.recorded)
    progress.note(model.validity())
