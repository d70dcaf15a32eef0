"""The domain against cells of every kind."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from scipy.stats import binom
from uncertain_models import CRYSTAL, A, misspecified, vacancies

from vibentropy.errors import StructureError
from vibentropy.features.sets import LocalValues
from vibentropy.learning.bayesian import ExtensiveBayesianRidge
from vibentropy.learning.calibration import Calibration
from vibentropy.learning.domain import Domain, verdict, whitening
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.scaling import size


def sensitive(domain):
    """As if all training atoms were alike, so that any change of the crystal counted."""
    return replace(domain, lowest=domain.lattice - 1e-6, highest=domain.lattice + 1e-6)


class TestWhitening:
    def test_bayesian_posterior(self):
        X, y, _, _ = misspecified(50, 2)
        fitted = ExtensiveBayesianRidge().fit(X, y)
        Z = X / fitted.scale_
        ratio = fitted.weight_precision_ * fitted.noise_variance_
        G = Z.T @ (Z / size(Z)[:, None]) + ratio * np.eye(6)
        factor = whitening(Z, fitted)
        np.testing.assert_allclose(factor @ factor.T, np.linalg.inv(G), rtol=1e-8, atol=1e-12)

    def test_features_that_are_not_used_have_no_leverage(self):
        X, y, _, _ = misspecified(50, 2)
        fitted = create_regressor("sklearn.linear_model.Lasso", alpha=5.0).fit(X, y)
        used = fitted.coef_ != 0
        assert 0 < used.sum() < 6
        Z = X / fitted.scale_
        factor = whitening(Z, fitted)
        inverse = np.zeros((6, 6))
        inverse[np.ix_(used, used)] = np.linalg.inv(Z[:, used].T @ Z[:, used])
        np.testing.assert_allclose(factor @ factor.T, inverse, rtol=1e-8)


class TestDomain:
    def test_cells_like_those_of_the_training_and_their_copies_are_inside(self, model):
        new = [vacancies(seed) for seed in range(100, 140)]
        flagged = model.predict(new)["domain"] != "inside"
        # Two tests that one row in a hundred fails; of 60 calibrating rows the largest is the limit.
        assert flagged.sum() <= binom.ppf(0.999, 40, 2 / 60)
        inside = [atoms for atoms, out in zip(new, flagged, strict=True) if not out]
        assert (model.predict([atoms * (2, 1, 1) for atoms in inside[:5]])["domain"] == "inside").all()
        assert model.predict([CRYSTAL, CRYSTAL * (2, 2, 1)])["domain"].tolist() == ["inside", "inside"]

    def test_interstitial(self, model):
        atoms = CRYSTAL + Atoms("Fe", [[0.5 * A, 0.5 * A, 0.0]])
        reason = model.predict(atoms)["domain"][0]
        assert reason.startswith("outside: ")
        assert "an atom's feature" in reason
        assert "training ranges outside (allowed 0." in reason

    @pytest.mark.parametrize("strain", [0.01, -0.01])
    def test_strain(self, model, strain):
        atoms, crystal = vacancies(300), CRYSTAL.copy()
        for one in (atoms, crystal):
            one.set_cell((1 + strain) * one.cell[:], scale_atoms=True)
        assert "perfect crystal" in model.predict(atoms, reference=crystal)["domain"][0]
        assert model.predict(atoms)["domain"][0].startswith("outside: ")

    @pytest.mark.parametrize("strain", [1e-5, -1e-5, 9e-5])
    def test_digits_of_the_lattice_constant_are_no_strain(self, model, strain):
        """Whatever the features: those of narrow splines move far more than the broad ones of other descriptors."""
        atoms, crystal = vacancies(300), CRYSTAL.copy()
        for one in (atoms, crystal):
            one.set_cell((1 + strain) * one.cell[:], scale_atoms=True)
        narrow = replace(model, uncertainty=replace(model.uncertainty, domain=sensitive(model.uncertainty.domain)))
        assert "perfect crystal" not in narrow.predict(atoms, reference=crystal)["domain"][0]
        assert "perfect crystal" not in narrow.predict(atoms, narrow.reference_features(crystal))["domain"][0]
        # Nor do intervals of cells with a crystal of their own apply.
        scores = narrow.uncertainty.calibration.scores
        wide = replace(narrow, uncertainty=replace(narrow.uncertainty, own_crystal=Calibration(10 * scores)))
        ends = [one.predict(atoms, reference=crystal)["high_95"][0] for one in (narrow, wide)]
        assert ends[0] == ends[1]
        shear = np.eye(3) + [[0, 0.05, 0], [0, 0, 0], [0, 0, 0]]
        for one in (atoms, crystal):
            one.set_cell(one.cell[:] @ shear, scale_atoms=True)
        assert "perfect crystal" in narrow.predict(atoms, reference=crystal)["domain"][0]

    def test_disordered(self, model):
        rng = np.random.default_rng(9)
        atoms = CRYSTAL.copy()
        atoms.positions += rng.normal(scale=0.4, size=atoms.positions.shape)
        assert "training ranges outside" in model.predict(atoms)["domain"][0]

    def test_another_element_is_refused(self, model):
        with pytest.raises(StructureError, match="a crystal of W; the model is of Fe"):
            model.predict(bulk("W", cubic=True) * 3)

    def test_reasons_by_hand(self):
        local = LocalValues(np.array([[[0.0, 5.0], [2.0, 5.0]], [[-1.0, 5.0], [1.0, 5.0]]]), np.zeros((2, 2)))
        domain = Domain.fit(np.eye(2), np.diag([1.0, 3.0]), local).limited([1.0, 2.0], [-0.5, 0.1])
        assert domain.reasons(np.array([[1.0, 0.0], [0.0, 0.0]])) == ["", ""]
        (reason,) = domain.reasons(np.array([[0.0, 1.0]]))
        assert reason == "few training cells are like it (leverage 4.24, allowed 2)"
        assert [verdict(""), verdict(reason)] == ["inside", f"outside: {reason}"]
        limits = np.array([[[-1.0, 5.0], [2.6, 5.0]], [[-0.5, 4.0], [2.2, 6.0]]])
        found = domain.reasons(np.zeros((2, 2)), limits, np.array([[0.0, 0.0], [0.06, 0.0]]), ["a", "b"])
        # The range of the first feature is 3; one that never varied cannot be outside.
        assert found[0] == "an atom's a is 0.2 training ranges outside (allowed 0.1)"
        assert found[1] == "its perfect crystal is 0.02 training ranges from the model's (allowed 0.001)"
