"""The perfect crystal that belongs to each cell of a data set."""

import math

from vibentropy.atoms.crystal import Crystal
from vibentropy.sources import archives, published_arrays
from vibentropy.sources.file_shards import reference_crystal


def smallest_crystal(datasets, lattice):
    """Build the perfect crystal of the smallest cell in which labels are computed.

    Parameters
    ----------
    datasets : dict of str to dict
        Specifications of the data sets without given entropies.
    lattice : path-like
        File of the `Crystal` that recipes start from; not read where there are none.

    Returns
    -------
    ase.Atoms
    """
    cells = [tuple(cell) for dataset in datasets.values() for cell in dataset.get("recipe", {}).get("cells", [])]
    crystals = [reference_crystal(dataset) for dataset in datasets.values() if "recipe" not in dataset]
    if cells:
        crystals.append(Crystal.load(lattice).cell(min(cells, key=math.prod)))
    return min(crystals, key=len)


def perfect_crystals(specification, lattice):
    """Find the perfect crystal that belongs to a configuration of a data set.

    Parameters
    ----------
    specification : dict
        Of the data set, as in the configuration of a run.
    lattice : path-like
        File of the `Crystal` that recipes start from; not read where the data set has a reference of its own.

    Returns
    -------
    callable
        From a row of the table of configurations, and optionally a strained cell, to the perfect crystal in that cell
        (ase.Atoms). Files have one reference, whatever the cell.
    """
    if "recipe" in specification:
        crystal = Crystal.load(lattice)
    elif "archive" in specification:
        crystal = archives.crystal_of(specification["archive"])
    else:
        arrays = specification.get("arrays")
        perfect = published_arrays.published_crystal(arrays) if arrays else reference_crystal(specification)
        return lambda row, cell=None: perfect

    return filled(crystal)


def filled(crystal):
    """Find the perfect crystal for cells that are so many unit cells of one crystal.

    Parameters
    ----------
    crystal : Crystal

    Returns
    -------
    callable
        As from `perfect_crystals`, for rows with ``repetitions`` (``8x8x8``).
    """

    def perfect_crystal(row, cell=None):
        repetitions = [int(n) for n in row["repetitions"].split("x")]
        return crystal.cell(repetitions) if cell is None else crystal.filling(cell, repetitions)

    return perfect_crystal


def unstrained_crystal(specification, lattice):
    """Find the perfect crystal that a model of a data set is relative to.

    Parameters
    ----------
    specification, lattice
        See `perfect_crystals`.

    Returns
    -------
    ase.Atoms
        Of one size for all data sets that are not files: descriptors on a grid depend on it.
    """
    return perfect_crystals(specification, lattice)({"repetitions": "4x4x4"})
