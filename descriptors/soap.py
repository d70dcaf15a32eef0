"""Smooth overlap of atomic positions (Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115 (2013)), by dscribe."""

import warnings
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from dscribe.descriptors import SOAP

from vibentropy.atoms.clusters import clusters
from vibentropy.descriptors.base import BLOCK, LocalDescriptor
from vibentropy.descriptors.parameters import SPECIES, Integer, Number, Parameter

#: What dscribe has tables of harmonics for.
L_MAX = 20


class SmoothOverlap(LocalDescriptor):
    """SOAP power spectrum, summed over atoms, three-body; by dscribe.

    The density around atom i, of a Gaussian on each neighbour and on the atom itself, is expanded in n_max
    orthonormalised Gaussian-type radial functions and in real spherical harmonics,

        c_{nlm}(i) = ∫ g_{nl}(r) Y_{lm}(r) Σ_j exp(-|r - r_ij|² / 2σ²) d³r,
        p_{nn'l}(i) = π √(8 / (2l + 1)) Σ_m c_{nlm} c_{n'lm}   for n <= n',

    one density per species, in order of atomic number, and one power spectrum per pair of species, with all n and n'
    for unlike ones. The cell's features are the sum over its atoms: N times what dscribe calls the outer average. The
    species of atom i itself enters through its own Gaussian only.

    Neighbours count up to a distance of r_cut + 3.7 σ, where their Gaussians have fallen to 1e-3 at r_cut; there they
    drop out at once. dscribe's polynomial radial functions are integrated on a grid that makes them invariant to 1e-4
    only, and are not offered.

    Parameters
    ----------
    n_max : int
        Number of radial functions, from 1; they become linearly dependent in double precision at about 15.
    l_max : int
        Largest l, from 0 to 20.
    r_cut : float
        Where the radial functions have decayed, in Å; above 1.
    sigma : float
        Standard deviation of the Gaussians in Å.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    continuous: ClassVar[bool] = False
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_max": Integer("number of radial functions", minimum=1),
        "l_max": Integer("largest angular order", minimum=0, maximum=L_MAX),
        "r_cut": Number("where the radial functions have decayed", unit="Å", above=1, maximum=20),
        "sigma": Number("width of the Gaussian that stands for an atom", unit="Å", above=0),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 8e-5
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_max": 4, "l_max": 3, "r_cut": 4.0, "sigma": 0.5},
        {"n_max": 3, "l_max": 2, "r_cut": 3.0, "sigma": 0.4, "species": ["Fe", "Cr"]},
    )

    def __init__(
        self, n_max: int = 8, l_max: int = 6, r_cut: float = 5.0, sigma: float = 0.5, species: list[str] | None = None
    ) -> None:
        self.n_max = n_max
        self.l_max = l_max
        self.r_cut = r_cut
        self.sigma = sigma
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        most = largest_basis(self.n_max, self.l_max, float(self.r_cut))
        if most < self.n_max:
            raise ValueError(
                f"n_max == {self.n_max}, must be <= {most}: with l_max == {self.l_max} and r_cut == {self.r_cut} "
                "dscribe cannot orthonormalise more radial functions."
            )

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """The radial functions are sums of terms that cancel: 3e-13 with 8 of them, 7e-11 with 12, 3e-9 with 15."""
        return 1e-10 if self.n_max <= 10 else 1e-8

    @property
    def reach(self) -> float:
        """Distance in Å beyond which dscribe ignores atoms."""
        return self.r_cut + self.sigma * np.sqrt(-2 * np.log(1e-3))

    @property
    def feature_names(self) -> list[str]:
        """``p_n1_n2_l0``; with several species ``p_Cr-Fe_n1_n2_l0``, n being of the first one and n' of the second."""
        radial = range(1, self.n_max + 1)
        alike, unlike = list(combinations_with_replacement(radial, 2)), [(n, other) for n in radial for other in radial]
        if len(self.species or []) < 2:
            labels = [("", alike)]
        else:
            pairs = combinations_with_replacement(sorted(self.species or (), key=atomic_numbers.__getitem__), 2)
            labels = [(f"_{first}-{second}", alike if first == second else unlike) for first, second in pairs]
        return [
            f"p{label}_n{n}_n{other}_l{degree}"
            for label, functions in labels
            for degree in range(self.l_max + 1)
            for n, other in functions
        ]

    def _blocks(self, atoms):
        with warnings.catch_warnings(action="ignore"):  # of ill-conditioned overlaps: see `tolerance`
            soap = SOAP(
                species=self.species or [atoms[0].symbol],
                n_max=self.n_max,
                l_max=self.l_max,
                r_cut=self.r_cut,
                sigma=self.sigma,
            )
        for centres, positions, index in clusters(atoms, self.reach, BLOCK):
            cluster = Atoms(numbers=atoms.numbers[index], positions=positions)
            yield centres, soap.create(cluster, centers=positions[: len(centres)])


@lru_cache
def largest_basis(n_max: int, l_max: int, r_cut: float) -> int:
    """Count the radial functions that dscribe can orthonormalise, which is found by trying.

    Parameters
    ----------
    n_max : int
        Number to begin with.
    l_max : int
    r_cut : float
        In Å.

    Returns
    -------
    int
        The largest number up to n_max.
    """
    for n in range(n_max, 1, -1):
        try:
            with warnings.catch_warnings(action="ignore"):
                _, coefficients = SOAP.get_basis_gto(None, r_cut, n, l_max)
        except (ValueError, np.linalg.LinAlgError):
            continue
        if np.isfinite(coefficients).all():
            return n
    return 1
