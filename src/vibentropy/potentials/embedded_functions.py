"""The three functions of an embedded-atom potential, made smooth from their tables."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.potentials.setfl import SetflTable
from vibentropy.potentials.splines import SmoothFunction, fit_finer, fit_table, rounding_noise

#: Distances below this (Å) are not represented: tables are seldom smooth there, and no crystal has them.
R_MIN = 1.5

#: Densities below this many table steps are not represented: F contains sqrt(ρ), whose derivatives diverge at 0.
_MIN_DENSITY_STEPS = 20

#: First knots of the functions of distance (Å), and number of first pieces of the embedding function in sqrt(ρ).
_KNOT_SPACING = 0.1

_EMBEDDING_PIECES = 112


class EmbeddedFunctions(NamedTuple):
    """What an embedded-atom potential is made of.

    Attributes
    ----------
    pair : SmoothFunction
        V(r) in eV.
    density : SmoothFunction
        f(r) in the unit of ρ.
    embedding : SmoothFunction
        F in eV as a function of sqrt(ρ), in which it is smooth.
    """

    pair: SmoothFunction
    density: SmoothFunction
    embedding: SmoothFunction


class _Samples(NamedTuple):
    """A function as its table has it, in the variable in which it is smooth."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    noise: NDArray[np.floating]
    spacing: float


def smooth_functions(table: SetflTable) -> EmbeddedFunctions:
    """Represent the tables of a potential by smooth functions.

    Parameters
    ----------
    table : SetflTable

    Returns
    -------
    EmbeddedFunctions
        See `vibentropy.potentials.splines.fit_table`.
    """
    return EmbeddedFunctions(*(fit_table(*samples) for samples in _samples(table)))


def finer_functions(table: SetflTable, functions: EmbeddedFunctions) -> EmbeddedFunctions:
    """Represent the tables of a potential once more, to see what they leave open.

    Parameters
    ----------
    table : SetflTable
    functions : EmbeddedFunctions
        What `smooth_functions` made of it.

    Returns
    -------
    EmbeddedFunctions
        See `vibentropy.potentials.splines.fit_finer`.
    """
    return EmbeddedFunctions(
        *(
            fit_finer(samples.x, samples.y, samples.noise, function)
            for samples, function in zip(_samples(table), functions, strict=True)
        )
    )


def distance_function(table: SetflTable, values: NDArray[np.float64]) -> SmoothFunction:
    """Represent one more function of distance on the grid of a potential.

    Parameters
    ----------
    table : SetflTable
    values : ndarray of shape (n_r,)

    Returns
    -------
    SmoothFunction
    """
    return fit_table(*_of_distance(table, values))


def finer_distance_function(table: SetflTable, values: NDArray[np.float64], function: SmoothFunction) -> SmoothFunction:
    """Represent it once more, as `finer_functions` does.

    Parameters
    ----------
    table, values
        As of `distance_function`.
    function : SmoothFunction
        What that made of them.

    Returns
    -------
    SmoothFunction
    """
    samples = _of_distance(table, values)
    return fit_finer(samples.x, samples.y, samples.noise, function)


def _of_distance(table, values):
    r = np.arange(len(values)) * table.dr
    used = (r >= R_MIN) & (r <= table.r_cut + table.dr / 2)
    return _Samples(r[used], values[used], rounding_noise(values[used]), _KNOT_SPACING)


def _samples(table: SetflTable) -> Iterator[_Samples]:
    """Make what each function is fitted to, in the order of `EmbeddedFunctions`."""
    r, r_times_pair, noise, spacing = _of_distance(table, table.r_times_pair)
    yield _Samples(r, r_times_pair / r, noise / r, spacing)
    yield _of_distance(table, table.density)
    dense = slice(_MIN_DENSITY_STEPS, None)
    root = np.sqrt(np.arange(len(table.embedding)) * table.drho)[dense]
    noise = rounding_noise(table.embedding)[dense]
    yield _Samples(root, table.embedding[dense], noise, root[-1] / _EMBEDDING_PIECES)
