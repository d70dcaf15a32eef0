"""The table of the potentials that LAMMPS ships, as Markdown for the documentation."""

from collections.abc import Hashable, Mapping
from math import isnan
from typing import Any

import pandas as pd

#: Lines of a page that the table stands between.
BEGIN, END = "<!-- begin potentials -->", "<!-- end potentials -->"

#: How far (eV per atom) another crystal has to be below for the table to say so: many potentials do not tell fcc and
#: hcp apart.
_NOTICEABLE = 1e-3

#: Letters of a message after which no further clause of it is shown.
_LONG = 100

_HEADER = ("file", "pair style", "crystal", "a (Å)", "sites", "E_f (eV)", "S_f (k_B)", "route", "remarks")
_LEFT = ("file", "pair style", "crystal", "route", "remarks")


def potentials_page(table: pd.DataFrame) -> str:
    """Describe the potentials that LAMMPS ships in Markdown.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns of `vibentropy.studies.shipped_potentials`.

    Returns
    -------
    str
        How many give labels, one row for each potential whose crystal is one of the four, and a list of the others.
    """
    rows = table.to_dict("records")
    tried = [row for row in rows if row["crystal"]]
    labelled = [row for row in tried if not isnan(row["formation_entropy"])]
    analytic = sum(row["route"] == "analytic" for row in labelled)
    lines = [
        f"{len(labelled)} of {len(tried)} potentials give a label, {analytic} of them with an analytic Hessian.",
        "",
        f"| {' | '.join(_HEADER)} |",
        f"| {' | '.join('---' if name in _LEFT else '--:' for name in _HEADER)} |",
        *(f"| {' | '.join(_cells(row))} |" for row in tried),
    ]
    left: dict[str, list[str]] = {}
    for row in rows:
        if not row["crystal"]:
            left.setdefault(row["reason"], []).append(_file(row))
    lines += ["", "Not tried:", ""] if left else []
    lines += [f"- {reason}: {', '.join(files)}" for reason, files in left.items()]
    return "\n".join(lines) + "\n"


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    """Cells of a row."""
    a = _fixed(row["a"], 4) + (f", c/a {row['c_over_a']:.4f}" if not isnan(row["c_over_a"]) else "")
    entropy = _fixed(row["formation_entropy"], 3)
    if not isnan(row["formation_entropy_uncertainty"]):
        entropy += f" ± {_rounded(row['formation_entropy_uncertainty'])}"
    sites = "" if pd.isna(row["n_sites"]) else f"{row['n_sites']}"
    energy = _fixed(row["formation_energy"], 3)
    return [_file(row), row["pair_style"], row["crystal"], a, sites, energy, entropy, row["route"], _remarks(row)]


def _file(row):
    """Name of a file, its element, and what that is called there if not by its symbol."""
    named = row["record"] if row["record"] != row["element"] else ""
    return " ".join(part for part in (f"`{row['file']}`", row["element"], f"(`{named}`)" if named else "") if part)


def _fixed(value, digits):
    return "" if isnan(value) else f"{value:.{digits}f}"


def _rounded(uncertainty):
    """One digit, at least 0.0001."""
    return f"{uncertainty:.1g}" if uncertainty >= 1e-4 else "0.0001"


def _remarks(row):
    """Say what is behind a label, or why there is none."""
    remarks = [row["note"], _beginning(row["reason"])]
    if row["above_lowest"] > _NOTICEABLE:
        remarks.insert(0, f"{row['lowest_crystal']} is {1000 * row['above_lowest']:.0f} meV per atom lower")
    return "; ".join(remark.replace("|", "/") for remark in remarks if remark)


def _beginning(message):
    """Take as many clauses of a message as are short together: what is wrong comes first, what to do about it last."""
    first, *others = message.split("; ")
    for clause in others:
        if len(first) + len(clause) > _LONG:
            break
        first += f"; {clause}"
    return first
