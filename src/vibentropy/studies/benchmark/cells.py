"""Cells of all sizes that the benchmark measures: bcc iron with small random displacements."""

import gzip
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

#: Lattice constant of the cells and standard deviation of the displacements, Å.
A, DISPLACEMENT = 2.8553, 0.05


def crystal(n_cells: int) -> Atoms:
    """Make a cubic cell of bcc iron with random displacements, the same in every run.

    Parameters
    ----------
    n_cells : int
        Cubic cells of two atoms along each axis.

    Returns
    -------
    ase.Atoms
    """
    atoms = bulk("Fe", "bcc", a=A, cubic=True) * (n_cells, n_cells, n_cells)
    atoms.rattle(DISPLACEMENT, rng=np.random.default_rng(n_cells))
    return atoms


def crystal_file(n_cells: int) -> Any:
    """Write bcc iron with random displacements as compressed extended XYZ, without holding it in memory.

    Parameters
    ----------
    n_cells : int
        Cubic cells of two atoms along each axis.

    Returns
    -------
    temporary file
        With a `name`; it goes when nothing refers to it.
    """
    file, rng = NamedTemporaryFile(suffix=".xyz.gz"), np.random.default_rng(n_cells)  # noqa: SIM115
    layer = bulk("Fe", "bcc", a=A, cubic=True) * (n_cells, n_cells, 1)
    with gzip.open(file.name, "wt", compresslevel=1) as text:
        edge = n_cells * A
        text.write(f'{2 * n_cells**3}\nLattice="{edge} 0 0 0 {edge} 0 0 0 {edge}" Properties=species:S:1:pos:R:3\n')
        for height in A * np.arange(n_cells):
            positions = layer.positions + [0, 0, height] + rng.normal(scale=DISPLACEMENT, size=layer.positions.shape)
            text.writelines("Fe {:.8f} {:.8f} {:.8f}\n".format(*row) for row in positions.tolist())
    return file
