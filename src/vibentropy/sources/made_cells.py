"""Cells that a run makes beside its crystal, at rest: references of solutes, and arrangements of random alloys.

`vibentropy.sources.references` and `vibentropy.sources.random_alloys` say which; where their files lie, how they come
to rest, and what their tables hold is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.potentials.relaxation import relax

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.atoms.crystal import Crystal
    from vibentropy.potentials.protocols import Interaction

#: Names of the files beside that of the crystal.
REFERENCES, RANDOM_CELLS = "references.h5", "random_cells.h5"

#: Atoms begin so far off their sites (Å), so that none rests on a saddle.
_JITTER = 0.02


def beside(lattice: Path | str, name: str) -> Path:
    """Name the file of made cells that belongs to the file of a crystal.

    Parameters
    ----------
    lattice : path-like
    name : str
        `REFERENCES` or `RANDOM_CELLS`.

    Returns
    -------
    pathlib.Path
    """
    return Path(lattice).with_name(name)


def at_rest(atoms: Atoms, potential: Interaction) -> Atoms:
    """Relax the atoms of a cell from slightly off its sites, so that they do not stay where symmetry holds them.

    Parameters
    ----------
    atoms : ase.Atoms
        On the sites of a crystal; lengths in Å.
    potential : vibentropy.potentials.protocols.Interaction

    Returns
    -------
    ase.Atoms
        A copy.

    Raises
    ------
    NotConvergedError
        If the atoms do not come to rest.
    """
    atoms = atoms.copy()
    moved = _JITTER * np.random.default_rng(0).standard_normal((len(atoms), 3))
    atoms.positions += moved - moved.mean(axis=0)
    return relax(atoms, potential)


def as_set(
    dataset: str, cells: Iterable[tuple[Atoms, Mapping[str, Any]]], crystal: Crystal, potential: Interaction
) -> ConfigurationSet:
    """Put cells at rest into a set, with their energies (eV) and largest forces (eV/Å).

    Parameters
    ----------
    dataset : str
        Name of the set.
    cells : iterable of (ase.Atoms, dict)
        Each with the columns of `vibentropy.datasets.table` that are its own; ``trajectory`` is its name in the set.
    crystal : Crystal
        Of the run, which the attributes are of.
    potential : vibentropy.potentials.protocols.Interaction

    Returns
    -------
    ConfigurationSet
        In their order; the id of each is the name of the set and its own.
    """
    frames, rows = [], []
    for atoms, columns in cells:
        energy, forces = potential.energy_and_forces(atoms)
        frames.append(atoms)
        rows.append(
            {
                "id": f"{dataset}/{columns['trajectory']}",
                "dataset": dataset,
                "n_sites": len(atoms),
                "energy": energy,
                "max_force": np.linalg.norm(forces, axis=1).max(),
                "status": Status.RELAXED,
                **columns,
            }
        )
    return ConfigurationSet(frames, pd.DataFrame(rows), crystal.facts)
