"""Job that reports free energies and concentrations of the lowest minima, and energy against entropy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.files.atomic import atomic
from vibentropy.files.tables import save_table
from vibentropy.report.figures.style import save_figure
from vibentropy.report.figures.thermodynamics import compensation_figure, free_energy_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import checksums, origin
from vibentropy.sources.source import source_of
from vibentropy.studies.complexes import Minimum, bindings, lone_solutes
from vibentropy.studies.multiplicity import multiplicity
from vibentropy.studies.solutes import dilute, species
from vibentropy.studies.thermodynamics import compensation, equilibrium, lowest_minima

#: Temperatures at which concentrations are given, from the lowest to the highest that are asked for.
N_TEMPERATURES = 61


class Outputs(Protocol):
    """Files of the thermodynamics to write; `checksums` are those of the others.

    Where contents of solutes are given there are `solutes` and `solutes_page`, too.
    """

    equilibrium: str
    equilibrium_page: str
    compensation: str
    compensation_page: str
    binding: str
    binding_page: str
    free_energy: str
    free_energy_pdf: str
    compensation_png: str
    compensation_pdf: str
    solutes: str
    solutes_page: str
    checksums: str

    def __iter__(self) -> Any:
        """Paths of all files."""


def thermodynamics(
    configurations: str | Path,
    lattice: str | Path,
    output: Outputs,
    *,
    settings: Mapping[str, Any],
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
    settings : dict
        ``lowest`` and ``highest`` temperature, K, and contents of ``solutes``: `thermodynamics` of the configuration.
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

    sources = {name: source_of(name, datasets[name]) for name in dict.fromkeys(table["dataset"])}
    perfect = {name: source.perfect(lattice) for name, source in sources.items()}

    def cells(rows):
        """Read the configurations of rows of the table, and the perfect crystal in the cell of each."""
        frames = ConfigurationSet.load(configurations, rows.index.to_numpy()).frames
        named = zip(frames, rows.to_dict("records"), strict=True)
        return frames, [perfect[row["dataset"]](row, atoms.cell) for atoms, row in named]

    minima = lowest_minima(table)
    multiplicities = [multiplicity(*pair) for pair in zip(*cells(minima), strict=True)]
    span = np.linspace(settings["lowest"], settings["highest"], N_TEMPERATURES).tolist()
    rows = equilibrium(minima, multiplicities, span)
    solutes = settings["solutes"]
    # Where some are bound by solutes all minima count, and for what binds the lowest the lowest in cells of each size.
    parts = table[table["formation_energy"].notna()]
    if not solutes:
        parts = parts.loc[parts.groupby(["dataset", "n_sites", "defect_class"])["formation_energy"].idxmin()]
    frames, crystals = cells(parts)
    found = [Minimum.of(*of_one) for of_one in zip(parts.to_dict("records"), frames, crystals, strict=True)]
    lone = _lone_solutes(sources, lattice, parts, crystals)
    save_table(bindings(found, lone), output.binding)
    write_page(output.binding, output.binding_page, "Binding energies and entropies, by class")
    if solutes:
        members = species(found, lone, solutes)
        counts = [multiplicity(one.atoms, one.crystal) for one in members]
        save_table(dilute(members, counts, solutes, span), output.solutes)
        write_page(output.solutes, output.solutes_page, "Defects in the dilute alloy")
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


def _lone_solutes(sources, lattice, minima, crystals):
    """Find the lone solutes among the references of data sets: those of the first, as all of a run share them."""
    for dataset, crystal in zip(minima["dataset"], crystals, strict=True):
        if others := sources[dataset].others(lattice):
            return lone_solutes(ReferenceCells.of([crystal, *others]))
    return []
