"""The perfect crystal that a defective cell is compared with: checks of the pair, and counting of sites."""

import numpy as np
from ase import Atoms
from scipy.linalg import polar
from scipy.spatial import cKDTree

from vibentropy.atoms.lattice_sites import lattice_sites
from vibentropy.errors import StructureError

#: How far the volume of a cell may be from that of a whole number of sites: in sites, and relative to their number.
#: Users give lattice constants with few digits.
SITE_TOLERANCE, RELATIVE_SITE_TOLERANCE = 0.05, 1e-7

#: Cells of fewer atoms are taken for unit cells, which no shorter translation needs to map onto themselves.
SMALLEST_BUILT = 9

#: How far (Å) atoms of a perfect crystal may be from where a translation takes others, and how many translations from
#: the first atom to another are tried: the shortest in units of the cell.
TRANSLATION_TOLERANCE, TRANSLATIONS = 0.02, 400

#: Atoms that a translation is tried on first.
_FEW = 32

#: How far (Å) components of the vectors of a cell may be from those of the perfect crystal's.
CELL_TOLERANCE = 1e-3

#: Lengths and angles of a cell, and how many digits they are said with.
_CELL_PARAMETERS = [
    *((f"length {name} (Å)", ".4f") for name in "abc"),
    *((f"angle {name} (degrees)", ".3f") for name in ("alpha", "beta", "gamma")),
]


def count_sites(atoms: Atoms, volume_per_site: float, crystal: str, remedy: str) -> int:
    """Count the sites of the perfect crystal in a cell, and check that its volume is that of so many.

    Sites are counted by the lattice of the atoms (`vibentropy.atoms.lattice_sites`), as volumes do not tell a lattice
    constant that is off by whole sites; by the volume where the atoms show no lattice.

    Parameters
    ----------
    atoms : ase.Atoms
    volume_per_site : float, Å³
    crystal, remedy : str
        For the message: what the crystal is called, and what the user can do.

    Returns
    -------
    int

    Raises
    ------
    StructureError
        If the volume is not that of these sites, within `SITE_TOLERANCE` or `RELATIVE_SITE_TOLERANCE`.
    """
    sites = atoms.cell.volume / volume_per_site
    lattice = lattice_sites(atoms)
    number = round(sites) if lattice is None else lattice.number
    if abs(sites - number) > max(SITE_TOLERANCE, RELATIVE_SITE_TOLERANCE * sites):
        expected = "a whole number" if lattice is None else f"{number}, as many as its atoms show"
        if lattice is not None and lattice.constant():
            of_crystal = (number * volume_per_site / atoms.cell.volume) ** (1 / 3)
            expected += f" ({lattice.constant()} in the cell, {lattice.constant(of_crystal)} in that crystal)"
        raise StructureError(
            f"the cell has the volume of {sites:.3f} sites of {crystal}, expected {expected}: {remedy}"
        )
    return number


def count_reference_sites(atoms: Atoms, reference: Atoms) -> int:
    """Count the sites of a reference crystal in a cell, and check that its volume is that of so many.

    Parameters
    ----------
    atoms : ase.Atoms
    reference : ase.Atoms
        Perfect crystal, any number of cells.

    Returns
    -------
    int

    Raises
    ------
    StructureError
        As `count_sites`.
    """
    return count_sites(
        atoms,
        reference.cell.volume / len(reference),
        "the reference crystal",
        "is `reference` the crystal of these cells, with the same lattice and the same strain?",
    )


def repeats(crystal: Atoms) -> bool:
    """Whether some translation shorter than a cell takes all of its atoms to others of their element.

    Parameters
    ----------
    crystal : ase.Atoms
        Periodic. Cells of fewer than `SMALLEST_BUILT` atoms are taken for units of a crystal.

    Returns
    -------
    bool
    """
    if len(crystal) < SMALLEST_BUILT:
        return True
    # A coordinate that rounds up to one is zero.
    scaled = crystal.get_scaled_positions() % 1.0 % 1.0
    tree = cKDTree(scaled, boxsize=1.0)
    reach = TRANSLATION_TOLERANCE / np.linalg.svd(crystal.cell[:], compute_uv=False)[-1]
    _, nearest = tree.query(scaled[0], min(TRANSLATIONS, len(crystal)))

    def maps(vector, some):
        """Whether a translation takes some of the atoms to others of their element."""
        distances, image = tree.query((scaled[some] + vector) % 1.0 % 1.0, distance_upper_bound=reach)
        found = np.isfinite(distances)
        return found.all() and (crystal.numbers[image] == crystal.numbers[some]).all()

    # In random alloys, most translations fail for the first few atoms.
    first, all_atoms = slice(_FEW), slice(None)
    return any(maps(v, first) and maps(v, all_atoms) for v in scaled[nearest[1:]] - scaled[0])


def check_perfect(crystal: Atoms) -> None:
    """Check that a reference cell is a perfect crystal, as `repeats` finds out.

    Parameters
    ----------
    crystal : ase.Atoms

    Raises
    ------
    StructureError
        If none of the shortest translations from one atom to another does, so that the cell holds a defect.
    """
    if not repeats(crystal):
        raise StructureError(
            f"no translation maps its {len(crystal)} atoms onto each other, expected the perfect crystal: is it a cell "
            "with a defect? (One unit of a crystal with many atoms: repeat it.)"
        )


def crystal_in_cell(atoms: Atoms, bulk: Atoms, tolerance: float = CELL_TOLERANCE) -> Atoms:
    """Check that a defective cell is that of its perfect crystal, which may be turned in space.

    Parameters
    ----------
    atoms, bulk : ase.Atoms
    tolerance : float
        Largest difference between components of cell vectors, Å.

    Returns
    -------
    ase.Atoms
        `bulk`, or a copy of it that is turned as `atoms` are: entropies do not depend on how a cell lies in space, and
        LAMMPS turns cells into its own axes.

    Raises
    ------
    StructureError
        Naming the lengths and angles that differ.
    """
    if np.abs(atoms.cell[:] - bulk.cell[:]).max() <= tolerance:
        return bulk
    # The rotation that brings the vectors closest together (Kabsch, Acta Cryst. A 32, 922 (1976)).
    overlap = bulk.cell[:].T @ atoms.cell[:]
    turn = polar(overlap)[0] if np.isfinite(overlap).all() else np.eye(3)
    if not np.abs(atoms.cell[:] - bulk.cell[:] @ turn).max() <= tolerance:
        raise StructureError(
            f"the cell is not that of the perfect crystal: {_differences(atoms.cell, bulk.cell, tolerance)}; formation "
            "entropies compare both in the same cell: relax at fixed cell, or give the perfect crystal in this one"
        )
    turned = bulk.copy()
    turned.set_cell(bulk.cell[:] @ turn)
    turned.positions = bulk.positions @ turn
    return turned


def _differences(cell, expected, tolerance):
    """Lengths and angles that differ, in words; all of them where none does by itself."""
    found, perfect = cell.cellpar(), expected.cellpar()
    # What an angle that is off moves the end of a vector by.
    moved = np.abs(found - perfect) * [1, 1, 1, *[np.radians(perfect[:3].max())] * 3]
    differing = np.flatnonzero(moved > tolerance) if (moved > tolerance).any() else range(6)
    return ", ".join(
        f"{name} is {found[k]:{form}} and should be {perfect[k]:{form}}"
        for k, (name, form) in enumerate(_CELL_PARAMETERS)
        if k in differing
    )
