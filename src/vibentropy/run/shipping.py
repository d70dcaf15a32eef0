"""The model that comes with the package: one of a finished run, with what it is valid for written into it."""

import json

import pandas as pd

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.table import usable
from vibentropy.errors import DataError
from vibentropy.learning.folds import main_split
from vibentropy.learning.uncertainty import INTERVALS
from vibentropy.model.entropy_model import EntropyModel

#: Predictions of test configurations that are kept beside the model, per data set, each of another class.
RECORDED = 1


def row_of(summary: pd.DataFrame, descriptor: str, regressor: str) -> pd.Series:
    """Find the row of a model to ship in the summary of a run: of the split that errors are given for.

    Parameters
    ----------
    summary : pandas.DataFrame
        As from `vibentropy.evaluation.metrics.load_summary`.
    descriptor, regressor : str
        Names in the configuration of the run.

    Returns
    -------
    pandas.Series

    Raises
    ------
    DataError
        If there is no such model.
    """
    rows = summary[(summary["descriptor"] == descriptor) & (summary["regressor"] == regressor)]
    if rows.empty:
        models = ", ".join(dict.fromkeys(summary["descriptor"] + "/" + summary["regressor"]))
        raise DataError(f"the summary has no model {descriptor}/{regressor}; there are {models}")
    return rows[rows["split"] == main_split(rows["split"])].iloc[0]


def documented(
    model: EntropyModel, table: pd.DataFrame, summary: pd.Series, crystal: Crystal, potential: str
) -> EntropyModel:
    """Write into the shipped model what its users have to know: crystal, potential, training and errors.

    Parameters
    ----------
    model : vibentropy.EntropyModel
    table : pandas.DataFrame
        Of the configurations of the run, with ``role``.
    summary : pandas.Series
        Of the model, as from `row_of`.
    crystal : vibentropy.atoms.crystal.Crystal
        That the model is of.
    potential : str
        Of the labels, as from `vibentropy.potentials.from_config.identity`.

    Returns
    -------
    EntropyModel
        With the provenance that `EntropyModel.validity` makes sentences of.
    """
    training = table[usable(table) & (table["role"] == "train")]
    sizes = sorted({int(n) for n in training["n_sites"]})
    numbers = {str(name): value for name, value in summary.items()}
    tests = {name.removesuffix("_mae"): float(value) for name, value in numbers.items() if name.endswith("_mae")}
    held_out = tests.pop("cross_validation")
    for not_a_test in ("training", "test") if len(tests) > 2 else ("training",):
        tests.pop(not_a_test, None)
    return model.with_provenance(
        crystal=f"{crystal.structure} {crystal.element} (a = {crystal.a:.10g} Å)",
        potential=", ".join(json.loads(potential)["files"]),
        trained_classes=", ".join(sorted(set(training["defect_class"]))),
        trained_sites=" and ".join(map(str, sizes)),
        held_out=held_out,
        tests=tests,
    )


def recorded(predictions: pd.DataFrame) -> pd.DataFrame:
    """Choose predictions that the shipped model has to reproduce wherever it is installed.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of the run, one row per configuration and stage.

    Returns
    -------
    pandas.DataFrame
        A few test configurations of each data set: id, dataset, formation_entropy (the label), prediction and the
        intervals of held-out errors, k_B, and domain.
    """
    tested = predictions[predictions["stage"] == "test"]
    distinct = tested.drop_duplicates(["dataset", "defect_class"]).groupby("dataset").head(RECORDED)
    ends = [end for of_level in INTERVALS["calibrated"].values() for end in of_level]
    return distinct[["id", "dataset", "formation_entropy", "prediction", *ends, "domain"]].reset_index(drop=True)
