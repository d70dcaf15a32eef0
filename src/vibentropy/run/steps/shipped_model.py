"""Job of a run: the model that comes with the package, and predictions that it has to reproduce."""

from collections.abc import Sequence
from pathlib import Path

from vibentropy.datasets.store import load_table
from vibentropy.evaluation.metrics import load_summary
from vibentropy.evaluation.predictions import load_predictions
from vibentropy.files.logs import Progress
from vibentropy.files.tables import save_table
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.run import shipping
from vibentropy.sources.archives import read_header


def ship(
    model: str | Path,
    predictions: str | Path,
    configurations: str | Path,
    summary: str | Path,
    archive: str | Path,
    *,
    shipped: str | Path,
    recorded: str | Path,
    names: Sequence[str],
    progress: Progress,
) -> None:
    """Write what a model is valid for into it, and choose predictions that it has to reproduce.

    Parameters
    ----------
    model, predictions : path-like
        As `vibentropy.run.steps.fit.fit` writes them.
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    summary : path-like
        Table of `vibentropy.evaluation.metrics.summary_table`; of several splits, the main one counts.
    archive : path-like
        That the model was fitted to.
    shipped, recorded : path-like
        Files to write: for `EntropyModel.load`, and the table of `vibentropy.run.shipping.recorded`.
    names : sequence of str
        Of the descriptor and the regressor.
    progress : Progress
    """
    header = read_header(archive)
    documented = shipping.documented(
        EntropyModel.load(model),
        load_table(configurations),
        shipping.row_of(load_summary(summary), *names),
        header.crystal,
        header.potential,
    )
    documented.save(shipped)
    save_table(shipping.recorded(load_predictions(predictions)), recorded)
    progress.note(documented.validity())
