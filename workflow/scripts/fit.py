from vibentropy.datasets.store import load_table
from vibentropy.descriptors import create
from vibentropy.evaluation.fitting import fit_and_predict, fit_table
from vibentropy.features.sets import common_bulk, load_by_dataset
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.model import EntropyModel
from vibentropy.run.provenance import attributes
from vibentropy.sources.source import source_of

with logged(snakemake.log[0]) as progress:
    features = load_by_dataset(snakemake.input.features)
    fitted, predictions, uncertainty = fit_and_predict(
        create_regressor(**snakemake.params.regressor),
        load_table(snakemake.input.configurations),
        features,
        load_folds(snakemake.input.folds),
        exclude_duplicates=snakemake.params.exclude_duplicates,
        names=dict(snakemake.wildcards.items()),
    )
    save_table(predictions, snakemake.output.predictions)
    save_table(fit_table(fitted, **dict(snakemake.wildcards.items())), snakemake.output.fit)

    training = predictions[predictions["stage"] == "training"]
    first = training["dataset"].iloc[0]
    perfect = source_of(first, snakemake.config["datasets"][first]).unstrained(snakemake.input.lattice)
    source = attributes(snakemake.config, snakemake.input, training["dataset"].unique())
    EntropyModel.from_fit(
        create(**snakemake.params.descriptor),
        fitted,
        common_bulk([features[dataset] for dataset in training["dataset"].unique()]),
        element=perfect.get_chemical_symbols()[0],
        volume_per_atom=perfect.get_volume() / len(perfect),
        entropy_range=(training["formation_entropy"].min(), training["formation_entropy"].max()),
        uncertainty=uncertainty,
        trained_on=training.groupby("dataset").size().to_dict(),
        **source,
    ).save(snakemake.output.model, **source)
    chosen = {name: getattr(fitted, name) for name in ("penalty_", "site_weight_") if hasattr(fitted, name)}
    progress.note(f"{fitted!r} fitted to {len(training)} configurations {chosen}")
