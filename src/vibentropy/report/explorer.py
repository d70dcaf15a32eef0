"""Interactive page of a run: a map of its configurations beside the atoms around their defects, without a network.

The page is drawn by chemiscope (G. Fraux, R. K. Cersonsky, M. Ceriotti, J. Open Source Softw. 5, 2117 (2020)), whose
program for browsers comes in its Python package and is copied into the page, compressed like the data. A cell is cut to
the atoms around its defects: all 2000 configurations of a run together stay below 20 MB.
"""

import base64
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vibentropy.errors import DataError
from vibentropy.evaluation.predictions import MODEL
from vibentropy.files.atomic import atomic
from vibentropy.learning.folds import main_split
from vibentropy.report.figures.style import models_with_room
from vibentropy.report.viewer import viewer_files

if TYPE_CHECKING:
    from vibentropy.atoms.surroundings import Surroundings

#: Most configurations, models and atoms of all configurations together on a page.
MAX_CONFIGURATIONS, MAX_MODELS, MAX_ATOMS = 2000, 9, 400_000

#: What the shares of atoms are called that are no prediction.
EXACT = "exact share"

#: Digits of lengths (Å) and of entropies (k_B) on the page.
LENGTH_DIGITS, ENTROPY_DIGITS = 2, 4

#: Chemiscope tells at most so many values of a text apart, by symbols.
MAX_SYMBOLS = 20

#: Name of the spheres that are drawn where atoms are missing.
EMPTY = "empty sites"

#: Part of the values that a colour scale spans.
SPANNED = 0.98


def shown_configurations(predictions: pd.DataFrame, most: int = MAX_CONFIGURATIONS) -> pd.DataFrame:
    """Choose what the page shows, and put the predictions of all models side by side.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of all models, as from `vibentropy.evaluation.predictions.load_predictions`.
    most : int
        Of more configurations, so many are taken evenly from their order.

    Returns
    -------
    pandas.DataFrame
        One row for each configuration that was held out or is of a test set: id, dataset, defect_class, n_atoms,
        formation_entropy (k_B), stage, and for each model ``descriptor/regressor`` its prediction (k_B), NaN where it
        has none. The best model comes first; not more than `MAX_MODELS`, by
        `vibentropy.report.figures.style.models_with_room`.

    Raises
    ------
    DataError
        If there are none.
    """
    held_out = predictions[predictions["stage"] == "cross-validation"]
    if len(held_out):
        held_out = held_out[held_out["split"] == main_split(held_out["split"].unique())]
    rows = pd.concat([held_out, predictions[predictions["stage"] == "test"]])
    if rows.empty:
        raise DataError("no configuration was held out or is of a test set, so there is nothing to explore")
    judged = rows if held_out.empty else held_out
    errors = (judged["prediction"] - judged["formation_entropy"]).abs()
    errors = errors.groupby([judged[name] for name in MODEL]).mean()
    models = sorted(models_with_room(rows, MAX_MODELS), key=lambda model: errors.get(model, np.inf))
    table = rows.drop_duplicates("id").set_index("id")
    table = table[["dataset", "defect_class", "n_atoms", "formation_entropy", "stage"]]
    for model in models:
        of_model = rows[(rows[MODEL] == list(model)).all(axis=1)].set_index("id")
        table["/".join(model)] = of_model["prediction"]
    chosen = np.unique(np.linspace(0, len(table) - 1, min(len(table), most)).round().astype(int))
    return table.iloc[chosen].reset_index()


def write_explorer(
    page: str | Path,
    table: pd.DataFrame,
    surroundings: Sequence["Surroundings"],
    shares: Mapping[str, Sequence[NDArray[np.float64] | None]],
    *,
    element: str,
    source: str,
    curves: str | Path | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    page : path-like
    table : pandas.DataFrame
        As from `shown_configurations`; a column ``formation_energy`` (eV) is shown as well.
    surroundings : sequence of Surroundings
        Of each row.
    shares : dict of sequence
        By what they are called, the shares (k_B) of the atoms of `surroundings` in the entropy of each row, None where
        they are not known. Those that come first colour the atoms.
    element : str
        Chemical symbol.
    source : str
        Where the page comes from, see `vibentropy.run.provenance.origin`.
    curves : path-like, optional
        PNG of learning curves, as `vibentropy.report.figures.learning_curves.learning_figure` draws them.

    Raises
    ------
    ConfigError
        As `viewer_files`.
    """
    from chemiscope import create_input

    script, licences = viewer_files()
    counts = ", ".join(f"{name} ({number})" for name, number in table.groupby("dataset", sort=False).size().items())
    about = f"{len(table)} cells of {element}, predicted by models that have not seen them: {counts}."
    cut = _longest([len(part.index) for part in surroundings], MAX_ATOMS)
    kept = [min(len(part.index), cut) for part in surroundings]
    of_atoms = _of_atoms(surroundings, shares, kept)
    of_configurations = _of_configurations(table, surroundings)
    views = _views(of_configurations, of_atoms, _models(table))
    dataset = create_input(
        [_structure(part, n) for part, n in zip(surroundings, kept, strict=True)],
        metadata={"name": "vibentropy", "description": about},
        properties={name: column | {"target": "structure"} for name, column in of_configurations.items()}
        | {name: column | {"target": "atom"} for name, column in of_atoms.items()},
        environments=[(number, atom, 3.5) for number, n in enumerate(kept) for atom in range(n)],
    )
    # Added afterwards: chemiscope's check refuses lists of spheres that are empty, which its program draws as none.
    dataset["shapes"] = _empty_sites(surroundings)
    filled = {
        "ABOUT": escape(about),
        "SOURCE": escape(source),
        "VERSION": escape(version("chemiscope")),
        "CURVES": "" if curves is None else _picture(Path(curves)),
        "LICENCES": escape(licences.read_text(encoding="utf-8")),
        "VIEWER": _packed(script.read_bytes()),
        # NaN is no JSON: the page makes it of what is null.
        "DATA": _packed(json.dumps({"dataset": _without_nan(dataset), "views": views}, allow_nan=False).encode()),
    }
    template = (files("vibentropy.report") / "explorer.html").read_text(encoding="utf-8")
    with atomic(page) as temporary:
        temporary.write_text(re.sub("@([A-Z]+)@", lambda name: filled[name[1]], template), encoding="utf-8")


def _models(table):
    """Columns of the predictions of models."""
    return [name for name in table if "/" in name]


def _longest(lengths, most):
    """Find at which length to cut so that no more than so many are left of all together."""
    lengths = np.sort(lengths)
    left = most - np.concatenate([[0], np.cumsum(lengths)[:-1]])
    cuts = left // np.arange(len(lengths), 0, -1)
    too_long = np.flatnonzero(cuts < lengths)
    return max(1, int(cuts[too_long[0]])) if len(too_long) else int(lengths[-1])


def _of_configurations(table, surroundings):
    """Properties of configurations, in the form of chemiscope."""
    sites = [part.sites for part in surroundings]
    columns: dict[str, dict[str, Any]] = {
        "exact entropy": _numbers(table["formation_entropy"], "k_B", "exact formation entropy, compared mode by mode"),
    }
    for model in _models(table):
        columns[f"predicted by {model}"] = _numbers(table[model], "k_B", "predicted without having seen it")
        columns[f"error of {model}"] = _numbers(
            table[model] - table["formation_entropy"], "k_B", "predicted minus exact"
        )
    vacancies = pd.Series([len(found.empty) if found else np.nan for found in sites], dtype=float)
    interstitials = pd.Series([found.interstitials if found else np.nan for found in sites], dtype=float)
    columns["point defects"] = _numbers(vacancies + interstitials, "", "vacancies and interstitials together")
    columns["vacancies"] = _numbers(vacancies, "", "sites without an atom")
    columns["interstitials"] = _numbers(interstitials, "", "atoms beyond one on each site")
    columns["atoms in the cell"] = _numbers(table["n_atoms"], "", "before it was cut to what is drawn")
    if "formation_energy" in table:
        columns["formation energy"] = _numbers(table["formation_energy"], "eV", "at rest")
    for name, column in (("data set", "dataset"), ("class", "defect_class"), ("stage", "stage"), ("id", "id")):
        columns[name] = {"values": [str(value) or "none" for value in table[column]]}
    return {name: column for name, column in columns.items() if not _unknown(column)}


def _of_atoms(surroundings, shares, kept):
    """Properties of the atoms that are drawn, in the form of chemiscope."""
    columns: dict[str, dict[str, Any]] = {}
    for name, of_cells in shares.items():
        parts = [np.full(n, np.nan) if of is None else of[:n] for of, n in zip(of_cells, kept, strict=True)]
        columns[name] = _numbers(np.concatenate(parts), "k_B", "share of the atom in the formation entropy")
    distances = [part.distances[:n] for part, n in zip(surroundings, kept, strict=True)]
    columns["distance from the defect"] = _numbers(
        np.concatenate(distances), "Å", "from the nearest empty site or atom that shares one"
    )
    return {name: column for name, column in columns.items() if not _unknown(column)}


def _numbers(values, units, description):
    """One property of numbers."""
    digits = LENGTH_DIGITS if units == "Å" else ENTROPY_DIGITS
    column = {"values": np.round(np.asarray(values, float), digits), "description": description}
    return column | ({"units": units} if units else {})


def _unknown(column):
    """Whether a property is a number that nothing has."""
    return isinstance(column["values"], np.ndarray) and np.isnan(column["values"]).all()


def _structure(part, n):
    """List the nearest atoms as chemiscope reads them."""
    x, y, z = np.round(part.atoms.positions[:n].T, LENGTH_DIGITS).tolist()
    cell = np.round(part.atoms.cell[:].ravel(), LENGTH_DIGITS).tolist()
    return {"size": n, "names": part.atoms.get_chemical_symbols()[:n], "x": x, "y": y, "z": z, "cell": cell}


def _empty_sites(surroundings):
    """Spheres where atoms are missing."""
    return {
        EMPTY: {
            "kind": "spheres",
            "parameters": {
                "global": {"radii": 0.45, "colors": "#222222"},
                "structure": [
                    {"centers": np.round(part.sites.empty, LENGTH_DIGITS).tolist() if part.sites else []}
                    for part in surroundings
                ],
            },
        }
    }


def _views(of_configurations, of_atoms, models):
    """Make the settings of chemiscope behind the buttons of the page, by their names."""
    spheres: dict[str, Any] = {"bonds": False, "shape": EMPTY}
    shares = [name for name, column in of_atoms.items() if column.get("units") == "k_B"]
    if shares:
        spheres["color"] = {"property": shares[0], "palette": "bwr"} | _span(of_atoms[shares[0]])
    best = f"error of {models[0]}"
    about_colour = {"palette": "bwr", "property": best} | _span(of_configurations[best])
    datasets = set(of_configurations["data set"]["values"])
    symbol = "data set" if 1 < len(datasets) <= MAX_SYMBOLS else ""

    def view(x, y, colour, symbol=symbol, target="structure"):
        axes = {"x": {"property": x}, "y": {"property": y}, "z": {"property": ""}}
        return {
            "target": target,
            "map": axes | {"color": colour, "symbol": symbol, "size": {"factor": 40}},
            "structure": [spheres],
        }

    views = {"Predicted against exact": view("exact entropy", f"predicted by {models[0]}", about_colour)}
    if "point defects" in of_configurations:
        views["Errors against defects"] = view(
            "point defects", best, {"palette": "viridis", "property": "exact entropy"}
        )
    if shares:
        exact_or_first = EXACT if EXACT in shares else shares[0]
        colour = {"palette": "bwr", "property": shares[0]} | _span(of_atoms[shares[0]])
        views["Shares of atoms"] = view("distance from the defect", exact_or_first, colour, "", "atom")
    return views


def _span(column):
    """Choose the ends of a scale of colours that is white at zero."""
    end = float(np.nanquantile(np.abs(column["values"]), SPANNED))
    return {"min": -end, "max": end} if end > 0 else {}


def _without_nan(dataset):
    """Put None in place of NaN."""
    for column in dataset["properties"].values():
        column["values"] = [None if value != value else value for value in column["values"]]
    return dataset


def _picture(path: Path) -> str:
    """Put a PNG into the page."""
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    words = "Mean absolute errors of the models against the number of configurations that they were fitted to"
    return f'<img alt="{words}" src="data:image/png;base64,{content}">'


def _packed(content: bytes) -> str:
    """Content that the page unpacks: compressed, without the time, and as text."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")
