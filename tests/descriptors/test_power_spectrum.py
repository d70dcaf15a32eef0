"""The power spectrum against double sums of Legendre polynomials."""

import numpy as np
import pytest
from definition import environment, radial
from odd_cells import rattled
from scipy.special import eval_legendre

from vibentropy.descriptors import create
from vibentropy.descriptors.afs import chebyshev_in_legendre


def double_sum(first, second, n_max, l_max, r_cut):
    """Σ_jk g_n(r_j) g_n'(r_k) P_l(cos θ_jk), shape (n_max, n_max, l_max + 1), j and k from two sets of vectors."""
    distances = [np.linalg.norm(vectors, axis=1) for vectors in (first, second)]
    g, h = (np.array([radial(r, n_max, r_cut) for r in some]).astype(float) for some in distances)
    cosines = (first / distances[0][:, None]) @ (second / distances[1][:, None]).T
    polynomials = eval_legendre(np.arange(l_max + 1)[:, None, None], cosines)
    return np.einsum("jn,km,ljk->nml", g, h, polynomials)


@pytest.fixture(scope="module")
def alloy():
    """Distorted, of two elements."""
    return rattled(create("power_spectrum", species=["Fe", "Cr"]))


@pytest.mark.parametrize(("n_max", "l_max", "r_cut"), [(4, 6, 5.0), (1, 0, 3.0), (12, 3, 4.0)])
def test_one_species(alloy, n_max, l_max, r_cut):
    atoms = alloy.copy()
    atoms.symbols = "Fe16"
    vectors = environment(atoms, 2, r_cut)[0].astype(float)
    expected = double_sum(vectors, vectors, n_max, l_max, r_cut)[np.triu_indices(n_max)].ravel()
    found = create("power_spectrum", n_max=n_max, l_max=l_max, r_cut=r_cut).local(atoms)[2]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_two_species(alloy):
    descriptor = create("power_spectrum", n_max=3, l_max=4, r_cut=4.0, species=["Fe", "Cr"])
    features = dict(zip(descriptor.feature_names, descriptor.local(alloy)[5], strict=True))
    vectors, symbols = environment(alloy, 5, 4.0)
    own = {symbol: vectors[symbols == symbol].astype(float) for symbol in ("Fe", "Cr")}
    centre, other = alloy[5].symbol, {"Fe": "Cr", "Cr": "Fe"}[alloy[5].symbol]
    for pair in (("Fe", "Fe"), ("Fe", "Cr"), ("Cr", "Cr")):
        expected = double_sum(own[pair[0]], own[pair[1]], 3, 4, 4.0)
        for n in range(3):
            for k in range(n if pair[0] == pair[1] else 0, 3):
                for degree in range(5):
                    name = f"{pair[0]}-{pair[1]}_n{n + 1}-n{k + 1}_l{degree}"
                    assert features.pop(f"P_{centre}_{name}") == pytest.approx(expected[n, k, degree], abs=1e-12)
                    assert features.pop(f"P_{other}_{name}") == 0
    assert not features


def test_its_diagonal_holds_the_angular_fourier_series(alloy):
    """A_{nl} is half of Σ_l' m_{ll'} P_{nnl'} less the terms that it leaves out, the same for all l."""
    atoms = alloy.copy()
    atoms.symbols = "Fe16"
    power = create("power_spectrum", n_max=3, l_max=5)
    spectrum = dict(zip(power.feature_names, power.total(atoms), strict=True))
    series = create("afs", n_max=3, l_max=5).total(atoms).reshape(3, 6)
    for n in (1, 2, 3):
        whole = chebyshev_in_legendre(5) @ [spectrum[f"P_n{n}-n{n}_l{degree}"] for degree in range(6)]
        np.testing.assert_allclose(np.diff(2 * series[n - 1]), np.diff(whole), rtol=0, atol=1e-10)


def test_feature_names():
    names = create("power_spectrum", n_max=2, l_max=1).feature_names
    assert names == [f"P_{pair}_l{degree}" for pair in ("n1-n1", "n1-n2", "n2-n2") for degree in (0, 1)]
