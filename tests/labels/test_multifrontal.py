"""Sparse factors, against dense ones."""

import hypothesis.strategies as st
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from hypothesis import given
from scipy.sparse import bsr_array

from vibentropy import Potential, SaddlePointError, neighbour_pairs
from vibentropy.labels.block_matrix import from_hessian, from_parts
from vibentropy.labels.dissection import dissect
from vibentropy.labels.multifrontal import factorise_sparse
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import HessianParts


def springs(atoms, random, densities=True):
    """Parts of the Hessian of random springs between atoms that are close, and of densities of either curvature."""
    n, reach = len(atoms), 3.5
    first, neighbour, vectors, _ = neighbour_pairs(atoms, reach)
    local, gradients = np.zeros((n, 3, n, 3)), np.zeros((n, n, 3))
    for i in range(n):
        for j, vector in zip(neighbour[first[i] : first[i + 1]], vectors[first[i] : first[i + 1]], strict=True):
            unit = vector / np.linalg.norm(vector)
            block = 0.5 * np.outer(unit, unit) + 0.2 * np.eye(3)
            local[i, :, j] -= block
            local[j, :, i] -= block
            local[i, :, i] += block
            local[j, :, j] += block
            gradients[i, j] += unit
            gradients[i, i] -= unit
    curvatures = random.choice([-0.02, 0.0, 0.7], n) if densities else np.zeros(n)
    return HessianParts(
        bsr_array(local.reshape(3 * n, 3 * n), blocksize=(3, 3)),
        bsr_array(gradients.reshape(n, 3 * n), blocksize=(1, 3)),
        curvatures,
    )


def whole(parts):
    gradients = parts.gradients.toarray()
    return parts.local.toarray() + gradients.T @ (parts.curvatures[:, None] * gradients)


def without(hessian, atom):
    rows = np.delete(np.arange(len(hessian)), [3 * atom, 3 * atom + 1, 3 * atom + 2])
    return hessian[np.ix_(rows, rows)]


@st.composite
def cells(draw):
    """Cells of random atoms: triclinic, long or flat, open in some directions, some atoms outside."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = draw(st.sampled_from([(4, 4, 30), (12, 12, 12), (5, 18, 18), (4, 4, 4), (10, 14, 20)]))
    cell = np.diag(lengths) + random.uniform(-1.5, 1.5, (3, 3))
    # Somewhere in the middle of small boxes, so that no two are on one site.
    boxes = np.array(lengths) // 2
    places = np.indices(boxes).reshape(3, -1).T
    chosen = random.permutation(len(places))[: draw(st.integers(2, len(places)))]
    scaled = (places[chosen] + random.uniform(0.3, 0.7, (len(chosen), 3))) / boxes + random.integers(
        -1, 2, (len(chosen), 3)
    )
    pbc = draw(st.tuples(*[st.booleans()] * 3))
    scaled[:, ~np.array(pbc)] %= 1.0
    return Atoms(f"Fe{len(chosen)}", scaled @ cell, cell=cell, pbc=pbc), random


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
        vector = random.normal(size=3 * n)
        np.testing.assert_allclose(matrix.apply(vector), hessian @ vector, atol=1e-11)


@given(cells())
def test_every_vertex_is_eliminated_once_and_after_what_it_sees(case):
    atoms, random = case
    matrix = from_parts(springs(atoms, random))
    plan = dissect(matrix, atoms)
    pivots = np.concatenate([front.pivots for front in plan.fronts])
    n_vertices = len(matrix.first) - 1
    assert sorted([*pivots.tolist(), plan.pinned]) == list(range(n_vertices))
    for place, front in enumerate(plan.fronts):
        assert all(child < place for child in front.children)
        # What a pivot sees is in the front, or was eliminated before.
        members = {*front.pivots.tolist(), *front.border.tolist(), plan.pinned}
        for vertex in front.pivots:
            for other in matrix.neighbour[matrix.first[vertex] : matrix.first[vertex + 1]]:
                assert other in members or plan.rank[other] < plan.rank[front.pivots[0]]
    assert plan.fronts[-1].n_border == 0


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
    on_disk = plan.on_disk(0)
    assert on_disk
    assert plan.peak_bytes(on_disk) < plan.peak_bytes()
    assert factorise_sparse(matrix, plan, memory=0) == usual
    assert not plan.on_disk(plan.peak_bytes())


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
