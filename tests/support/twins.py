"""Alloys of copies of iron: what an element is called must not matter, and sums over elements are those of iron."""

from dataclasses import replace

import numpy as np

from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.embedded_functions import smooth_functions


def twins(iron, names=("Fe", "Cr"), masses=(55.845, 52.0, 50.0)):
    """An alloy of copies of iron, with masses of their own."""
    table, n = iron.table, len(names)
    table = replace(
        table,
        elements=tuple(names),
        masses=masses[:n],
        lattice_constants=table.lattice_constants * n,
        structures=table.structures * n,
        embedding=np.repeat(table.embedding, n, axis=0),
        density=np.tile(table.density, (n, n, 1)),
        r_times_pair=np.tile(table.r_times_pair, (n, n, 1)),
        style="eam/fs",
    )
    return Potential(table, smooth_functions(table))
