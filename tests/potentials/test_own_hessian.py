"""Hessians of calculators are taken in whatever form they come, and refused where they are wrong."""

import numpy as np
import pytest
from ase.calculators.emt import EMT
from matscipy.calculators.eam import EAM
from odd_calculators import Compiled, EnergyOnly, SelfMade
from scipy.sparse import bsr_array, issparse

from vibentropy.errors import PotentialError
from vibentropy.potentials.own_hessian import checked, offers_hessian, own_hessian


@pytest.fixture(scope="module")
def atoms(iron_crystal):
    """A vacancy, away from rest: nothing vanishes by symmetry."""
    atoms = iron_crystal(3)
    del atoms[0]
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.fixture(scope="module")
def hessian(iron, atoms):
    return iron.hessian(atoms).toarray()


@pytest.fixture
def check(iron, atoms):
    return lambda hessian: checked(hessian, atoms, lambda displaced: iron.energy_and_forces(displaced)[1])


@pytest.mark.parametrize(
    "offered",
    [
        bsr_array,
        np.asarray,
        lambda hessian: hessian.reshape(len(hessian), -1, 3),  # as MACE has it
        lambda hessian: hessian.astype(np.float32),
        lambda hessian: hessian + 1e-5 * np.random.default_rng(1).standard_normal(hessian.shape),
    ],
)
def test_right_ones_are_taken_in_any_form(offered, hessian, check):
    matrix = check(offered(hessian))
    assert issparse(matrix) == issparse(offered(hessian))
    matrix = matrix.toarray() if issparse(matrix) else matrix
    np.testing.assert_allclose(matrix, hessian, atol=1e-4)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-12)
    # Rounding of a dense one is corrected, so that three eigenvalues are zero.
    assert np.abs(matrix.reshape(len(matrix), -1, 3).sum(axis=1)).max() < 1e-11


def without_far_neighbours(hessian, keep_sums):
    """Leave out blocks of the farthest neighbours, here the smallest ones; and change the diagonal or not."""
    blocks = hessian.reshape(len(hessian) // 3, 3, -1, 3).transpose(0, 2, 1, 3).copy()
    sizes = np.abs(blocks).max(axis=(2, 3))
    dropped = (sizes > 0) & (sizes < 0.1)
    assert dropped.sum() > len(blocks)
    if keep_sums:
        atoms = np.arange(len(blocks))
        blocks[atoms, atoms] += np.where(dropped[:, :, None, None], blocks, 0).sum(axis=1)
    blocks[dropped] = 0
    # Of the sums, the part that is not symmetric is none of a Hessian.
    matrix = blocks.transpose(0, 2, 1, 3).reshape(hessian.shape)
    return (matrix + matrix.T) / 2


def one_pair_left_out(hessian):
    changed = hessian.copy()
    changed[:3, 30:33] = changed[30:33, :3] = hessian[:3, 30:33] + 0.05 * np.eye(3)
    for i in (0, 10):
        changed[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] -= 0.05 * np.eye(3)
    return changed


def with_nan(hessian):
    changed = hessian.copy()
    changed[5, 7] = np.nan
    return changed


def with_one_side_stronger(hessian):
    """Rows of an atom are those of twice the stiffness."""
    changed = hessian.copy()
    changed[:3] *= 2
    return changed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda h: h / 55.845,
            r"the derivative of its forces divided by 55\.8\d+ .is it divided by masses\?.; finite d",
        ),
        (
            lambda h: -h,
            r"the derivative of its forces divided by -(1|0.9999.*); finite differences work instead: `hessian: fini",
        ),
        (with_one_side_stronger, r"is not symmetric: elements differ by up to \d+\.?\d* eV/Å², where the largest"),
        (lambda h: with_one_side_stronger(h).T, "is not symmetric"),
        # Coordinates of all atoms one after the other, instead of atoms.
        (lambda h: h.reshape(len(h) // 3, 3, -1, 3).transpose(1, 0, 3, 2).reshape(h.shape), "breaks the sum rule"),
        (lambda h: without_far_neighbours(h, keep_sums=False), "breaks the sum rule: moving all atoms alike by 1 Å"),
        (
            lambda h: without_far_neighbours(h, keep_sums=True),
            "not the derivative of its forces: .*neighbours left out",
        ),
        (one_pair_left_out, "a displacement changes the force on atom (0|10) by up to"),
        (with_nan, "has elements that are not finite"),
        (lambda h: bsr_array(with_nan(h)), "has elements that are not finite"),
        (lambda h: h[:-3, :-3], r"has the shape \(156, 156\) for 53 atoms, expected \(159, 159\)"),
        (lambda h: bsr_array(h[:, :-3]), r"has the shape \(159, 156\) for 53 atoms"),
        (lambda h: [h, h], r"has the shape \(2, 159, 159\)"),  # of a committee
    ],
)
def test_wrong_ones_are_refused(wrong, message, hessian, check):
    with pytest.raises(PotentialError, match=f"the Hessian .*{message}"):
        check(wrong(hessian))


def test_what_calculators_offer(fine_table, iron, atoms, hessian):
    assert [offers_hessian(c) for c in (EMT(), EnergyOnly(), SelfMade(None))] == [False, False, True]
    matscipy = EAM(str(fine_table))
    assert offers_hessian(matscipy)
    for calculator in (matscipy, SelfMade(hessian)):
        found = own_hessian(calculator, atoms, lambda displaced: iron.energy_and_forces(displaced)[1])
        # Cubic splines through the fine table leave noise of 3e-5 eV/Å² in second derivatives.
        assert np.abs(found - hessian).max() < 1e-3


def test_one_that_cannot_be_computed_is_said_with_what_works(atoms):
    message = "Hessian of Compiled cannot be computed: RuntimeError: second .* work instead: `hessian: finite_differ"
    with pytest.raises(PotentialError, match=message):
        own_hessian(Compiled(), atoms, None)
