"""Descriptor from logarithms of the Hessian of small clusters: site entropies with frozen surroundings.

See docs/theory.md, "Local parts of the Hessian".
"""

from typing import Any, ClassVar

import numpy as np

from vibentropy.descriptors.hessian import ALLOY, DEFAULT, POTENTIAL, ClusterDescriptor
from vibentropy.descriptors.parameters import SPECIES, ListOf, Number, Parameter
from vibentropy.errors import SaddlePointError
from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.protocols import LocalHessian

#: Smallest eigenvalue (eV/Å²) of the Hessian of a cluster that counts as stable.
MIN_EIGENVALUE = 1e-3


class HessianClusters(ClusterDescriptor):
    """Logarithms of the Hessian of clusters; asks the potential, at prediction time too.

    The entropy of each atom as if only the atoms around it vibrated: ``ln_R`` is -1/2 tr_i ln H_C, with H_C the Hessian
    of the atoms within R of atom i, all others frozen, and tr_i over the three coordinates of i. At R = 0 this is -1/2
    ln det H_ii; as R grows, the features of the atoms tend to their site entropies
    (`vibentropy.labels.modes.Modes.site_entropies`), in k_B relative to the perfect crystal.

    As H_C has no periodic images, features are local and extensive in cells of any size. They jump when an atom
    crosses R, which should lie between two shells of neighbours. Defined near minima of the potential only, where H_C
    is positive definite. With several species, features are those of the central one. The cost grows with the ninth
    power of R.

    Parameters
    ----------
    potential : dict or LocalHessian, optional
        What names a potential with an analytic Hessian: ``file`` and ``element`` or ``elements``, or ``pair_style:
        meam`` with its ``pair_coeff`` and ``element``, see `vibentropy.load_potential`. Or any potential that follows
        `vibentropy.potentials.protocols.LocalHessian`, which no file can hold. By default an iron.
    radii : list of float, optional
        R in Å, ascending, from 0; by default 0 and 3.
    species : list of str, optional
        Elements to tell apart, of those of the potential; by default all atoms must be of one element.
    """

    continuous: ClassVar[bool] = False
    default_radii: ClassVar[tuple[float, ...]] = (0.0, 3.0)
    parameters: ClassVar[dict[str, Parameter]] = {
        "potential": POTENTIAL,
        "radii": ListOf("of the clusters", unit="Å", null="0 and 3", item=Number(minimum=0), order="ascending"),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 4.7e-4
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"potential": DEFAULT, "radii": [0.0, 3.0]},
        {"potential": ALLOY, "radii": [0.0, 3.0], "species": ["Al", "Fe"]},
    )

    def __init__(
        self,
        potential: dict[str, Any] | LocalHessian | None = None,
        radii: list[float] | None = None,
        species: list[str] | None = None,
    ) -> None:
        self.potential = potential
        self.radii = radii
        self.species = species

    def _values(self, atoms, species):
        stiffness, neighbourhoods = self._neighbourhoods(atoms)
        for centres, index, (start, columns, blocks), first, members, distances in neighbourhoods:
            features = np.empty((len(centres), len(self._radii)))
            for column, radius in enumerate(self._radii):
                for i in range(len(centres)):
                    around = slice(first[i], first[i + 1])
                    cluster = np.sort(np.append(members[around][distances[around] <= radius], i))
                    values, vectors = np.linalg.eigh(_cut(cluster, start, columns, blocks, stiffness[index[cluster]]))
                    if values[0] < MIN_EIGENVALUE:
                        raise SaddlePointError(
                            f"atoms within {radius} Å of atom {centres[i]} have a mode of {values[0]:.2e} eV/Å² with "
                            f"the others frozen, expected at least {MIN_EIGENVALUE}: cluster entropies are defined "
                            "near minima of the potential; relax the cell"
                        )
                    of_centre = vectors[3 * np.searchsorted(cluster, i) :][:3]
                    features[i, column] = -0.5 * (of_centre**2).sum(axis=0) @ np.log(values)
            yield centres, features


@njit(nogil=True)
def _cut(cluster, start, columns, blocks, stiffness):
    """Hessian of a few atoms, from the rows of all."""
    n = cluster.shape[0]
    matrix = np.zeros((3 * n, 3 * n))
    for p in range(n):
        i = cluster[p]
        # Both lists ascend.
        q = 0
        for c in range(start[i], start[i + 1]):
            while q < n and cluster[q] < columns[c]:
                q += 1
            if q < n and cluster[q] == columns[c]:
                matrix[3 * p : 3 * p + 3, 3 * q : 3 * q + 3] = blocks[c]
        matrix[3 * p : 3 * p + 3, 3 * p : 3 * p + 3] = stiffness[p]
    return matrix
