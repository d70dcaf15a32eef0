"""Scattering against quadrature of its definition in real space, sums over plane waves and closed forms."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from odd_cells import cluster, rattled, rotate
from scipy.special import gamma, sph_harm_y

from vibentropy.descriptors import create
from vibentropy.descriptors.scattering import _Grid
from vibentropy.errors import ConfigError

A = 2.8553


def scattering(**parameters):
    return create("scattering", **{"sigma": 0.6, "first_scale": 0.6, "grid_spacing": 0.2, **parameters})


def named(descriptor, atoms):
    return dict(zip(descriptor.feature_names, descriptor.total(atoms), strict=True))


@pytest.fixture
def small_cell():
    """Two atoms in a triclinic cell, smaller than the largest wavelets."""
    cell = np.array([[3.0, 0.1, 0.2], [0.3, 3.0, -0.2], [-0.3, 0.2, 3.0]])
    # On points of a grid of 11 at the origin, which is then the descriptor's own.
    return Atoms("Fe2", scaled_positions=np.array([(1, 2, 3), (6, 9, 8)]) / 11, cell=cell, pbc=True)


def by_quadrature(atoms, n, sigma, widths, l_max, powers):
    """Evaluate the definition on n points along each cell vector with explicit sums over points and images."""
    cell, volume_element = atoms.cell[:], atoms.cell.volume / n**3
    images = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3), axis=-1).reshape(-1, 3) @ cell
    index = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    offsets = index / n @ cell
    # Where in a list of all points the difference of two of them is.
    difference = sum((index[:, None, axis] - index[:, axis]) % n * n ** (2 - axis) for axis in range(3))

    def gaussian(u, width):
        return np.exp(-(u**2).sum(axis=-1) / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5

    def wavelet(width, degree, order):
        values = np.zeros(len(offsets), dtype=complex)
        for image in images:
            u = offsets + image
            r = np.linalg.norm(u, axis=-1)
            theta, phi = np.arccos(u[..., 2] / np.where(r > 0, r, 1)), np.arctan2(u[..., 1], u[..., 0])
            racah = np.sqrt(4 * np.pi / (2 * degree + 1)) * sph_harm_y(degree, order, theta, phi)
            values += gaussian(u, width) * (r / width) ** degree * racah
        return values

    def modulus(function, width, degree):
        squares = np.zeros(function.shape)
        for order in range(-degree, degree + 1):
            field = wavelets[width, degree, order][difference] @ function * volume_element
            squares += np.abs(field) ** 2
        return np.sqrt(squares)

    wavelets = {
        (width, degree, order): wavelet(width, degree, order)
        for width in widths
        for degree in range(l_max + 1)
        for order in range(-degree, degree + 1)
    }
    density = sum(gaussian(offsets - r + image, sigma) for r in atoms.positions for image in images)
    result = {}
    for degree in range(l_max + 1):
        for j, width in enumerate(widths):
            first = modulus(density, width, degree)
            for power in powers:
                result[f"S1_j{j}_l{degree}_q{power:g}"] = (first**power).sum() * volume_element
                for k in range(j + 1, len(widths)):
                    second = modulus(first, widths[k], degree)
                    result[f"S2_j{j}_j{k}_l{degree}_q{power:g}"] = (second**power).sum() * volume_element
    return result


def test_definition_on_the_same_grid(small_cell):
    """Wavelets of nearly the same width keep all grids alike, so that not even quadratures differ."""
    descriptor = scattering(n_scales=2, l_max=2, first_scale=0.9, grid_spacing=3 / 11, dilation=1.05)
    expected = by_quadrature(small_cell, 11, 0.6, [0.9, 0.945], 2, [0.5, 1, 2])
    for name, value in named(descriptor, small_cell).items():
        assert value == pytest.approx(expected[name], rel=1e-7), name
    # What is left out counts the atoms.
    for name in expected.keys() - set(descriptor.feature_names):
        assert expected[name] == pytest.approx(len(small_cell), rel=1e-12)
        assert name.endswith("l0_q1")


@pytest.mark.slow
def test_definition_with_a_coarser_grid_for_each_scale(small_cell):
    descriptor = scattering(n_scales=2, l_max=2, first_scale=0.8, grid_spacing=3 / 13, dilation=1.4)
    expected = by_quadrature(small_cell, 13, 0.6, [0.8, 1.12], 2, [0.5, 1, 2])
    for name, value in named(descriptor, small_cell).items():
        assert value == pytest.approx(expected[name], rel=1e-6 if name.startswith("S1") and "q2" in name else 5e-3), (
            name
        )


@pytest.mark.parametrize("atoms", [rattled(scattering()), bulk("Fe", a=A)], ids=["rattled", "primitive"])
def test_squares_are_a_sum_over_plane_waves(atoms):
    """Parseval, ∫U² = Σ_k |S(k)|² |G(k)|² Σ_m |ψ_lm(k)|² / V, with the structure factor as it is defined."""
    found = named(scattering(n_scales=3, l_max=5, powers=[2], order=1), atoms)
    waves = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3), axis=-1).reshape(-1, 3)
    k = 2 * np.pi * waves @ atoms.cell.reciprocal()
    square = (k**2).sum(axis=1)
    intensity = np.abs(np.exp(-1j * k @ atoms.positions.T).sum(axis=1)) ** 2 * np.exp(-(0.6**2) * square)
    for j, width in enumerate((0.6, 1.2, 2.4)):
        for degree in range(6):
            filtered = intensity * (width**2 * square) ** degree * np.exp(-(width**2) * square)
            expected = filtered.sum() / atoms.cell.volume
            assert found[f"S1_j{j}_l{degree}_q2"] == pytest.approx(expected, rel=1e-8, abs=1e-18)


def test_one_atom_in_free_space():
    """A Gaussian seen through a wavelet is a solid harmonic times a wider Gaussian."""
    sigma, widths = 0.5, (0.8, 1.2)
    found = named(
        scattering(sigma=sigma, n_scales=2, first_scale=0.8, dilation=1.5, l_max=3, order=1), Atoms("Fe", [(3, 1, 2)])
    )
    for name, value in found.items():
        j, degree, q = int(name[4]), int(name[7]), float(name[10:])
        width = np.hypot(sigma, widths[j])
        factor = (2 * np.pi) ** -1.5 * width**-3 * (widths[j] / width**2) ** degree
        n = (3 + degree * q) / 2
        expected = factor**q * 2 * np.pi * (2 * width**2 / q) ** n * gamma(n)
        # U has a zero at the atom for l > 0, and U^(1/2) a long tail.
        assert value == pytest.approx(expected, rel=2e-4 if q < 2 else 1e-7), name


def test_second_order_of_one_atom_in_free_space():
    """For l = 0 both convolutions are of Gaussians; the grids of the scales have different sizes and origins."""
    found = named(scattering(sigma=0.5, n_scales=3, first_scale=0.8, l_max=0), Atoms("Fe", [(3, 1, 2)]))
    for j, k in ((0, 1), (0, 2), (1, 2)):
        width = np.sqrt(0.5**2 + (0.8 * 2**j) ** 2 + (0.8 * 2**k) ** 2)
        for q in (0.5, 2):
            expected = (2 * np.pi * width**2) ** (1.5 * (1 - q)) * q**-1.5
            assert found[f"S2_j{j}_j{k}_l0_q{q:g}"] == pytest.approx(expected, rel=2e-4 if q < 1 else 1e-6)


def test_free_space_is_a_large_box():
    descriptor = scattering(n_scales=2, l_max=1, first_scale=1.0, grid_spacing=0.33, dilation=1.5, powers=[1, 2])
    atoms = cluster(descriptor)
    boxed = atoms.copy()
    boxed.set_cell([21.0] * 3)
    boxed.pbc = True
    np.testing.assert_allclose(descriptor.total(boxed), descriptor.total(atoms), rtol=1e-3)
    boxed.pbc = [True, False, True]
    np.testing.assert_allclose(descriptor.total(boxed), descriptor.total(atoms), rtol=1e-3)


class TestGrids:
    @pytest.mark.parametrize("strain", [0.0, 0.01, -0.01])
    def test_repeated_where_the_spacing_divides_the_lattice(self, strain):
        """Then the grids are repeated too, and so are the errors of the quadrature."""
        descriptor = scattering(n_scales=4, l_max=2, first_scale=1.1, grid_spacing=A / 8)
        atoms = bulk("Fe", a=A * (1 + strain), cubic=True)
        atoms.positions += np.random.default_rng(0).normal(0, 0.1, (2, 3))
        repeated = atoms.repeat((2, 1, 3))
        expected = 6 * descriptor.total(atoms)
        np.testing.assert_allclose(descriptor.total(repeated), expected, rtol=0, atol=1e-6 * expected.max())

    def test_follow_the_atoms(self):
        """A translation is exact, whatever the grid."""
        descriptor = scattering(n_scales=3, l_max=3)
        for periodic in (True, [True, False, True], False):
            atoms = rattled(descriptor)
            atoms.pbc = periodic
            moved = atoms.copy()
            moved.positions += [1.234, -2.71, 0.577]
            np.testing.assert_allclose(descriptor.total(moved), descriptor.total(atoms), rtol=1e-6)

    def test_a_vacancy_is_the_same_wherever_the_crystal_is(self):
        """The error of the quadrature is that of the perfect crystal, and is subtracted with it."""
        descriptor = scattering(n_scales=4, l_max=3, grid_spacing=A / 16)
        crystal = bulk("Fe", a=A, cubic=True).repeat(4)
        reference = descriptor.total(bulk("Fe", a=A, cubic=True)) / 2
        perfect = descriptor.total(crystal)
        np.testing.assert_allclose(perfect, len(crystal) * reference, rtol=0, atol=1e-6 * perfect.max())
        vacancy = crystal.copy()
        del vacancy[37]
        vacancy.rattle(0.02, seed=0)
        moved = vacancy.copy()
        moved.positions += [0.05, 0.03, -0.07]
        found, expected = (descriptor.total(atoms) - len(atoms) * reference for atoms in (moved, vacancy))
        np.testing.assert_allclose(found, expected, rtol=1e-3)

    def test_a_finer_grid_changes_features_within_the_tolerance(self):
        coarse, fine = scattering(n_scales=2, l_max=2), scattering(n_scales=2, l_max=2, grid_spacing=0.1)
        atoms = rattled(coarse)
        expected = fine.total(atoms)
        assert np.abs(coarse.total(atoms) - expected).max() < coarse.tolerance * expected.max()

    def test_turned_cells_have_turned_grids(self):
        descriptor = scattering(n_scales=2, l_max=3)
        atoms = rattled(descriptor)
        turned = rotate(atoms, np.random.default_rng(0))
        np.testing.assert_allclose(descriptor.total(turned), descriptor.total(atoms), rtol=1e-7)

    @pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 4), (16, 15, 18)])
    def test_structure_factor(self, small_cell, shape):
        lengths = small_cell.cell.lengths()
        spacing = (lengths / shape).max()
        grid = _Grid(small_cell.cell[:], np.array([0.1, 0.2, 0.3]), shape, (True,) * 3, 3 * spacing, 3.0, 0)
        positions = small_cell.positions + [30.0, -7.0, 1.0]
        waves = np.stack(np.meshgrid(*grid.waves, indexing="ij"), axis=-1).reshape(-1, 3)
        k = 2 * np.pi * waves @ small_cell.cell.reciprocal()
        expected = np.exp(-1j * k @ (positions - grid.origin).T).sum(axis=1)
        weight = grid.gaussian(grid.width)
        np.testing.assert_allclose(grid.structure_factor(positions) * weight, expected * weight, atol=1e-12)

    @pytest.mark.parametrize("axis", [0, 2])
    def test_spectrum_between_grids(self, axis):
        """That of a Gaussian, from a slab's grid to a coarser one with another origin and more vacuum."""
        periodic = tuple(k != axis for k in range(3))
        sides, wider = np.where(periodic, 5.0, 14.0), np.where(periodic, 5.0, 19.0)
        origin = np.array([0.1, -0.2, 0.3]) - sides / 2
        fine = _Grid(np.diag(sides), origin, tuple(np.where(periodic, 18, 50)), periodic, 1.0, 3.0, 0)
        coarse = _Grid(np.diag(wider), -wider / 2, tuple(np.where(periodic, 9, 34)), periodic, 2.0, 3.0, 0)
        width, centre = 0.6, np.array([0.4, 0.7, -0.5])
        u = [origin[k] + np.arange(n) / n * sides[k] - centre[k] for k, n in enumerate(fine.shape)]
        images = [np.arange(-2, 3) * side * inside for side, inside in zip(sides, periodic, strict=True)]
        lines = [
            np.exp(-((x[:, None] + image[: 5 if inside else 1]) ** 2) / (2 * width**2)).sum(axis=1)
            for x, image, inside in zip(u, images, periodic, strict=True)
        ]
        values = np.einsum("i,j,k->ijk", *lines) / (2 * np.pi * width**2) ** 1.5
        waves = np.stack(np.meshgrid(*coarse.waves, indexing="ij"), axis=-1).reshape(-1, 3)
        k = 2 * np.pi * waves / wider
        expected = np.exp(-(width**2) * (k**2).sum(axis=1) / 2 - 1j * k @ (centre - coarse.origin))
        np.testing.assert_allclose(next(fine.spectra(values, [coarse])), expected, atol=1e-9)


def test_species_have_features_of_their_own():
    descriptor = scattering(n_scales=2, l_max=1, species=["Fe", "Cr"])
    atoms = rattled(descriptor)
    of_one = scattering(n_scales=2, l_max=1)
    parts = [of_one.total(atoms[atoms.symbols == symbol]) for symbol in ("Fe", "Cr")]
    found = descriptor.total(atoms)
    # The grids follow all of the atoms, so the errors of the quadrature differ where there are any.
    np.testing.assert_allclose(found, np.concatenate(parts), rtol=0, atol=1e-3 * found.max())
    assert descriptor.feature_names[0] == "S1_Fe_j0_l0_q0.5"
    assert descriptor.feature_names[-1] == "S2_Cr_j0_j1_l1_q2"
    np.testing.assert_array_equal(descriptor.total(atoms[atoms.symbols == "Fe"])[of_one.n_features :], 0)


def test_number_of_features():
    assert scattering(n_scales=7, l_max=5).n_features == (7 + 21) * (6 * 3 - 1)
    assert scattering(n_scales=7, l_max=5, order=1, powers=[2]).n_features == 7 * 6


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_scales": 0},
        {"l_max": -1},
        {"sigma": 0.0},
        {"first_scale": -1.0},
        {"dilation": 1.0},
        {"order": 3},
        {"grid_spacing": 0.21},
        {"powers": []},
        {"powers": [1, 1.0]},
        {"powers": [0]},
        {"powers": 2},
        {"powers": [float("inf")]},
    ],
)
def test_parameters_that_are_refused(parameters):
    with pytest.raises(ConfigError, match=next(iter(parameters))):
        scattering(**parameters)
