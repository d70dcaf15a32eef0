"""How much of an entropy the tables of a potential leave open: another function that follows each table as well."""

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from vibentropy.potentials.embedded_hessian import Bonds
from vibentropy.potentials.protocols import TableShift
from vibentropy.potentials.splines import SmoothFunction

#: Strains at which representations are compared.
_STRAINS = (-0.01, 0.0, 0.01)


class Represented(Protocol):
    """A potential that represents tables by smooth functions."""

    @property
    def functions(self) -> Mapping[str, SmoothFunction]:
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

    def own_blocks(self, bonds: Bonds) -> NDArray[np.float64]:
        """Blocks of the Hessian of each atom with itself, what holds it while all others stand still.

        Parameters
        ----------
        bonds : Bonds

        Returns
        -------
        ndarray of shape (n_atoms, 3, 3), eV/Å²
        """


def table_shifts(
    potential: Represented, bonds: Bonds, arguments: Mapping[str, NDArray[np.float64]]
) -> list[TableShift]:
    """Find what the tables of a potential leave open in the entropy of a cell.

    Each function in turn is replaced by its finer representation. The entropy is that of an Einstein crystal,
    -1/2 ln det of each atom's own block of the Hessian. It changes by what the whole entropy changes by within a third,
    and costs a dozen times the forces. Two representations cross wherever they follow the table equally well, and the
    distances in a crystal are few: it is strained a little, too, so that no crossing is taken for agreement.

    Parameters
    ----------
    potential : Represented
    bonds : Bonds
    arguments : dict of str to ndarray
        Where the cell takes each function.

    Returns
    -------
    list of TableShift
    """
    entropies = _einstein_entropies(potential, bonds)
    shifts = []
    for name, x in arguments.items():
        function, finer = potential.functions[name], potential.finer.functions[name]
        change = _einstein_entropies(potential.with_function(name, finer), bonds) - entropies
        off = np.abs(finer(x)[2] - function(x)[2])
        shifts.append(TableShift(name, float(x[np.argmax(off)]) if len(x) else np.nan, change))
    return shifts


def _einstein_entropies(potential, bonds):
    """-1/2 Σ_i ln |det H_ii| at each strain, k_B."""
    entropies = []
    for strain in _STRAINS:
        stretched = bonds._replace(vectors=(1 + strain) * bonds.vectors, distances=(1 + strain) * bonds.distances)
        blocks = potential.own_blocks(stretched)
        entropies.append(-0.5 * np.linalg.slogdet(blocks)[1].sum())
    return np.array(entropies)
