"""How much of an entropy the tables of a potential leave open: another function that follows each table as well."""

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vibentropy.potentials.protocols import TableShift
from vibentropy.potentials.splines import SmoothFunction

#: Strains at which representations are compared.
_STRAINS = (-0.01, 0.0, 0.01)

#: Atoms within the cutoff of each atom: see `vibentropy.atoms.neighbours.neighbour_pairs`.
Neighbours = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


class Represented(Protocol):
    """A potential that represents tables by smooth functions."""

    @property
    def functions(self) -> dict[str, SmoothFunction]:
        """The functions by name."""

    @property
    def finer(self) -> Self:
        """The same tables, represented by pieces of half the length."""

    def with_function(self, name: str, function: SmoothFunction) -> Self:
        """Put another function in the place of one.

        Parameters
        ----------
        name : str
        function : SmoothFunction

        Returns
        -------
        Represented
        """

    def own_blocks(self, neighbours: Neighbours) -> NDArray[np.float64]:
        """Blocks of the Hessian of each atom with itself, what holds it while all others stand still.

        Parameters
        ----------
        neighbours : Neighbours

        Returns
        -------
        ndarray of shape (n_atoms, 3, 3), eV/Å²
        """


def table_shifts(
    potential: Represented, neighbours: Neighbours, arguments: Mapping[str, NDArray[np.float64]]
) -> list[TableShift]:
    """Find what the tables of a potential leave open in the entropy of a cell.

    Each function in turn is replaced by its finer representation. The entropy is that of an Einstein crystal,
    -1/2 ln det of each atom's own block of the Hessian. It changes by what the whole entropy changes by within a third,
    and costs a dozen times the forces. Two representations cross wherever they follow the table equally well, and the
    distances in a crystal are few: it is strained a little, too, so that no crossing is taken for agreement.

    Parameters
    ----------
    potential : Represented
    neighbours : Neighbours
    arguments : dict of str to ndarray
        Where the cell takes each function.

    Returns
    -------
    list of TableShift
    """
    entropies = _einstein_entropies(potential, neighbours)
    shifts = []
    for name, x in arguments.items():
        function, finer = potential.functions[name], potential.finer.functions[name]
        change = _einstein_entropies(potential.with_function(name, finer), neighbours) - entropies
        off = np.abs(finer(x)[2] - function(x)[2])
        shifts.append(TableShift(name, float(x[np.argmax(off)]) if len(x) else np.nan, change))
    return shifts


def _einstein_entropies(potential, neighbours):
    """-1/2 Σ_i ln |det H_ii| at each strain, k_B."""
    first, neighbour, vectors, distances = neighbours
    entropies = []
    for strain in _STRAINS:
        stretched = first, neighbour, (1 + strain) * vectors, (1 + strain) * distances
        blocks = potential.own_blocks(stretched)
        entropies.append(-0.5 * np.linalg.slogdet(blocks)[1].sum())
    return np.array(entropies)
