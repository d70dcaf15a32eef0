"""Sparse factors, against dense ones."""

import hypothesis.strategies as st
import numpy as np
import pytest
from ase.build import bulk, make_supercell
from hypothesis import given
from random_springs import cells, springs, whole, without
from scipy.sparse import bsr_array
from threadpoolctl import threadpool_limits

from vibentropy import Potential, SaddlePointError
from vibentropy.labels.block_matrix import from_hessian, from_parts
from vibentropy.labels.dissection import dissect
from vibentropy.labels.multifrontal import factorise_sparse
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import HessianParts


@given(cells(), st.booleans())
def test_determinants_are_those_of_dense_matrices(case, densities):
    atoms, random = case
    parts = springs(atoms, random, densities)
    # Atoms that nothing holds are held here, by translations too: nothing is singular.
    n = len(atoms)
    held = parts.local + bsr_array(np.eye(3 * n), blocksize=(3, 3))
    parts = HessianParts(bsr_array(held, blocksize=(3, 3)), parts.gradients, parts.curvatures)
    hessian = whole(parts)
    for matrix in (from_parts(parts), from_hessian(bsr_array(hessian, blocksize=(3, 3)))):
        for pin in (True, False):
            plan = dissect(matrix, atoms, pin=pin)
            dense = without(hessian, plan.pinned) if pin else hessian
            expected = np.linalg.slogdet(dense)[1]
            eigenvalues = np.linalg.eigvalsh(dense)
            if eigenvalues[0] > 1e-6:
                assert factorise_sparse(matrix, plan).log_determinant == pytest.approx(expected, abs=1e-9 * n)
            widest = int(np.diff(eigenvalues).argmax())
            if eigenvalues[widest + 1] - eigenvalues[widest] < 1e-2:
                continue
            bound = float(eigenvalues[[widest, widest + 1]].mean())
            result = factorise_sparse(matrix, plan, shift=bound, definite=False)
            assert result.negative == (eigenvalues < bound).sum()
            assert result.log_determinant == pytest.approx(np.log(np.abs(eigenvalues - bound)).sum(), abs=1e-6)


def cell_of(structure):
    atoms = {
        "bcc": lambda: bulk("Fe", cubic=True, a=2.8553127).repeat((6, 7, 8)),
        "fcc": lambda: bulk("Cu", cubic=True, a=3.615).repeat(6),
        "triclinic": lambda: make_supercell(bulk("Fe", a=2.8553127), [[9, 1, 0], [0, 10, 2], [1, 0, 9]]),
    }[structure]()
    random = np.random.default_rng(1)
    del atoms[random.choice(len(atoms), 6, replace=False)]
    return atoms


@pytest.mark.parametrize("structure", ["bcc", "fcc", "triclinic"])
def test_minima_of_potentials(iron, structure):
    potential = Potential.from_setfl("Cu_mishin1.eam.alloy", "Cu") if structure == "fcc" else iron
    atoms, *_ = newton_relax(cell_of(structure), potential, 1e-6)
    hessian = potential.hessian(atoms)
    plans = []
    for matrix in (from_parts(potential.hessian_parts(atoms)), from_hessian(hessian)):
        plan = dissect(matrix, atoms)
        expected = np.linalg.slogdet(without(hessian.toarray(), plan.pinned))[1]
        assert factorise_sparse(matrix, plan).log_determinant == pytest.approx(expected, abs=1e-8)
        plans.append(plan)
    # Cells are cut, and densities of their own pay.
    assert plans[0].flops < min(plans[1].flops, 0.8 * 9 * len(atoms) ** 3)


def test_what_does_not_fit_waits_on_disk_and_changes_nothing(iron):
    atoms = bulk("Fe", cubic=True, a=2.8553127).repeat(8)
    matrix = from_parts(iron.hessian_parts(atoms))
    plan = dissect(matrix, atoms)
    usual = factorise_sparse(matrix, plan)
    assert plan.on_disk(0)
    assert factorise_sparse(matrix, plan, memory=0) == usual


def test_saddles_are_refused(iron, iron_crystal):
    atoms = iron_crystal(5)
    # An atom half-way between two others is pushed on.
    atoms.positions[0] += 0.38 * (atoms.positions[1] - atoms.positions[0])
    hessian = iron.hessian(atoms)
    negative = int((np.linalg.eigvalsh(hessian.toarray()) < -1e-6).sum())
    assert negative
    for matrix in (from_parts(iron.hessian_parts(atoms)), from_hessian(hessian)):
        with pytest.raises(SaddlePointError):
            factorise_sparse(matrix, dissect(matrix, atoms))
        plan = dissect(matrix, atoms, pin=False)
        assert factorise_sparse(matrix, plan, shift=-1e-6, definite=False).negative == negative


def test_threads_change_the_last_digits_only(iron):
    atoms = cell_of("bcc")
    matrix = from_parts(iron.hessian_parts(newton_relax(atoms, iron, 1e-4)[0]))
    plan = dissect(matrix, atoms)
    values = []
    for threads in (1, 1, 2):
        with threadpool_limits(threads):
            values.append(factorise_sparse(matrix, plan).log_determinant)
    assert values[0] == values[1]
    assert values[2] == pytest.approx(values[0], abs=2e-9)
