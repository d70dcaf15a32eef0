"""Products by atom against sums written out, what centring changes, and what products of sums would do."""

import numpy as np
import pytest
from ase.build import bulk

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError
from vibentropy.features.extensive import bulk_features, extensive_features

AFS = {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}
IRON = {"structure": "bcc", "a": 2.8553}
CRYSTAL = bulk("Fe", "bcc", a=2.8553, cubic=True) * 4


def defective(seed):
    rng = np.random.default_rng(seed)
    atoms = CRYSTAL.copy()
    del atoms[rng.integers(len(atoms))]
    atoms.positions += rng.normal(scale=0.03, size=atoms.positions.shape)
    return atoms


@pytest.mark.parametrize("crystal", [None, IRON])
def test_products_written_out(crystal, monkeypatch):
    part, atoms = create(**AFS), defective(0)
    x = part.local(atoms)
    b = 0.0 if crystal is None else part.local(CRYSTAL)[17]
    expected = [row.tolist() for row in x]
    for i, row in enumerate(x - b):
        expected[i] += [row[p] * row[q] for p in range(6) for q in range(p, 6)]
    quadratic = create("quadratic", of=AFS, crystal=crystal)
    assert quadratic.n_features == 6 + 21
    assert quadratic.feature_names[6:8] == ["A_n1_l0*A_n1_l0", "A_n1_l0*A_n1_l1"]
    np.testing.assert_allclose(quadratic.local(atoms), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(quadratic.total(atoms), np.sum(expected, axis=0), rtol=1e-9, atol=1e-9)
    # A few atoms at a time.
    monkeypatch.setattr("vibentropy.descriptors.quadratic.MAX_NUMBERS", 200)
    np.testing.assert_allclose(quadratic.total(atoms), np.sum(expected, axis=0), rtol=1e-9, atol=1e-9)


def test_products_are_extensive_by_atom_and_not_by_cell():
    """Two distant vacancies are the sum of both; the product of their sums has a mixed term."""
    middle = int(np.linalg.norm(CRYSTAL.positions - CRYSTAL.cell[:].sum(axis=0) / 2, axis=1).argmin())
    one, two = CRYSTAL.copy(), CRYSTAL * (2, 1, 1)
    del one[middle], two[[middle, middle + len(CRYSTAL)]]
    quadratic = create("quadratic", of=AFS, crystal=IRON)
    reference = bulk_features(quadratic, CRYSTAL)
    single, double = extensive_features(quadratic, [one, two], reference)
    np.testing.assert_allclose(double, 2 * single, atol=1e-8)
    by_cell = [np.outer(X[:6], X[:6]) for X in (single, double)]
    assert np.abs(by_cell[1] - 2 * by_cell[0]).max() > 1
    rattled, eight = extensive_features(quadratic, [defective(1), defective(1) * 2], reference)
    np.testing.assert_allclose(eight, 8 * rattled, atol=1e-7)


def test_centred_products_say_the_same_and_are_better_conditioned():
    frames = [defective(seed) for seed in range(60)]
    plain, centred = (create("quadratic", of=AFS, crystal=crystal) for crystal in (None, IRON))
    X, Z = (extensive_features(q, frames, bulk_features(q, CRYSTAL)) for q in (plain, centred))
    b = create(**AFS).local(CRYSTAL)[0]
    p, q = np.triu_indices(6)
    np.testing.assert_allclose(Z[:, 6:], X[:, 6:] - b[p] * X[:, q] - b[q] * X[:, p], atol=1e-9 * np.abs(X).max())
    plain, centred = (np.linalg.cond(F / np.sqrt((F**2).mean(axis=0))) for F in (X, Z))
    assert centred < plain / 5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"of": {"n_max": 3}}, "mapping with a kind"),
        ({"of": {"kind": "affs"}}, r"of: .*'affs' \(did you mean 'afs'\?\)"),
        ({"of": AFS | {"species": ["Fe"]}}, "of: species belong to the whole"),
        ({"of": {"kind": "scattering"}}, "no values per atom"),
        ({"crystal": {"structure": "bcc"}}, "mapping of structure and a"),
        ({"crystal": {"structure": "hcp", "a": 2.5}}, "crystal.structure == 'hcp', must be sc, bcc, fcc or diamond"),
        ({"crystal": {"structure": "bcc", "a": -1.0}}, "crystal.a == -1.0, must be > 0"),
        ({"crystal": IRON, "species": ["Fe", "Cr"]}, "must be left out with a crystal"),
    ],
)
def test_refusals(parameters, message):
    with pytest.raises(ConfigError, match=message):
        create("quadratic", **parameters)


def test_products_across_descriptors():
    """Of a union, features of different descriptors are multiplied, too; and products can be part of a union."""
    parts = {"a": {"kind": "two_body", "n_max": 1, "r_cut": 3.5}, "b": {"kind": "afs", "n_max": 1, "l_max": 1}}
    atoms = defective(3)
    quadratic = create("quadratic", of={"kind": "union", "parts": parts})
    x = create("union", parts=parts).local(atoms)
    p, q = np.triu_indices(x.shape[1])
    np.testing.assert_allclose(quadratic.local(atoms), np.hstack([x, x[:, p] * x[:, q]]), rtol=1e-12)
    union = create("union", parts={"pairs": {"kind": "quadratic", "of": AFS}})
    np.testing.assert_array_equal(union.total(atoms), create("quadratic", of=AFS).total(atoms))
