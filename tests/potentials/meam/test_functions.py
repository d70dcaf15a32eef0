"""Functions that modified embedded atoms are made of: their derivatives, and what they are defined by."""

from dataclasses import replace

import numpy as np
import pytest
from lammps_meam import potential_of

from vibentropy.potentials.meam.files import MeamParameters
from vibentropy.potentials.meam.functions import (
    angular,
    constants,
    cutoff,
    embedding,
    equation_of_state,
    pair_potential,
    search_factor,
)
from vibentropy.potentials.meam.lattices import LATTICES

IRON = MeamParameters("Fe", "bcc", 26, 55.8, 4.29, 2.48, 5.2, 0.56, (4.1, 1.0, 1.1, 1.2), (2.6, 1.8, -7.2), 1.0, 0)


def assert_derivatives(function, points, h=1e-4):
    """The first derivatives of values and of first derivatives, by differences of fourth order."""
    for x in points:
        stencil = np.array([function(x + k * h)[:2] for k in (-2, -1, 1, 2)])
        expected = np.array([1, -8, 8, -1]) @ stencil / (12 * h)
        scale = max(1.0, np.abs(stencil).max())
        np.testing.assert_allclose(function(x)[1:], expected, rtol=1e-7, atol=1e-8 * scale)


def test_cutoff():
    assert_derivatives(cutoff, [-0.5, 0.1, 0.5, 0.99, 1.5])
    assert cutoff(0.3)[0] == pytest.approx((1 - 0.7**4) ** 2)
    # Below a difference of nearly equal numbers: f = (4 x)² for small x.
    assert cutoff(1e-12)[0] == pytest.approx(16e-24, rel=1e-10)
    assert cutoff(1e-12)[2] == pytest.approx(32.0)
    assert cutoff(0.0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("ibar", [0, 1, 3, 4, -5])
def test_angular(ibar):
    points = [-3.0, -1.5, -1.02, -0.8, 0.0, 0.7, 5.0]
    assert_derivatives(lambda gamma: angular(gamma, ibar, 99.0), points, h=1e-5 if ibar in (0, 4) else 1e-4)
    assert angular(0.0, ibar, 99.0)[0] == 1.0
    # A longer smooth region: half an exponent.
    assert_derivatives(lambda gamma: angular(gamma, ibar, 0.5), points)


@pytest.mark.parametrize("ibar", [0, 4])
def test_angular_has_one_derivative_where_its_pieces_meet(ibar):
    """G'' jumps there, and Hessians with it."""
    below, above = (angular(np.nextafter(-0.99, limit), ibar, 99.0) for limit in (-1, 0))
    # G² = (0.99/-Γ)⁹⁹/100, and G² = 1 + Γ.
    assert below == pytest.approx((0.1, 5.0, 49.5 * 50.5 * 0.1 / 0.99**2))
    assert above == pytest.approx((0.1, 5.0, -250.0))


@pytest.mark.parametrize("linear", [0, 1])
def test_embedding(linear):
    p = constants(replace(IRON, emb_lin_neg=linear))
    assert_derivatives(lambda rho: embedding(rho, p), [-0.5, 0.05, 1.0, 3.0])
    assert embedding(1.0, p)[0] == 0.0
    assert embedding(-0.5, p)[0] == pytest.approx(0.56 * 4.29 * 0.5 * linear)


@pytest.mark.parametrize("form", [0, 1, 2])
def test_equation_of_state(form):
    p = constants(replace(IRON, erose_form=form, attrac=0.05, repuls=0.11))
    assert_derivatives(lambda r: equation_of_state(r, p), [1.5, 2.2, 2.7, 4.0])
    value, slope, curvature = equation_of_state(IRON.re, p)
    assert (value, slope) == pytest.approx((-4.29, 0.0))
    assert curvature == pytest.approx(4.29 * (5.2 / 2.48) ** 2)


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("changes", [{}, {"nn2": 1, "Cmin": 0.4}, {"zbl": 0, "ibar": 3, "nn2": 1, "Cmin": 0.4}])
def test_pair_potential(lattice, changes):
    p = constants(replace(IRON, lattice=lattice, attrac=0.05, repuls=0.11, **changes))
    # Nuclei alone below 1.05 Å, with φ up to 2.0 Å.
    assert_derivatives(lambda r: pair_potential(r, p), [0.5, 1.0, 1.1, 1.6, 1.95, 2.05, 2.4, 3.0, 4.5])


@pytest.mark.parametrize("lattice", ["bcc", "fcc", "sc"])
def test_pair_potential_gives_the_lattice_its_equation_of_state(lattice):
    """E = F(ρ̄(r)) + Z/2 φ(r) + Z2 S/2 φ(a r), where a series of ten terms ends small."""
    structure = LATTICES[lattice]
    parameters = replace(IRON, lattice=lattice, nn2=1, Cmin=0.9, zbl=0, ibar=3)
    p = constants(parameters)
    c = 4 / structure.ratio**2 - 1
    screening = cutoff((c - 0.9) / 1.9)[0] ** structure.screening
    for r in (2.2, 2.48, 3.0):
        density, reference = (
            structure.neighbours * np.exp(-4.1 * (x / 2.48 - 1))
            + structure.second_neighbours * screening * np.exp(-4.1 * (structure.ratio * x / 2.48 - 1))
            for x in (r, 2.48)
        )
        energy = embedding(density / reference, p)[0] + structure.neighbours / 2 * pair_potential(r, p)[0]
        energy += structure.second_neighbours * screening / 2 * pair_potential(structure.ratio * r, p)[0]
        assert energy == pytest.approx(equation_of_state(r, p)[0], abs=1e-6)


def test_nuclei_repel_each_other():
    """Ziegler, Biersack and Littmark: at 0.5 Å the screening of two iron nuclei is some 0.04."""
    value = pair_potential(0.5, constants(IRON))[0]
    x = 0.5 * 2 * 26**0.23 / 0.4685
    screening = 0.18175 * np.exp(-3.1998 * x) + 0.50986 * np.exp(-0.94229 * x)
    screening += 0.28022 * np.exp(-0.4029 * x) + 0.028171 * np.exp(-0.20162 * x)
    assert value == pytest.approx(26**2 * 14.3997 / 0.5 * screening)


def test_pair_potential_has_one_derivative_where_nuclei_repel_each_other_alone():
    """φ'' jumps at α (r/re - 1) = -3 as the second derivative of the cutoff function does, by 32."""
    p, without_nuclei = constants(IRON), constants(replace(IRON, zbl=0))
    r = 2.48 * (1 - 3 / 5.2)
    below, above = (np.array(pair_potential(r * (1 + change), p)) for change in (-1e-12, 1e-12))
    np.testing.assert_allclose(above[:2], below[:2], rtol=1e-9)
    share_of_phi = pair_potential(r, without_nuclei)[0] - below[0]
    assert abs(share_of_phi) > 1
    assert above[2] - below[2] == pytest.approx(32 * (5.2 / 2.48 / 2) ** 2 * share_of_phi, rel=1e-6)


@pytest.mark.parametrize("name", ["Fe 2018", "Co 2NN"])
def test_parameters_in_use(name):
    """Constants of sets that were worked out by hand."""
    p = constants(potential_of(name).parameters)
    if name == "Fe 2018":
        # All four second neighbours' screens have C = 2.
        assert p.second_neighbours == pytest.approx(6 * cutoff((2 - 0.533) / 2.267)[0] ** 4)
        assert p.background == pytest.approx(8 + p.second_neighbours * np.exp(-4.01 * (2 / np.sqrt(3) - 1)))
    else:
        # ibar 3: Γ = t3/3/144.
        assert p.background / 12 == pytest.approx(
            2 / (1 + np.exp(1 / 432)) * (1 + p.second_neighbours / 12 * np.exp(-3.5 * (np.sqrt(2) - 1)))
        )


@pytest.mark.parametrize("c_max", [1.2, 2.0, 2.8, 4.0])
def test_no_screening_atom_is_further_away(c_max):
    """The points of an ellipse with semi-axes 1/2 and sqrt(C)/2, from one end of the pair."""
    angle = np.linspace(0, np.pi, 10001)
    squares = (np.cos(angle) / 2 + 0.5) ** 2 + c_max * np.sin(angle) ** 2 / 4
    assert search_factor(c_max) == pytest.approx(squares.max(), rel=1e-7)
