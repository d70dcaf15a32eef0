"""Job of a run: a model, its predictions of what it was and was not fitted to, and what they are worth."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vibentropy.datasets.store import load_table
from vibentropy.descriptors import create
from vibentropy.errors import DataError
from vibentropy.evaluation.fitting import fit_and_predict, fit_table
from vibentropy.features.sets import common_bulk, load_by_dataset
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.learning.folds import load_folds
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.sufficiency import too_few
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.run.provenance import attributes


def fit(
    configurations: str | Path,
    folds: str | Path,
    features: Iterable[str | Path],
    *,
    model: str | Path,
    predictions: str | Path,
    fits: str | Path,
    names: Mapping[str, str],
    descriptor: Mapping[str, Any],
    regressor: Mapping[str, Any],
    exclude_duplicates: bool,
    config: Mapping[str, Any],
    read: Iterable[str | Path],
    progress: Progress,
) -> None:
    """Fit a model to the training sets and predict all folds and test sets.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    folds : path-like
        Table of `vibentropy.learning.folds.folds_table`.
    features : iterable of path-like
        Of one descriptor and all data sets, as written by `FeatureSet.save`.
    model, predictions, fits : path-like
        Files to write: for `EntropyModel.load`, for `vibentropy.evaluation.predictions.load_predictions`, and the
        table of `fit_table`.
    names : dict of str to str
        Names of ``descriptor`` and ``regressor`` in the configuration of the run.
    descriptor, regressor : dict
        ``kind`` and parameters, as in the configuration of a run.
    exclude_duplicates : bool
        See `vibentropy.datasets.table.usable`.
    config, read, progress
        See `vibentropy.run.steps.features.compute_features`.

    Raises
    ------
    DataError
        If the features do not say what crystal they are relative to.
    """
    by_dataset = load_by_dataset(features)
    table = load_table(configurations)
    fitted, predicted, uncertainty = fit_and_predict(
        create_regressor(**regressor),
        table,
        by_dataset,
        load_folds(folds),
        exclude_duplicates=exclude_duplicates,
        names=dict(names),
    )
    save_table(predicted, predictions)
    save_table(fit_table(fitted, **names), fits)

    training = predicted[predicted["stage"] == "training"]
    learnt_from = [by_dataset[dataset] for dataset in training["dataset"].unique()]
    if not learnt_from[0].element:
        raise DataError(
            f"the features of {training['dataset'].iloc[0]} do not say what crystal they are relative to: an older "
            "version wrote them; delete them to have the workflow make them again"
        )
    source = attributes(config, read, training["dataset"].unique())
    EntropyModel.from_fit(
        create(**descriptor),
        fitted,
        common_bulk(learnt_from),
        element=learnt_from[0].element,
        volume_per_atom=learnt_from[0].volume_per_atom,
        entropy_range=(training["formation_entropy"].min(), training["formation_entropy"].max()),
        uncertainty=uncertainty,
        trained_on=training.groupby("dataset").size().to_dict(),
        **source,
    ).save(model, **source)
    chosen = {
        name: getattr(fitted, name)
        for name in ("penalty_", "site_weight_", "block_penalties_")
        if hasattr(fitted, name)
    }
    progress.note(f"{fitted!r} fitted to {len(training)} configurations {chosen}")
    distinct = table["id"].isin(training["id"]) & (table["duplicate_of"] == "")
    if few := too_few(int(distinct.sum()), learnt_from[0].X.shape[1]):
        progress.note(f"too little data: {few}")
