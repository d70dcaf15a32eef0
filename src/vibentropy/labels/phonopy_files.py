"""The Hessian of a configuration as files that phonopy reads: `FORCE_CONSTANTS` and `phonopy.yaml`.

The cell is phonopy's supercell, its unit cell and its primitive cell at once: its modes at Γ are those of the label.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms

from vibentropy.atoms.checks import check_crystal, element_indices
from vibentropy.files.atomic import atomic
from vibentropy.potentials.protocols import Interaction

#: Names that phonopy looks for.
FORCE_CONSTANTS, CELL = "FORCE_CONSTANTS", "phonopy.yaml"


def write_phonopy(folder: str | Path, atoms: Atoms, potential: Interaction) -> None:
    """Write the Hessian of a configuration, its cell and its masses for phonopy.

    Parameters
    ----------
    folder : path-like
        Made where it is not there. The file of the Hessian takes 200 MB for 1000 atoms, four times as much for 2000.
    atoms : ase.Atoms
        Periodic and at rest; a saddle is written as well.
    potential : Interaction
        Such as from `vibentropy.load_potential`.

    Raises
    ------
    StructureError
        If the configuration is not periodic.
    VibentropyError
        If the potential does not cover its elements, or as `Interaction.hessian`.
    """
    check_crystal(atoms)
    element_indices(atoms, potential.elements)
    masses = dict(zip(potential.elements, potential.masses, strict=True))
    hessian = potential.hessian(atoms)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / FORCE_CONSTANTS) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(_lines(hessian, len(atoms)))
    with atomic(folder / CELL) as temporary:
        temporary.write_text(yaml.safe_dump(_described(atoms, masses), sort_keys=False), encoding="utf-8")


def _lines(hessian: Any, n_atoms: int) -> Iterator[str]:
    """Lines of the force constants, three rows of the matrix in memory at a time beside itself."""
    rows = hessian.tocsr() if hasattr(hessian, "tocsr") else np.asarray(hessian)
    yield f"{n_atoms:4d} {n_atoms:4d}\n"
    for first in range(n_atoms):
        three = rows[3 * first : 3 * first + 3]
        dense = three.toarray() if hasattr(three, "toarray") else three
        for second in range(n_atoms):
            yield f"{first + 1} {second + 1}\n"
            for row in dense[:, 3 * second : 3 * second + 3]:
                yield "{:22.15f}{:22.15f}{:22.15f}\n".format(*row)


def _described(atoms, masses):
    """Describe a cell and the units to phonopy."""
    points = [
        {"symbol": symbol, "coordinates": place.tolist(), "mass": float(masses[symbol])}
        for symbol, place in zip(atoms.symbols, atoms.get_scaled_positions(), strict=True)
    ]
    cell = {"lattice": atoms.cell[:].tolist(), "points": points}
    one = np.eye(3, dtype=int).tolist()
    return {
        "physical_unit": {"atomic_mass": "AMU", "length": "angstrom", "force_constants": "eV/angstrom^2"},
        "supercell_matrix": one,
        "primitive_matrix": np.eye(3).tolist(),
        "primitive_cell": cell,
        "unit_cell": cell,
        "supercell": cell,
    }
