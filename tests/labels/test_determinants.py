"""Determinants by whichever way is cheapest, against all eigenvalues."""

import re
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import cholesky
from scipy.sparse import bsr_array

from vibentropy.errors import SaddlePointError
from vibentropy.labels import determinants
from vibentropy.labels.block_matrix import from_parts
from vibentropy.labels.determinants import (
    LogDeterminant,
    eigenvalues_below,
    log_determinant,
    relaxed_log_determinant,
    stable_eigenvalues,
)
from vibentropy.labels.dissection import dissect
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import HessianParts


@pytest.fixture(scope="module")
def vacancy(iron, iron_crystal):
    return newton_relax(iron_crystal(5)[1:], iron, 1e-6)[0]


@pytest.fixture
def always_sparse(monkeypatch):
    monkeypatch.setattr(determinants, "_SPARSE_COST", 0.0)
    monkeypatch.setattr(determinants, "_SPARSE_START", 0.0)


def test_dense_and_sparse_agree(iron, vacancy, always_sparse):
    hessian = iron.hessian(vacancy)
    eigenvalues = np.linalg.eigvalsh(hessian.toarray())[3:]
    whole = SimpleNamespace(energy_and_forces=iron.energy_and_forces, hessian=iron.hessian)
    for found in (log_determinant(hessian), *(relaxed_log_determinant(vacancy, p) for p in (iron, whole))):
        assert found.value == pytest.approx(np.log(eigenvalues).sum(), abs=1e-9)
        assert found.smallest_eigenvalue == pytest.approx(eigenvalues[0], rel=1e-3)
        assert found.n_atoms == len(vacancy)


def test_large_cells_are_factorised_sparsely_and_small_ones_densely(iron, iron_crystal, monkeypatch):
    used = []
    for name in ("factorise", "factorise_sparse"):
        function = getattr(determinants, name)
        monkeypatch.setattr(
            determinants, name, lambda *a, name=name, function=function, **k: used.append(name) or function(*a, **k)
        )
    for n in (3, 9):
        relaxed_log_determinant(iron_crystal(n), iron)
    assert used == ["factorise", "factorise_sparse"]


def test_crystals_are_summed_over_waves(iron, iron_crystal):
    crystal = iron_crystal(5)
    found = LogDeterminant.of_eigenvalues(stable_eigenvalues(crystal, iron))
    expected = log_determinant(iron.hessian(crystal))
    assert found.value == pytest.approx(expected.value, abs=1e-9)
    assert found.n_atoms == 250
    assert found.smallest_eigenvalue == pytest.approx(expected.smallest_eigenvalue, rel=1e-3)


def test_saddles_are_refused_by_either_way(iron, iron_crystal, always_sparse):
    # A dumbbell along <111>, put in place symmetrically, relaxes to a saddle.
    atoms = iron_crystal(5)
    along = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)
    atoms.append("Fe")
    atoms.positions[-1] = atoms.positions[0] + 0.9 * along
    atoms.positions[0] -= 0.9 * along
    saddle, *_ = newton_relax(atoms, iron, 1e-6)
    eigenvalues = np.linalg.eigvalsh(iron.hessian(saddle).toarray())
    assert eigenvalues[0] < -1e-2
    whole = SimpleNamespace(energy_and_forces=iron.energy_and_forces, hessian=iron.hessian)
    for potential in (iron, whole):
        with pytest.raises(SaddlePointError, match="smallest eigenvalue of the Hessian is -"):
            relaxed_log_determinant(saddle, potential)
    with pytest.raises(SaddlePointError):
        log_determinant(iron.hessian(saddle))
    # What is no minimum fails in the factor as well, whatever its lowest eigenvalue is taken for.
    for potential in (iron, whole):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(determinants, "lowest_eigenvalue", lambda *_, **__: 1.0)
            with pytest.raises(SaddlePointError, match="negative eigenvalue"):
                relaxed_log_determinant(saddle, potential)


def test_a_hessian_that_needs_its_densities_is_no_saddle(iron, vacancy, always_sparse):
    """Take so much from A and give it to the densities that A alone is indefinite."""
    parts = iron.hessian_parts(vacancy)
    gradients = parts.gradients.toarray()
    more = 3.0
    local = parts.local.toarray() - more * gradients.T @ gradients
    assert np.linalg.eigvalsh(local)[0] < -1e-3
    moved = HessianParts(bsr_array(local, blocksize=(3, 3)), parts.gradients, parts.curvatures + more)
    potential = SimpleNamespace(
        energy_and_forces=iron.energy_and_forces, hessian=iron.hessian, hessian_parts=lambda _: moved
    )
    expected = relaxed_log_determinant(vacancy, iron)
    found = relaxed_log_determinant(vacancy, potential)
    assert found.value == pytest.approx(expected.value, abs=1e-8)
    assert replace(found, value=expected.value).n_atoms == expected.n_atoms


@pytest.mark.slow
def test_a_disordered_cell_of_eight_copies_is_eight_dense_factors(iron, iron_crystal, always_sparse):
    """Waves that change sign from copy to copy, or not, along each axis fold eight copies back on the one cell."""
    atoms = iron_crystal(5)
    sites = atoms.positions
    del atoms[np.random.default_rng(0).choice(len(atoms), 30, replace=False)]
    atoms.rattle(0.2, seed=1)
    cell = newton_relax(atoms, iron, 1e-8)[0]
    displaced = np.linalg.norm(cell.positions[:, None] - sites, axis=-1).min(axis=1) > 0.1
    assert displaced.sum() > 50
    tile = cell.repeat(2)
    found = relaxed_log_determinant(tile, iron)
    n = 3 * len(cell)
    rows = iron.hessian(tile).tocsr()[:n].toarray().reshape(n, 2, 2, 2, n)
    total = 0.0
    for signs in product((1, -1), repeat=3):
        folded = rows
        for sign in reversed(signs):
            folded = folded[..., 0, :] + sign * folded[..., 1, :]
        if signs == (1, 1, 1):
            total += log_determinant(folded).value
        else:
            total += 2 * np.log(np.diagonal(cholesky(folded, lower=True))).sum()
    assert -0.5 * found.value == pytest.approx(-0.5 * total, abs=1e-8)


def test_eigenvalues_are_counted(iron, vacancy):
    hessian = iron.hessian(vacancy)
    eigenvalues = np.linalg.eigvalsh(hessian.toarray())
    for bound in (-1.0, 0.5 * eigenvalues[3], 1.0, 8.0, 100.0):
        assert eigenvalues_below(hessian, vacancy, bound) == (eigenvalues < bound).sum()


def test_long_factors_are_announced(iron, iron_crystal, monkeypatch):
    said = []
    atoms = iron_crystal(9)
    relaxed_log_determinant(atoms, iron, note=said.append)
    assert said == []
    monkeypatch.setattr(determinants, "_SPARSE_SPEED", 1e8)
    unbounded = relaxed_log_determinant(atoms, iron, note=said.append)
    bounded = relaxed_log_determinant(atoms, iron, note=said.append, memory=30_000_000)
    assert bounded == unbounded
    plan = dissect(from_parts(iron.hessian_parts(atoms)), atoms)
    operations = f"{plan.flops:.1e}".replace("e+10", "e10")
    expected = f"1,458 atoms: a sparse factor of {operations} operations, about {plan.flops / 6e9:.0f} min, "
    assert said[0] == f"{expected}{plan.peak_bytes() / 1e9:.1f} GB"
    # Where memory is short, the rest waits on disk.
    assert re.fullmatch(re.escape(said[0]) + r", of which 0\.0 GB go to disk", said[1])
