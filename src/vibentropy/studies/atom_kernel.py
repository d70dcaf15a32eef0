"""Study of kernels summed over atoms, as a descriptor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import gen_batches

from vibentropy import descriptors
from vibentropy.descriptors import Descriptor
from vibentropy.files.hdf5 import check_array, create, open_file
from vibentropy.learning.scaling import RootMeanSquareScaler

#: Length scales ℓ and penalties of the kernel of atoms, whose scaled features have the root mean square 1.
ATOM_LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

#: Numbers (8 bytes each) that the atoms which environments are chosen from may take.
MAX_POOL = 4_000_000

#: Atoms whose kernel is held at a time.
BLOCK = 512

KIND = "environments"


def evenly_spread_cells(n_atoms: Sequence[int], n_features: int) -> NDArray[np.intp]:
    """Choose cells, evenly spread, the features of whose atoms are no more than `MAX_POOL` numbers.

    Parameters
    ----------
    n_atoms : sequence of int of length n
        Of each cell.
    n_features : int

    Returns
    -------
    ndarray of int
        Rows in ascending order, the first and the last among them; all if they are few. From those that were chosen the
        function chooses all.
    """
    fitting = int(MAX_POOL / (n_features * max(n_atoms)))
    return np.unique(np.linspace(0, len(n_atoms) - 1, max(1, min(fitting, len(n_atoms)))).round().astype(int))


@dataclass(frozen=True, eq=False)
class Environments:
    """Atomic environments that stand for all others in a kernel of atoms.

    In HDF5 (kind ``environments``, schema 1) each attribute is a data set of its name.

    Attributes
    ----------
    points : ndarray of shape (n_environments, n_features)
        Scaled features; the first is the perfect crystal, all zeros.
    origin : ndarray of shape (n_features,)
        Descriptor of an atom of the perfect crystal.
    scale : ndarray of shape (n_features,)
        Root mean square difference from it.
    """

    points: NDArray[np.float64]
    origin: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def choose(
        cls,
        descriptor: Descriptor,
        frames: Sequence[Atoms],
        origin: NDArray[np.float64],
        number: int,
        seed: int = 0,
    ) -> Self:
        """Choose environments of atoms that are far from each other; labels play no part.

        The perfect crystal is the first; the others are seeds of k-means++, atoms drawn with a probability that grows
        with the square of the distance to those already chosen.

        Parameters
        ----------
        descriptor : Descriptor
            With local values.
        frames : sequence of ase.Atoms
            Training cells; of many, `evenly_spread_cells` are taken.
        origin : ndarray of shape (n_features,)
            Descriptor of an atom of the perfect crystal.
        number : int
            At most; there may be fewer atoms.
        seed : int

        Returns
        -------
        Environments
        """
        taken = evenly_spread_cells([len(atoms) for atoms in frames], descriptor.n_features)
        pool = np.concatenate([descriptor.local(frames[index]) - origin for index in taken])
        scale = RootMeanSquareScaler().fit(pool).scale_
        pool /= scale
        drawn, _ = kmeans_plusplus(pool, min(number - 1, len(pool)), random_state=seed)
        return cls(np.vstack([np.zeros_like(origin), drawn]), np.asarray(origin, dtype=float), scale)

    def save(self, path: str | Path, **attributes: Any) -> None:
        """Write the environments to HDF5.

        Parameters
        ----------
        path : path-like
        **attributes
            Provenance, as for `vibentropy.files.hdf5.create`.
        """
        with create(path, KIND, **attributes) as file:
            file["points"], file["origin"], file["scale"] = self.points, self.origin, self.scale

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read environments that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Environments

        Raises
        ------
        DataError
            If the file is missing, truncated or something else.
        """
        with open_file(path, KIND) as file:
            points, origin, scale = file["points"][:], file["origin"][:], file["scale"][:]
            check_array("/points", points, (len(points), len(origin)))
            check_array("/origin", origin, origin.shape)
            check_array("/scale", scale, origin.shape)
            return cls(points, origin, scale)


class AtomKernel(Descriptor):
    """Kernels between the atoms of a cell and chosen environments, summed over the cell.

    For each length scale ℓ in `ATOM_LENGTHS` the features of a cell are (Nyström; subset of regressors)

        Φ = K_zz^{-1/2} Σ_i k(z, x_i),

    with the environments z and their own kernel K_zz. The product Φ_A · Φ_B is the kernel Σ_i Σ_j k(x_i, x_j) between
    the atoms of two cells, exactly if all atoms are among the environments; relative to the perfect crystal
    (`vibentropy.features.extensive`), k(x, x') is that of the images of x and x' minus that of a perfect atom. Linear
    regression on Φ without intercept is kernel ridge regression with this kernel, of cost O(N).

    Parameters
    ----------
    environments : str
        Path of a file of `Environments`.
    descriptor : dict
        Kind and parameters of the descriptor of the atoms.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.

    Notes
    -----
    Directions of the kernel below 1e-10 of its largest eigenvalue are left out: their features are zero. The values of
    the atoms of one cell are in memory, and the kernels of `BLOCK` of them.
    """

    files: ClassVar[tuple[str, ...]] = ("environments",)

    def __init__(self, environments: str, descriptor: dict[str, Any], species: list[str] | None = None) -> None:
        self.environments = environments
        self.descriptor = descriptor
        self.species = species

    @property
    def feature_names(self) -> list[str]:
        """``l2_0``: length scale, and number of the direction."""
        return [f"l{length:g}_{k}" for length in ATOM_LENGTHS for k in range(len(_roots(self.environments)[0]))]

    @property
    def reach(self) -> float:
        """Range of the descriptor of the atoms, Å."""
        return self._inner.reach

    @property
    def _inner(self):
        return descriptors.create(**self.descriptor, species=self.species)

    def _total(self, atoms):
        environments, roots = _load(self.environments), _roots(self.environments)
        scaled = (self._inner.local(atoms) - environments.origin) / environments.scale
        kernel = np.zeros((len(ATOM_LENGTHS), len(environments.points)))
        for rows in gen_batches(len(scaled), BLOCK):
            for summed, values in zip(kernel, _kernels(scaled[rows], environments.points), strict=True):
                summed += values.sum(axis=0)
        return np.concatenate([root @ summed for root, summed in zip(roots, kernel, strict=True)])


@lru_cache(maxsize=2)
def _load(path):
    """Environments, once for each file."""
    return Environments.load(path)


@lru_cache(maxsize=2)
def _roots(path):
    """Matrices that take kernels with environments to features, one for each length scale."""
    points = _load(path).points
    roots: list[NDArray[np.float64]] = []
    for kernel in _kernels(points, points):
        values, vectors = np.linalg.eigh(kernel)
        root = np.where(values > 1e-10 * values[-1], values, np.inf) ** -0.5
        roots.append(root[:, None] * vectors.T)
    return roots


def _kernels(x: NDArray[np.float64], z: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the kernels of two sets of scaled features for all length scales, each of shape (len(x), len(z))."""
    squared = euclidean_distances(x, z, squared=True) / x.shape[1]
    for length in ATOM_LENGTHS:
        yield np.exp(squared * (-0.5 / length**2))
