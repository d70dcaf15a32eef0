"""Solid harmonic wavelet scattering (Eickenberg, Exarchakis, Hirn, Mallat, Thiry, J. Chem. Phys. 148, 241732 (2018)).

A wavelet of width σ_j is band-limited to some k ~ 1/σ_j, so each scale is computed on a grid of its own whose spacing
grows with the width: all scales together cost little more than the first. Fields are made in reciprocal space, where
wavelets and Gaussians are known in closed form, and the atoms enter through their structure factor. The spacing is that
of a quadrature of powers of |U|, several times finer than a wavelet itself needs: only the waves that it holds are
multiplied and transformed.
"""

from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from ase.geometry import complete_cell
from numpy.typing import NDArray
from scipy import fft

from vibentropy.atoms.neighbours import check_sites
from vibentropy.descriptors.base import Descriptor
from vibentropy.descriptors.density import SUMS, make_basis, real_harmonics
from vibentropy.descriptors.parameters import SPECIES, Integer, ListOf, Number, Parameter
from vibentropy.numerics.machine_code import njit

#: Width of a spreading kernel in units of the wavelet's: its aliases are then no larger than what the grid cuts off ...
KERNEL = np.sqrt(0.5)
#: ... and in units of the distance of points, beyond which aliases are below rounding anyway.
KERNEL_MAX = 1.8
#: Kernels are cut at this many widths, where they are 1e-15 of their maximum.
KERNEL_CUT = 8.3
#: U^q is integrated over free space up to where it has decayed to exp(-TAIL).
TAIL = 12.0
#: Waves are left out where the spectrum of every wavelet of the grid is below this (they reach a few units).
NEGLIGIBLE = 1e-13


class SolidHarmonicScattering(Descriptor):
    """Solid harmonic wavelet scattering of the whole cell, of first and second order; no values per atom.

    The atoms of a species make a density of normalised Gaussians, ρ(u) = Σ_a G_σ(u - r_a). It is convolved with
    wavelets of widths σ_j = first_scale · dilation^j,

        ψ_{jlm}(u) = (2π)^(-3/2) σ_j^-3 (|u| / σ_j)^l exp(-u² / 2σ_j²) Y_{lm}(u),
        U_{jl} = (Σ_m |ρ * ψ_{jlm}|²)^(1/2),

    with Σ_m Y_{lm}² = 1 (Racah's normalisation). The features are integrals over the cell, in Å^(3 - 3q),

        S1_{jlq} = ∫ U_{jl}^q du,
        S2_{jj'lq} = ∫ (Σ_m |U_{jl} * ψ_{j'lm}|²)^(q/2) du    for j < j'.

    For l = 0 and q = 1 both are the number of atoms whatever the structure, and are left out. The zeroth order ∫ρ^q
    is left out too: the first one for l = 0 is the same of a wider Gaussian.

    The grids follow the atoms, so that translations change nothing. Repeating a cell repeats its grids, and with them
    every error, where its vectors are multiples of `grid_spacing` to half a spacing per vector: choose the lattice
    parameter divided by 2^(n_scales - 1) or a larger power of two, for a dilation of 2. Otherwise integrals hold to
    the error of the quadrature. It comes from the zeros of U, where U^q has a cusp: for the default ratio of width
    and spacing about 1e-4 of the largest feature for q = 1/2 in disordered cells and several 1e-3 in perfect
    crystals, whose zeros are all alike; 1e-5 and 1e-4 for q = 1; 1e-7 for q = 2. For a ratio of 3 it is three times
    as large. `tolerance` bounds all of them for q >= 1/2.

    Where a cell is not periodic, the integrals extend over free space; what is left out is less than 1e-3. Far from all
    atoms U is the rounding of Fourier transforms, 1e-16 of its largest value, which a power of 1/2 makes 1e-8: such
    features of a small cluster in its large box differ by some 1e-9 of themselves between processors.

    Memory is about 2 (l_max + 1)² + 40 bytes per point of the first grid, of which there is one per `grid_spacing`
    along each cell vector; time is that of some 3 (l_max + 1)² Fourier transforms.

    Parameters
    ----------
    n_scales : int
        Number of wavelet widths, from 1.
    l_max : int
        Largest l, from 0.
    sigma : float
        Width of the Gaussians of the density in Å.
    first_scale : float
        Width of the smallest wavelet in Å.
    dilation : float
        Ratio of the widths of successive wavelets, above 1.
    powers : list of float, optional
        The exponents q, above 0; by default 1/2, 1 and 2.
    order : int
        1 or 2; the order up to which features are computed.
    grid_spacing : float
        Distance in Å of the points along each cell vector for the smallest wavelet, at most a third of its width. It
        grows with the width.
    species : list of str, optional
        Elements, each with a density and features of its own; by default all atoms must be of one element.
    """

    tolerance: ClassVar[float] = 1e-2
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_scales": Integer("number of wavelet widths", minimum=1),
        "l_max": Integer("largest angular order", minimum=0),
        "sigma": Number("width of the Gaussian that stands for an atom", unit="Å", above=0),
        "first_scale": Number("width of the smallest wavelet", unit="Å", above=0),
        "dilation": Number("ratio of successive widths", above=1),
        "powers": ListOf(
            "exponents of the moduli that are integrated",
            null="1/2, 1 and 2",
            item=Number(above=0),
            order="different",
        ),
        "order": Integer("wavelets that follow each other at most", minimum=1, maximum=2),
        "grid_spacing": Number(
            "distance of grid points for the smallest wavelet, at most a third of its width; best the lattice "
            "parameter divided by a power of two",
            unit="Å",
            above=0,
        ),
        "species": SPECIES,
    }
    seconds_per_atom: ClassVar[float] = 3.6e-4
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_scales": 2, "l_max": 1, "sigma": 0.8, "first_scale": 1.0, "grid_spacing": 0.3},
        {
            "n_scales": 1,
            "l_max": 3,
            "sigma": 0.7,
            "first_scale": 0.8,
            "grid_spacing": 0.25,
            "order": 1,
            "powers": [1, 2],
        },
        {
            "n_scales": 3,
            "l_max": 1,
            "sigma": 0.8,
            "first_scale": 0.8,
            "dilation": 1.5,
            "grid_spacing": 0.25,
            "powers": [2],
            "species": ["Fe", "Cr"],
        },
    )

    def __init__(
        self,
        n_scales: int = 4,
        l_max: int = 3,
        sigma: float = 0.5,
        first_scale: float = 0.75,
        dilation: float = 2.0,
        powers: list[float] | None = None,
        order: int = 2,
        grid_spacing: float = 0.18,
        species: list[str] | None = None,
    ) -> None:
        self.n_scales = n_scales
        self.l_max = l_max
        self.sigma = sigma
        self.first_scale = first_scale
        self.dilation = dilation
        self.powers = powers
        self.order = order
        self.grid_spacing = grid_spacing
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        if 3 * self.grid_spacing > self.first_scale * (1 + 1e-9):
            raise ValueError(
                f"grid_spacing == {self.grid_spacing}, must be at most a third of first_scale == {self.first_scale}."
            )

    @property
    def feature_names(self) -> list[str]:
        """``S1_j0_l1_q0.5`` and ``S2_j0_j1_l1_q0.5``; with several species ``S1_Fe_j0_l1_q0.5``."""
        labels = [f"_{symbol}" for symbol in self.species or ()] if self._n_species > 1 else [""]
        return [
            f"S{len(scales)}{label}_{'_'.join(f'j{j}' for j in scales)}_l{degree}_q{power:g}"
            for label in labels
            for scales, degree, power in self._features
        ]

    @property
    def reach(self) -> float | None:
        """None: Gaussians have no end."""

    @property
    def _n_species(self):
        return 1 if self.species is None else len(self.species)

    @property
    def _powers(self):
        return (0.5, 1, 2) if self.powers is None else self.powers

    @property
    def _features(self):
        """Scales, l and q of the features of one species, in their order."""
        return [
            (scales, degree, power)
            for order in range(1, self.order + 1)
            for scales in combinations(range(self.n_scales), order)
            for degree in range(self.l_max + 1)
            for power in self._powers
            if (degree, power) != (0, 1)
        ]

    def _total(self, atoms):
        check_sites(atoms)
        species = self.species_indices(atoms)
        grids: list[Any] = [self._grid(atoms, j) for j in range(self.n_scales)]
        integrals: list[dict[Any, float]] = [{} for _ in range(self._n_species)]
        # Spectra that wavelets of the grid's scale are yet to be applied to, by the species and scales they come from.
        waiting: list[dict[Any, NDArray[np.complex128]]] = [{} for _ in grids]
        for j, grid in enumerate(grids):
            for s in range(self._n_species):
                density = grid.structure_factor(atoms.positions[species == s]) * grid.gaussian(self.sigma)
                waiting[j] |= {(s, (), degree): density for degree in range(self.l_max + 1)}
            for (s, before, degree), spectrum in waiting[j].items():
                squared = grid.squared_modulus(spectrum, degree)
                modulus = np.sqrt(squared, out=squared)
                for power in self._powers:
                    # numpy has powers of 1/2, 1 and 2 that are much faster than others.
                    integrals[s][(*before, j), degree, power] = np.sum(modulus**power) * grid.volume_element
                if len(before) + 1 < self.order:
                    for later, found in enumerate(grid.spectra(modulus, grids[j + 1 :]), start=j + 1):
                        waiting[later][s, (j,), degree] = found
            # Whole grids and their spectra are large.
            waiting[j], grids[j] = {}, None
        return np.array([values[feature] for values in integrals for feature in self._features])

    def _grid(self, atoms, j):
        width, spacing = (x * self.dilation**j for x in (self.first_scale, self.grid_spacing))
        cell = complete_cell(np.where(atoms.pbc[:, None], atoms.cell[:], 0.0))
        lengths = np.linalg.norm(cell, axis=1)
        # Counted at the first scale, so that cells that are alike there are alike at all of them.
        first = np.maximum(np.rint(lengths / self.grid_spacing), 1)
        shape = np.ceil(first / self.dilation**j - 1e-9).astype(int)
        # The widest of what is integrated is a density seen through two wavelets.
        variance = self.sigma**2 + width**2 * (1 + self.dilation**-2)
        padding = np.sqrt(2 * TAIL * variance / min(*self._powers, 2))
        scaled = atoms.positions @ np.linalg.inv(cell)
        origin = np.zeros(3)
        for axis in np.flatnonzero(atoms.pbc):
            # The points follow the atoms: the structure factor at the wave that they cannot tell from a constant, on
            # which errors of a quadrature depend, is made real. Rounding has no say where it vanishes by symmetry.
            alias = np.exp(-2j * np.pi * shape[axis] * scaled[:, axis]).mean()
            if abs(alias) > 1e-6:
                origin -= np.angle(alias) / (2 * np.pi * shape[axis]) * cell[axis]
        for axis in np.flatnonzero(~atoms.pbc):
            low, high = scaled[:, axis].min() * lengths[axis], scaled[:, axis].max() * lengths[axis]
            shape[axis] = np.ceil((high - low + 2 * padding) / spacing)
            side = shape[axis] * spacing
            origin += cell[axis] / lengths[axis] * (low + high - side) / 2
            cell[axis] *= side / lengths[axis]
        return _Grid(cell, origin, tuple(int(n) for n in shape), tuple(atoms.pbc), width, width / spacing, self.l_max)


class _Grid:
    """Points of a box, its plane waves, and the wavelets of one width on them.

    Spectra are Fourier integrals ∫ f exp(-ik·(u - origin)) du at the vectors of a real transform.

    Parameters
    ----------
    cell : ndarray of shape (3, 3), Å
        Vectors of the box, as rows.
    origin : ndarray of shape (3,), Å
    shape : tuple of int
        Points along each vector.
    periodic : tuple of bool
        Where not, the box holds all there is, and boxes of other widths have other sizes.
    width : float, Å
        Of the wavelets.
    points : float
        Width in units of the distance of points; at least that along any vector, up to rounding.
    l_max : int
    """

    def __init__(self, cell, origin, shape, periodic, width, points, l_max):
        self.cell, self.origin, self.shape, self.periodic = cell, origin, shape, periodic
        self.width, self.points, self.l_max = width, points, l_max
        self.volume = abs(np.linalg.det(cell))
        self.volume_element = self.volume / np.prod(shape)
        # Waves of half the number of points have no sign, and those beyond the wavelets no weight.
        reach = _reach(l_max) / width * np.linalg.norm(cell, axis=1) / (2 * np.pi)
        limits = np.minimum((np.array(shape) - 1) // 2, np.floor(reach)).astype(int)
        #: Whole multiples of the reciprocal vectors along each axis, negative ones last; none of them along the third.
        self.waves = [np.r_[0 : m + 1, -m:0] for m in limits[:2]] + [np.arange(limits[2] + 1)]

    @cached_property
    def _k(self):
        """Wave vectors, ndarray of shape (3, n_waves), 1/Å."""
        waves = np.stack(np.meshgrid(*self.waves, indexing="ij")).reshape(3, -1)
        return 2 * np.pi * np.linalg.inv(self.cell) @ waves

    @cached_property
    def _k_squared(self):
        """|k|², ndarray of shape (n_waves,), 1/Å²."""
        return np.einsum("ik,ik->k", self._k, self._k)

    @cached_property
    def _harmonics(self):
        """Real spherical harmonics of the wave vectors, ndarray of shape ((l_max + 1)², n_waves)."""
        length = np.sqrt(self._k_squared)
        length[0] = 1.0  # k = 0 has no direction; powers of k take care of it
        harmonics = np.empty(((self.l_max + 1) ** 2, len(length)))
        x, y, z = self._k / length
        real_harmonics(x, y, z, len(length), make_basis(1.0, 1, self.l_max), harmonics)
        return harmonics

    def gaussian(self, width):
        """Spectrum of a normalised Gaussian of a width in Å, ndarray of shape (n_waves,)."""
        return np.exp(-0.5 * width**2 * self._k_squared)

    def structure_factor(self, positions):
        """Σ_a exp(-ik·r_a) to the accuracy that wavelets of this width need.

        Atoms are spread on the grid with a Gaussian of the width of some points, whose spectrum is then divided out
        (Greengard, Lee, SIAM Rev. 46, 443 (2004); without their finer grid, as the wavelets decay).

        Parameters
        ----------
        positions : ndarray of shape (n_atoms, 3), Å

        Returns
        -------
        ndarray of shape (n_waves,), complex
        """
        width = min(KERNEL * self.points, KERNEL_MAX)
        spread = np.zeros(self.shape)
        _spread((positions - self.origin) @ np.linalg.inv(self.cell) * self.shape, width, spread)
        kernels = [
            np.exp(0.5 * (2 * np.pi * width * waves / n) ** 2) / (np.sqrt(2 * np.pi) * width)
            for waves, n in zip(self.waves, self.shape, strict=True)
        ]
        return (fft.rfftn(spread)[np.ix_(*self.waves)] * np.einsum("i,j,k->ijk", *kernels)).ravel()

    def squared_modulus(self, spectrum, degree):
        """Σ_m |f * ψ_{lm}|² of a real function f.

        Parameters
        ----------
        spectrum : ndarray of shape (n_waves,), complex
            That of f.
        degree : int
            The order l.

        Returns
        -------
        ndarray of the grid's shape
        """
        radial = self.gaussian(self.width) * (self.width**2 * self._k_squared) ** (degree / 2)
        waves = spectrum * (radial * ((-1j) ** degree / self.volume))
        n_waves = [len(w) for w in self.waves]
        # Waves that are zero take part in no transform that they can be kept out of.
        planes = np.zeros((self.shape[0], *n_waves[1:]), dtype=complex)
        rows = np.zeros((*self.shape[:2], n_waves[2]), dtype=complex)
        result = np.zeros(self.shape)
        for harmonic in self._harmonics[degree**2 : (degree + 1) ** 2]:
            planes[:] = 0
            planes[self.waves[0]] = (waves * harmonic).reshape(n_waves)
            rows[:] = 0
            rows[:, self.waves[1]] = fft.ifft(planes, axis=0, norm="forward", overwrite_x=True)
            columns = fft.ifft(rows, axis=1, norm="forward", overwrite_x=True)
            _add_square(fft.irfft(columns, n=self.shape[2], axis=2, norm="forward", overwrite_x=True), result)
        return result

    def spectra(self, values, targets):
        """Spectra of a function that is known on this grid, each at the wave vectors of a coarser grid.

        Parameters
        ----------
        values : ndarray of the grid's shape
        targets : iterable of _Grid
            Of the same periodic vectors. Along others the function is zero outside of this grid's box.

        Yields
        ------
        ndarray of shape (n_waves of the target,), complex
        """
        # What all targets share, and the largest of the transforms.
        along_rows = fft.rfft(values, axis=2) if self.periodic[2] else values
        for target in targets:
            shift = (self.origin - target.origin) @ np.linalg.inv(target.cell)
            result = values
            for axis in (2, 1, 0):
                n, waves = self.shape[axis], target.waves[axis]
                if self.periodic[axis]:
                    result = along_rows if axis == 2 else fft.fft(result, axis=axis)
                    phases = np.exp(-2j * np.pi * shift[axis] * waves)
                    others = [a for a in range(3) if a != axis]
                    result = result.take(waves % n, axis=axis) * np.expand_dims(phases, others)
                else:
                    ratio = np.linalg.norm(self.cell[axis]) / np.linalg.norm(target.cell[axis])
                    points = shift[axis] + np.arange(n) / n * ratio
                    transform = np.exp(-2j * np.pi * np.outer(waves, points))
                    result = np.moveaxis(np.tensordot(transform, result, (1, axis)), 0, axis)
            yield result.ravel() * self.volume_element


def _reach(l_max):
    """Product of wave number and width from which on spectra of wavelets, t^l exp(-t²/2), are `NEGLIGIBLE`."""
    reach = 1.0
    for _ in range(20):
        reach = np.sqrt(-2 * np.log(NEGLIGIBLE) + 2 * l_max * np.log(reach))
    return reach


@njit(nogil=True)
def _add_square(field, result):
    """Add the square of a field of a grid to another one."""
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            for k in range(field.shape[2]):
                result[i, j, k] += field[i, j, k] ** 2


@njit(nogil=True, fastmath=SUMS)
def _spread(points, width, values):
    """Add Gaussians of a width, in units of the distance of points, around points (n, 3) of a periodic grid."""
    reach = int(np.ceil(KERNEL_CUT * width))
    index = np.empty((3, 2 * reach + 1), dtype=np.int64)
    weight = np.empty((3, 2 * reach + 1))
    for point in points:
        for axis in range(3):
            nearest = np.rint(point[axis])
            for k in range(2 * reach + 1):
                position = nearest + (k - reach)
                index[axis, k] = int(position) % values.shape[axis]
                weight[axis, k] = np.exp(-0.5 * ((position - point[axis]) / width) ** 2)
        for i in range(2 * reach + 1):
            for j in range(2 * reach + 1):
                factor, row = weight[0, i] * weight[1, j], values[index[0, i], index[1, j]]
                for k in range(2 * reach + 1):
                    row[index[2, k]] += factor * weight[2, k]
