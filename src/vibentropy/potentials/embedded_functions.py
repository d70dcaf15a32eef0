"""The functions of an embedded-atom potential, made smooth from their tables: pairs, densities, embedding."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.potentials.embedded_hessian import PairFunctions
from vibentropy.potentials.setfl import SetflTable
from vibentropy.potentials.splines import SmoothFunction, fit_finer, fit_table, rounding_noise, side_by_side

#: Distances below this (Å) are not represented: tables are seldom smooth there, and no crystal has them.
R_MIN = 1.5

#: Densities below this many table steps are not represented: F contains sqrt(ρ), whose derivatives diverge at 0.
_MIN_DENSITY_STEPS = 20

#: First knots of the functions of distance (Å), and number of first pieces of the embedding function in sqrt(ρ).
_KNOT_SPACING = 0.1

_EMBEDDING_PIECES = 112


class _Samples(NamedTuple):
    """A function as its table has it, in the variable in which it is smooth."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    noise: NDArray[np.floating]
    spacing: float


class Names(NamedTuple):
    """Names of the functions of a potential by the indices of elements.

    Attributes
    ----------
    pair, density : list of list of str
    embedding : list of str
        F in eV is a function of sqrt(ρ), in which it is smooth.
    """

    pair: list[list[str]]
    density: list[list[str]]
    embedding: list[str]


def function_names(table: SetflTable) -> Names:
    """Name the functions of a potential; those that a file has once have one name.

    Parameters
    ----------
    table : SetflTable

    Returns
    -------
    Names
        ``pair``, ``density`` and ``embedding`` for one element; with the elements for several.
    """
    elements = table.elements
    if len(elements) == 1:
        return Names([["pair"]], [["density"]], ["embedding"])
    by_centre = table.style == "eam/fs"
    return Names(
        [["{}-{} pair".format(*sorted((one, other))) for other in elements] for one in elements],
        [[f"{of} density" + (f" at {at}" if by_centre else "") for of in elements] for at in elements],
        [f"{element} embedding" for element in elements],
    )


def smooth_functions(table: SetflTable) -> dict[str, SmoothFunction]:
    """Represent the tables of a potential by smooth functions.

    Parameters
    ----------
    table : SetflTable

    Returns
    -------
    dict of str to SmoothFunction
        By `function_names`, see `vibentropy.potentials.splines.fit_table`.
    """
    return {name: fit_table(*samples) for name, samples in _samples(table).items()}


def finer_functions(table: SetflTable, functions: Mapping[str, SmoothFunction]) -> dict[str, SmoothFunction]:
    """Represent the tables of a potential once more, to see what they leave open.

    Parameters
    ----------
    table : SetflTable
    functions : dict of str to SmoothFunction
        What `smooth_functions` made of it.

    Returns
    -------
    dict of str to SmoothFunction
        See `vibentropy.potentials.splines.fit_finer`.
    """
    return {
        name: fit_finer(samples.x, samples.y, samples.noise, functions[name])
        for name, samples in _samples(table).items()
    }


def compiled(table: SetflTable, functions: Mapping[str, SmoothFunction]) -> PairFunctions:
    """Bring the functions of distance into the form that compiled code takes.

    Parameters
    ----------
    table : SetflTable
    functions : dict of str to SmoothFunction
        By `function_names`.

    Returns
    -------
    PairFunctions
    """
    names = function_names(table)
    of_distance = sorted({name for row in [*names.pair, *names.density] for name in row})
    pair, density = (np.array([[of_distance.index(name) for name in row] for row in rows]) for rows in names[:2])
    return PairFunctions(*side_by_side([functions[name] for name in of_distance]), pair, density)


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


def _samples(table: SetflTable) -> dict[str, _Samples]:
    """Make what each function is fitted to."""
    names = function_names(table)
    samples = {}
    for i, k in np.ndindex(table.r_times_pair.shape[:2]):
        if names.pair[i][k] not in samples:
            r, r_times_pair, noise, spacing = _of_distance(table, table.r_times_pair[i, k])
            samples[names.pair[i][k]] = _Samples(r, r_times_pair / r, noise / r, spacing)
    for i, k in np.ndindex(table.density.shape[:2]):
        if names.density[i][k] not in samples:
            samples[names.density[i][k]] = _of_distance(table, table.density[i, k])
    dense = slice(_MIN_DENSITY_STEPS, None)
    for name, embedding in zip(names.embedding, table.embedding, strict=True):
        root = np.sqrt(np.arange(len(embedding)) * table.drho)[dense]
        samples[name] = _Samples(root, embedding[dense], rounding_noise(embedding)[dense], root[-1] / _EMBEDDING_PIECES)
    return samples
