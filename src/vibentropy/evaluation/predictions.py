"""Tables of predictions beside the exact entropies.

A table of predictions has one row per configuration and model, with the columns

================= ==== =============================================================================================
column            unit meaning
================= ==== =============================================================================================
id, dataset, role      of the configuration, as in `vibentropy.datasets.table`; further on trajectory, defect_class,
                       n_atoms and n_sites
formation_entropy k_B  exact, compared mode by mode
prediction        k_B
std               k_B  of the prediction; NaN where the regressor has none
fold                   that the configuration was held out in; -1 where it was not part of a cross-validation
split                  one of `vibentropy.learning.folds.SPLITS`: how the folds were made; empty where there are none
stage                  one of `STAGES`
descriptor             name in the configuration of the run
regressor              name in the configuration of the run
low_68, high_68   k_B  ends of the calibrated interval (`vibentropy.learning.uncertainty`), further on of that at 95 %
level                  probability of the calibrated interval that ends at the exact value
pops_low_68, ...  k_B  ends of the intervals of pointwise optimal fits at 68, 95 and 100 %, the last their bounds
pops_level             probability of such an interval that ends at the exact value
domain                 ``inside`` the domain of the fit, or ``outside: `` and why
================= ==== =============================================================================================

The last five are given for rows that were held out of a fit that keeps groups together, and for test sets; elsewhere
they are NaN, and the domain is empty.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from vibentropy.errors import DataError
from vibentropy.files.tables import read_table
from vibentropy.learning.uncertainty import INTERVALS

#: How a prediction relates to the fit: held out in a fold, seen by the fit, or of a data set the fit never saw.
STAGES = ("cross-validation", "training", "test")

#: One model.
MODEL = ["descriptor", "regressor"]

#: Columns that predictions take over from the table of configurations.
OF_CONFIGURATION = ["id", "dataset", "role", "trajectory", "defect_class", "n_atoms", "n_sites", "formation_entropy"]

#: Kinds of intervals: of the standard deviation, of pointwise optimal fits, and calibrated.
METHODS = ("bayesian", "pops", "calibrated")

#: Columns of the probabilities of intervals that end at the exact value, by method.
LEVEL_COLUMNS = {"calibrated": "level", "pops": "pops_level"}

#: Columns that all tables of predictions have, also those of earlier versions.
REQUIRED_COLUMNS = [*OF_CONFIGURATION, "prediction", "std", "fold", "split", "stage", *MODEL]

#: Columns of intervals, which tables of earlier versions may lack.
UNCERTAINTY_COLUMNS = [
    *(end for method, of_method in INTERVALS.items() for ends in of_method.values() for end in ends),
    *LEVEL_COLUMNS.values(),
]

#: All columns, in their order.
PREDICTION_COLUMNS = [*REQUIRED_COLUMNS, *UNCERTAINTY_COLUMNS, "domain"]

#: Types in files, of required columns and of the others.
_TYPES: dict[str, type] = dict.fromkeys(REQUIRED_COLUMNS, str)
_TYPES |= dict.fromkeys(["n_atoms", "n_sites", "fold"], int)
_TYPES |= dict.fromkeys(["formation_entropy", "prediction", "std"], float)
_OPTIONAL_TYPES: dict[str, type] = dict.fromkeys(UNCERTAINTY_COLUMNS, float) | {"domain": str}


def predictions_table(
    table: pd.DataFrame, predicted: pd.DataFrame, *, stage: str, descriptor: str, regressor: str, split: str = ""
) -> pd.DataFrame:
    """Put predictions beside the configurations they belong to.

    Parameters
    ----------
    table : pandas.DataFrame
        Of configurations, each with the role of its data set.
    predicted : pandas.DataFrame
        Columns prediction, std (k_B) and, from a cross-validation, fold; any of those of uncertainty. Rows in the
        order of `table`.
    stage : str
        One of `STAGES`.
    descriptor, regressor : str
        As in the configuration of the run.
    split : str
        One of `vibentropy.learning.folds.SPLITS` for a cross-validation, empty otherwise.

    Returns
    -------
    pandas.DataFrame
        With the columns that the module lists.

    Raises
    ------
    DataError
        If the tables do not have the same number of rows, or the stage is unknown.
    """
    if stage not in STAGES:
        raise DataError(f"stage {stage!r} is none of {', '.join(STAGES)}")
    if len(table) != len(predicted):
        raise DataError(f"{len(predicted)} predictions for {len(table)} configurations")
    return (
        table[OF_CONFIGURATION]
        .assign(
            prediction=predicted["prediction"].to_numpy(),
            std=predicted["std"].to_numpy(),
            fold=predicted["fold"].to_numpy() if "fold" in predicted else -1,
            split=split,
            stage=stage,
            descriptor=descriptor,
            regressor=regressor,
            **{name: predicted[name].to_numpy() if name in predicted else np.nan for name in UNCERTAINTY_COLUMNS},
            domain=predicted["domain"].to_numpy() if "domain" in predicted else "",
        )
        .reset_index(drop=True)
    )


def load_predictions(*paths: Path | str) -> pd.DataFrame:
    """Read tables of predictions that `save_table` wrote as CSV, one after the other.

    Parameters
    ----------
    *paths : path-like

    Returns
    -------
    pandas.DataFrame
        The same values and types: a class without a name or one named ``None`` is text, not a missing value. Columns
        of uncertainty that the tables of older runs lack are NaN.

    Raises
    ------
    DataError
        As `vibentropy.files.tables.read_table`.
    """
    table = read_table(*paths, columns=_TYPES, optional=_OPTIONAL_TYPES, kind="a table of predictions")
    return table[PREDICTION_COLUMNS]
