"""Models: predictions that grow with the cell, clear refusals."""

import html
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from small_models import CRYSTAL, FRAMES, LABELS, A

from vibentropy.descriptors import create
from vibentropy.errors import DataError, StructureError
from vibentropy.features.extensive import describe_references, extensive_features
from vibentropy.features.sets import FeatureSet
from vibentropy.learning.fold_fits import fold_fits
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.uncertainty import quantify
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.run.file_info import contents


def test_predictions_are_those_of_the_regressor(fitted):
    regressor, model, X = fitted
    table = model.predict(FRAMES)
    mean, std = regressor.predict(X, return_std=True)
    assert list(table.columns) == ["formation_entropy", "std", "n_atoms"]
    np.testing.assert_array_equal(table["formation_entropy"], mean)
    np.testing.assert_array_equal(table["std"], std)
    np.testing.assert_array_equal(table["n_atoms"], [len(atoms) for atoms in FRAMES])
    assert np.isfinite(std).all() or np.isnan(std).all()


def test_one_configuration_is_a_list_of_one(fitted):
    _, model, _ = fitted
    one, several = model.predict(FRAMES[3]), model.predict(atoms for atoms in FRAMES)
    np.testing.assert_allclose(one.iloc[0], several.iloc[3], rtol=1e-12)
    assert model.predict([]).empty


def test_progress_goes_from_block_to_block_and_from_cell_to_cell(fitted):
    _, model, _ = fitted
    shares = []
    model.predict([CRYSTAL * 3, CRYSTAL], within=shares.append)  # three blocks of at most 512 atoms
    np.testing.assert_allclose(shares, [512 / 1458 / 2, 1024 / 1458 / 2, 0.5, 1.0])


def test_shares_of_atoms_come_in_the_same_pass(fitted, monkeypatch):
    _, model, _ = fitted
    blocks, described = type(model.descriptor)._blocks, []

    def counted(self, atoms):
        described.append(len(atoms))
        return blocks(self, atoms)

    monkeypatch.setattr(type(model.descriptor), "_blocks", counted)
    table = model.predict(FRAMES[:2], per_atom=True)
    assert described == [len(atoms) for atoms in FRAMES[:2]]
    pd.testing.assert_frame_equal(table.drop(columns="site_entropies"), model.predict(FRAMES[:2]), check_exact=True)
    for atoms, shares, entropy in zip(FRAMES, table["site_entropies"], table["formation_entropy"], strict=False):
        assert shares.sum() == pytest.approx(entropy, abs=1e-9)
        np.testing.assert_array_equal(shares, model.site_entropies(atoms))


def test_predictions_are_extensive(fitted):
    _, model, _ = fitted
    one = model.predict(FRAMES[:3])["formation_entropy"]
    eight = model.predict([atoms * (2, 2, 2) for atoms in FRAMES[:3]])["formation_entropy"]
    np.testing.assert_allclose(eight, 8 * one, rtol=1e-8)
    np.testing.assert_allclose(model.predict(CRYSTAL * (2, 1, 1))["formation_entropy"], 0.0, atol=1e-8)


def test_strained_cells_have_a_strained_reference(fitted):
    _, model, _ = fitted
    strained = bulk("Fe", "bcc", a=1.01 * A, cubic=True)
    larger = CRYSTAL.copy()
    larger.set_cell(1.01 * larger.cell[:], scale_atoms=True)
    assert abs(model.predict(larger)["formation_entropy"][0]) > 1e-3
    np.testing.assert_allclose(model.predict(larger, reference=strained)["formation_entropy"], 0.0, atol=1e-8)


def test_a_notebook_shows_the_facts_of_info(fitted, tmp_path):
    _, model, _ = fitted
    model.save(tmp_path / "model.h5")
    shown = html.unescape(model._repr_html_())
    assert "EntropyModel of Fe" in shown
    facts = contents(tmp_path / "model.h5")
    for name in ("validity", "descriptor", "regressor", "volume per atom"):
        assert f">{name}</th>" in shown
        assert facts[name] in shown
    assert "{:.6g} to {:.6g}".format(*facts["training entropies"]) in shown
    assert len(shown) < 3000


def in_vacuum():
    atoms = FRAMES[0].copy()
    atoms.pbc = (True, True, False)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (bulk("W", cubic=True) * (3, 3, 3), "a crystal of W; the model is of Fe"),
        (CRYSTAL[:-1] + Atoms("C", [[1, 1, 1]]), "holds C, Fe"),
        (in_vacuum(), r"periodic boundary conditions are \[True, True, False\]"),
        (Atoms(cell=[3, 3, 3], pbc=True), "no atoms"),
        (CRYSTAL + CRYSTAL[:1], "on one site"),
        (Atoms("Fe", [[np.nan, 0, 0]], cell=[3, 3, 3], pbc=True), "not finite"),
    ],
)
def test_what_is_not_a_crystal_of_the_element_is_refused(fitted, atoms, message):
    with pytest.raises(StructureError, match=f"configuration 2: .*{message}"):
        fitted[1].predict([FRAMES[0], FRAMES[1], atoms, FRAMES[2]])
    with pytest.raises(StructureError, match=message):
        fitted[1].predict(FRAMES, reference=atoms)


def test_parts_that_do_not_fit_are_refused(fitted, descriptor):
    regressor, model, _ = fitted
    rest = {"element": "Fe", "volume_per_atom": A**3 / 2, "entropy_range": (0, 1)}
    with pytest.raises(DataError, match="the descriptor has 8 features, the regressor 6, the bulk reference 6"):
        EntropyModel.from_fit(create("afs", n_max=2, l_max=3), regressor, model.bulk, **rest)
    with pytest.raises(DataError, match="the descriptor has 6 features, the regressor 6, the bulk reference 5"):
        EntropyModel.from_fit(descriptor, regressor, model.bulk[1:], **rest)


def test_another_volume_is_worth_a_warning(fitted):
    _, model, _ = fitted
    # By chance, and not, a whole number of sites.
    for a, message in [(3.2, r"the volume of 76\.0\d+ sites"), (2.87, r"the volume of 54\.8\d+ sites")]:
        crystal = bulk("Fe", "bcc", a=a, cubic=True) * 3
        with pytest.warns(UserWarning, match=rf"^the cell has {message} .* `reference`"):
            model.predict(crystal)
        with pytest.warns(UserWarning, match=rf"^configuration 1: the cell has {message} .* `reference`"):
            model.predict([bulk("Fe", "bcc", a=2.8553, cubic=True) * 3, crystal])
    # In units of Bohr and nm.
    for a in (5.3957, 0.28553):
        with pytest.warns(UserWarning, match="^the cell has the volume of .*: are its lengths in Å.*$"):
            model.predict(bulk("Fe", "bcc", a=a, cubic=True) * 2)
    with pytest.raises(StructureError, match="^the cell .* sites of the reference crystal, expected 54, as many as"):
        model.predict(crystal, reference=bulk("Fe", "bcc", a=3.19, cubic=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(crystal, reference=crystal)


class TestAlloys:
    """Copies of iron: an element more changes nothing but the names, as long as both are seen."""

    @pytest.fixture
    def cells(self):
        solute = CRYSTAL.copy()
        solute.symbols[5] = "Cr"
        solute.rattle(0.01, seed=1)
        return [CRYSTAL, solute]

    @pytest.fixture
    def frames(self):
        frames = [atoms.copy() for atoms in FRAMES]
        for number, atoms in enumerate(frames):
            atoms.symbols[: number % 5] = "Cr"
        return frames

    @pytest.fixture
    def fitted(self, cells, frames):
        descriptor = create("pair_spline", r_cut=4.0, spacing=0.5, species=["Fe", "Cr"])
        bulk_of_elements = describe_references(descriptor, cells[0], cells[1:])
        features = FeatureSet.compute(descriptor, list(map(str, range(12))), frames, bulk_of_elements)
        X = features.X
        regressor = create_regressor("ridge").fit(X, LABELS)
        about = {"element": "Fe", "volume_per_atom": A**3 / 2, "entropy_range": (0, 8)}
        groups = np.arange(12) % 4
        uncertainty = quantify(fold_fits(regressor, X, LABELS, groups, groups), X, LABELS, groups, features.local)
        return (
            regressor,
            EntropyModel.from_fit(descriptor, regressor, bulk_of_elements, uncertainty=uncertainty, **about),
            X,
        )

    def test_predictions(self, fitted, frames, cells, tmp_path):
        regressor, model, X = fitted
        assert model.elements == ("Fe", "Cr")
        assert "of Fe and Cr" in repr(model)
        assert "defects in Fe and Cr" in model.validity()
        found = model.predict(frames, per_atom=True)
        np.testing.assert_array_equal(found["formation_entropy"], regressor.predict(X))
        assert "domain" in found
        for shares, entropy in zip(found["site_entropies"], found["formation_entropy"], strict=True):
            assert shares.sum() == pytest.approx(entropy, abs=1e-8)
        np.testing.assert_allclose(model.site_entropies(frames[4]), found["site_entropies"][4], atol=1e-12)
        np.testing.assert_allclose(model.predict(cells)["formation_entropy"], 0, atol=1e-8)
        twice = model.predict(frames[7] * (2, 1, 1))["formation_entropy"][0]
        assert twice == pytest.approx(2 * found["formation_entropy"][7], abs=1e-8)
        # Iron alone is an alloy, too.
        assert np.isfinite(model.predict(FRAMES[0])["formation_entropy"][0])

    def test_file(self, fitted, frames, tmp_path):
        _, model, _ = fitted
        model.save(tmp_path / "model.h5")
        again = EntropyModel.load(tmp_path / "model.h5")
        pd.testing.assert_frame_equal(again.predict(frames), model.predict(frames), check_exact=True)
        assert again.elements == model.elements
        with h5py.File(tmp_path / "model.h5") as file:
            assert file["bulk"].shape == (2, model.descriptor.n_features)
            assert file.attrs["elements"].tolist() == ["Fe", "Cr"]
            assert file.attrs["element"] == "Fe"
            np.testing.assert_array_equal(file.attrs["shares"], [1, 0])
        with h5py.File(tmp_path / "model.h5", "r+") as file:
            file.attrs.update(elements=["Fe", "Fe"])
        with pytest.raises(DataError, match="its elements are Fe, Fe, expected chemical symbols, each once"):
            EntropyModel.load(tmp_path / "model.h5")

    def test_an_element_that_it_has_not_seen(self, fitted, frames):
        stranger = frames[2].copy()
        stranger.symbols[7] = "P"
        with pytest.raises(StructureError, match="configuration 1: .* holds P; the model is of Fe and Cr"):
            fitted[1].predict([frames[2], stranger])
        with pytest.raises(StructureError, match="the reference: the configuration holds P"):
            fitted[1].predict(frames[2], reference=[CRYSTAL, stranger])

    def test_references_of_the_user(self, fitted, frames, cells):
        _, model, _ = fitted
        expected = model.predict(frames)
        found = model.predict(frames, reference=[cells[0], cells[1].repeat((2, 1, 1))])
        np.testing.assert_allclose(found["formation_entropy"], expected["formation_entropy"], atol=1e-8)
        described = model.reference_features(cells)
        np.testing.assert_allclose(
            model.predict(frames, reference=described)["formation_entropy"], expected["formation_entropy"], atol=1e-8
        )
        with pytest.raises(StructureError, match="the reference: 1 cell for a model of Fe and Cr, expected one for"):
            model.predict(frames, reference=CRYSTAL)
        with pytest.raises(StructureError, match="the reference: .*shares of Fe and Cr that follow from each other"):
            model.predict(frames, reference=[cells[1], cells[1].repeat((2, 1, 1))])


class TestRandomAlloys:
    """Cells of one random alloy: predictions are relative to each cell without its defect, and to nothing else."""

    def alloy(self, seed):
        atoms = CRYSTAL.copy()
        atoms.symbols[np.random.default_rng(seed).permutation(54)[:20]] = "Cr"
        atoms.rattle(0.03, seed=seed)
        return atoms

    @pytest.fixture
    def model(self):
        descriptor = create("pair_spline", r_cut=4.0, spacing=0.5, species=["Fe", "Cr"])
        X = []
        for seed in range(12):
            described = describe_references(descriptor, self.alloy(seed), [CRYSTAL])
            X += [*extensive_features(descriptor, self.alloy(seed)[1 + seed % 3 :], described)]
        regressor = create_regressor("ridge").fit(np.array(X), LABELS)
        about = {"element": "Fe", "volume_per_atom": A**3 / 2, "entropy_range": (0, 8)}
        return EntropyModel.from_fit(descriptor, regressor, described, **about)

    def test_each_cell_has_a_reference_of_its_own(self, model, tmp_path):
        model.save(tmp_path / "model.h5")
        model = EntropyModel.load(tmp_path / "model.h5")
        for seed in (3, 20):
            own = self.alloy(seed), CRYSTAL
            assert model.predict(own[0], reference=own)["formation_entropy"][0] == pytest.approx(0, abs=1e-8)
            predicted = model.predict(own[0][1:], reference=own, per_atom=True)
            assert predicted["site_entropies"][0].sum() == pytest.approx(predicted["formation_entropy"][0], abs=1e-8)
            assert abs(predicted["formation_entropy"][0]) > 1e-3

    def test_what_is_not_defined_is_refused(self, model):
        for predict in (model.predict, model.site_entropies):
            with pytest.raises(
                StructureError, match="give the same cell without the defect, then the further .* as `ref"
            ):
                predict(self.alloy(3)[1:])
        ordered = bulk("FeCr", "cesiumchloride", a=A).repeat(3)
        with pytest.raises(StructureError, match="the reference: a crystal, expected the cell of a random alloy"):
            model.predict(self.alloy(3)[1:], reference=[ordered, CRYSTAL])
        with pytest.raises(
            StructureError, match="the reference: the cells after the first .* the model was fitted with"
        ):
            model.predict(self.alloy(3)[1:], reference=[self.alloy(3), bulk("Cr", "bcc", a=A, cubic=True)])
