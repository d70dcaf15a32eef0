"""Job that reports free energies and concentrations of the lowest minima, and energy against entropy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.files.atomic import atomic
from vibentropy.files.tables import save_table
from vibentropy.report.figures.style import save_figure
from vibentropy.report.figures.thermodynamics import compensation_figure, free_energy_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import checksums, origin
from vibentropy.sources.source import source_of
from vibentropy.studies.multiplicity import multiplicity
from vibentropy.studies.thermodynamics import compensation, equilibrium, lowest_minima

#: Temperatures at which concentrations are given, from the lowest to the highest that are asked for.
N_TEMPERATURES = 61


class Outputs(Protocol):
    """Files of the thermodynamics to write; `checksums` are those of the others."""

    equilibrium: str
    equilibrium_page: str
    compensation: str
    compensation_page: str
    free_energy: str
    free_energy_pdf: str
    compensation_png: str
    compensation_pdf: str
    checksums: str

    def __iter__(self) -> Any:
        """Paths of all files."""


def thermodynamics(
    configurations: str | Path,
    lattice: str | Path,
    output: Outputs,
    *,
    temperatures: Mapping[str, float],
    datasets: Mapping[str, Mapping[str, Any]],
    exclude_duplicates: bool,
    config: Mapping[str, Any],
) -> None:
    """Write tables, pages and figures of the thermodynamics of defects.

    Parameters
    ----------
    configurations : path-like
        Of all data sets, as written by `vibentropy.datasets.merge.merge`.
    lattice : path-like
        File of the crystal that recipes start from; not read where there are none.
    output : Outputs
    temperatures : dict
        ``lowest`` and ``highest``, K.
    datasets : dict of dict
        Specifications of the data sets by name, as in the configuration of a run.
    exclude_duplicates : bool
        See `vibentropy.datasets.table.usable`.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    """
    source = origin(config, ["thermodynamics"])
    table = load_table(configurations)
    table = table[usable(table, exclude_duplicates) & (table["role"] == "train")]

    minima = lowest_minima(table)
    frames = ConfigurationSet.load(configurations, minima.index.to_numpy()).frames
    perfect = {name: source_of(name, datasets[name]).perfect(lattice) for name in set(minima["dataset"])}
    crystals = [
        perfect[row["dataset"]](row, atoms.cell) for atoms, row in zip(frames, minima.to_dict("records"), strict=True)
    ]
    multiplicities = [multiplicity(*pair) for pair in zip(frames, crystals, strict=True)]
    rows = equilibrium(
        minima, multiplicities, np.linspace(temperatures["lowest"], temperatures["highest"], N_TEMPERATURES).tolist()
    )
    lines = compensation(table)
    save_table(rows, output.equilibrium)
    write_page(output.equilibrium, output.equilibrium_page, "Free energies and equilibrium concentrations")
    save_table(lines, output.compensation)
    write_page(output.compensation, output.compensation_page, "Energy against entropy, by class")
    save_figure(free_energy_figure(rows), output.free_energy, output.free_energy_pdf, source=source)
    figure = compensation_figure(table[table["formation_energy"].notna()], lines)
    save_figure(figure, output.compensation_png, output.compensation_pdf, source=source)
    with atomic(output.checksums) as path:
        path.write_text(checksums(set(output) - {output.checksums}, path.parent), encoding="utf-8")
