"""The perfect crystal that belongs to each cell of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms

from vibentropy.atoms.checks import check_crystal, check_one_element
from vibentropy.atoms.crystal import Crystal
from vibentropy.atoms.neighbours import check_sites
from vibentropy.atoms.reading import read_frames
from vibentropy.atoms.reference import check_perfect
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import DataError, at

if TYPE_CHECKING:
    from vibentropy.sources.source import Perfect, Source


def reference_cell(path: Path | str, file_format: str | None = None, element: str | None = None) -> Atoms:
    """Read a file with a cell that configurations are compared with, of any elements.

    Parameters
    ----------
    path : path-like
    file_format : str, optional
        ASE's name of the format where the file does not tell.
    element : str, optional
        Chemical symbol of all atoms of a file of LAMMPS that says their types only.

    Returns
    -------
    ase.Atoms
        As ASE reads it, with what the file says about it.

    Raises
    ------
    DataError
        If the file is missing, cannot be read, or holds more than one configuration.
    StructureError
        If it is no periodic crystal, or has two atoms on one site.
    """
    frames = list(read_frames(path, file_format, element=element))
    if len(frames) != 1:
        raise DataError(f"holds {len(frames)} configurations, expected one", path)
    with at(path):
        check_crystal(frames[0])
        check_sites(frames[0])
    return frames[0]


def reference_crystal(path: Path | str, file_format: str | None = None, element: str | None = None) -> Atoms:
    """Read a file with the perfect crystal that configurations are compared with.

    Parameters
    ----------
    path, file_format, element
        As of `reference_cell`.

    Returns
    -------
    ase.Atoms
        As ASE reads it, with what the file says about it.

    Raises
    ------
    DataError, StructureError
        As `reference_cell`; or if it is not of one element, or has a defect.
    """
    crystal = reference_cell(path, file_format, element)
    with at(path):
        check_one_element(crystal)
        check_perfect(crystal)
    return crystal


def read_references(
    paths: Sequence[Path | str], file_format: str | None = None, element: str | None = None
) -> list[Atoms]:
    """Read the cells that configurations are compared with, the perfect crystal first.

    Parameters
    ----------
    paths : sequence of path-like
        One file for each element.
    file_format : str, optional
        As of `reference_cell`.
    element : str, optional
        As of `reference_cell`; for one path only.

    Returns
    -------
    list of ase.Atoms

    Raises
    ------
    DataError, StructureError
        As `reference_crystal` for one path and `reference_cell` for several; or if these do not determine what an atom
        of each element counts.
    """
    if len(paths) == 1:
        return [reference_crystal(paths[0], file_format, element)]
    cells = [reference_cell(path, file_format) for path in paths]
    ReferenceCells.of(cells)  # Which checks that they belong together.
    return cells


def smallest_references(sources: Iterable[Source], lattice: Path | str) -> list[Atoms]:
    """Find the references of the smallest cell in which labels are computed.

    Parameters
    ----------
    sources : iterable of vibentropy.sources.source.Source
        Data sets without given entropies.
    lattice : path-like
        File of the `Crystal` that recipes start from; not read where there are none.

    Returns
    -------
    list of ase.Atoms
        The perfect crystal, that of a file where one of a recipe is as small; then those of `Source.others`.
    """
    candidates = [(source, source.smallest(lattice)) for source in sorted(sources, key=lambda s: s.generated)]
    source, crystal = min(candidates, key=lambda candidate: len(candidate[1]))
    return [crystal, *source.others(lattice)]


def filled(crystal: Crystal) -> Perfect:
    """Find the perfect crystal for cells that are so many unit cells of one crystal.

    Parameters
    ----------
    crystal : Crystal

    Returns
    -------
    callable
        As from `vibentropy.sources.source.Source.perfect`, for rows with ``repetitions`` (``8x8x8``).
    """

    def perfect_crystal(row, cell=None):
        repetitions = [int(n) for n in row["repetitions"].split("x")]
        return crystal.cell(repetitions) if cell is None else crystal.filling(cell, repetitions)

    return perfect_crystal


def same_for_all(perfect: Atoms) -> Perfect:
    """Find the perfect crystal of data sets with one reference, whatever the row and the cell.

    Parameters
    ----------
    perfect : ase.Atoms

    Returns
    -------
    callable
        As from `vibentropy.sources.source.Source.perfect`.
    """
    return lambda row, cell=None: perfect
