"""Sets of features: failures on record, files that hold everything, shards that become one."""

import numpy as np
import pytest
from ase.build import bulk
from pair_sums import CRYSTAL, PairSums, vacancy

from vibentropy.descriptors import create, recipe
from vibentropy.errors import DataError, StructureError
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.features.sets import FeatureSet, concatenate, load_by_dataset, load_outcomes


def test_no_configurations_have_no_rows(afs):
    empty = FeatureSet.compute(afs, [], [], np.zeros(8))
    assert empty.X.shape == (0, 8)


@pytest.fixture
def features():
    descriptor = PairSums(refuses=55)
    frames = [vacancy(), CRYSTAL + bulk("Fe"), CRYSTAL[:1], CRYSTAL]
    about = {"dataset": "train", "element": "Fe", "volume_per_atom": 11.6}
    return FeatureSet.compute(descriptor, ["a/å", "b", "c", "d"], frames, bulk_features(descriptor, CRYSTAL), **about)


def test_failures_are_recorded_with_their_reason(features):
    assert features.ids == ("a/å", "d")
    assert features.X.shape == (2, 2)
    assert features.failures == {
        "b": "too many atoms",
        "c": "feature count is not finite",
    }


def test_structures_that_a_descriptor_refuses_are_failures(afs):
    twice = CRYSTAL + CRYSTAL[:1]
    done = []
    found = FeatureSet.compute(afs, ["a", "b"], [twice, CRYSTAL], np.zeros(8), done=done.append)
    assert found.ids == ("b",)
    assert found.failures["a"].startswith("atoms")
    assert done == ["a", "b"]
    with pytest.raises(StructureError):
        extensive_features(afs, twice, np.zeros(8))


def test_only_errors_of_this_package_set_a_configuration_aside(afs):
    """Whatever else goes wrong ends the job, and says with which configuration."""
    with pytest.raises(AttributeError, match="train/0007: AngularFourierSeries"):
        FeatureSet.compute(afs, ["train/0007"], ["not atoms"], np.zeros(8))
    with pytest.raises(ValueError, match=r"train/0007: PairSums.* raise a vibentropy.errors.StructureError"):
        FeatureSet.compute(PairSums(fails_at=53), ["train/0007"], [vacancy()], np.zeros(2))


def test_file_holds_everything(features, tmp_path):
    features.save(tmp_path / "features.h5", seed=3)
    again = FeatureSet.load(tmp_path / "features.h5")
    np.testing.assert_array_equal(again.X, features.X)
    np.testing.assert_array_equal(again.bulk, features.bulk)
    for name in ("ids", "feature_names", "descriptor", "failures", "dataset", "element", "volume_per_atom"):
        assert getattr(again, name) == getattr(features, name)
        assert type(getattr(again, name)) is type(getattr(features, name))
    assert load_outcomes(tmp_path / "features.h5") == ("train", 2, features.failures)


def test_atoms_leave_their_range_and_crystal(afs, features, tmp_path):
    assert features.local is None  # a descriptor without values per atom
    strained = CRYSTAL.copy()
    strained.set_cell(1.01 * CRYSTAL.cell[:], scale_atoms=True)
    frames, crystals = [vacancy(), strained], [CRYSTAL, strained]
    found = FeatureSet.compute(
        afs,
        ["a", "b"],
        frames,
        bulk_features(afs, CRYSTAL),
        reference=lambda index: bulk_features(afs, crystals[index]),
    )
    for limits, atoms in zip(found.local.limits, frames, strict=True):
        np.testing.assert_array_equal(limits, [afs.local(atoms).min(axis=0), afs.local(atoms).max(axis=0)])
    np.testing.assert_array_equal(found.local.crystals, [bulk_features(afs, crystal) for crystal in crystals])
    np.testing.assert_array_equal(found.X[0], extensive_features(afs, vacancy(), found.bulk)[0])
    found.save(tmp_path / "features.h5")
    both = concatenate(
        [FeatureSet.load(tmp_path / "features.h5"), FeatureSet.compute(afs, ["c"], frames[:1], found.bulk)]
    )
    np.testing.assert_array_equal(both.local.limits, found.local.limits[[0, 1, 0]])
    np.testing.assert_array_equal(both.local.crystals[:2], found.local.crystals)


def test_recipe_builds_the_descriptor_again(afs, features, tmp_path):
    assert recipe(afs) == {"kind": "afs", "parameters": {"n_max": 2, "l_max": 3, "r_cut": 4.0, "species": None}}
    assert repr(create(recipe(afs)["kind"], **recipe(afs)["parameters"])) == repr(afs)
    assert features.descriptor["kind"] == "pair_sums.PairSums"
    built = create(features.descriptor["kind"], **features.descriptor["parameters"])
    assert isinstance(built, PairSums)
    assert built.refuses == 55


def part(ids, r_cut=3.0, crystal=CRYSTAL, **parameters):
    descriptor = PairSums(r_cut, **parameters)
    return FeatureSet.compute(descriptor, ids, [vacancy()] * len(ids), bulk_features(descriptor, crystal))


def test_shards_become_one_set():
    parts = [part(["a", "b"]), part([]), part(["c"], crystal=CRYSTAL * (1, 1, 2)), part(["d"], refuses=53)]
    with pytest.raises(DataError, match="cannot be put together"):
        concatenate(parts)
    together = concatenate(parts[:3])
    assert together.ids == ("a", "b", "c")
    np.testing.assert_allclose(together.X, np.tile(parts[0].X[:1], (3, 1)), rtol=1e-9)
    refused = [part([name], refuses=53) for name in "ef"]
    assert concatenate(refused).failures == dict.fromkeys("ef", "too many atoms")


def test_files_of_older_versions_name_their_data_set_by_the_folder_that_they_are_in(tmp_path):
    """Data sets need not be of one perfect crystal."""
    strained = bulk("Fe", "bcc", a=2.86, cubic=True) * (3, 3, 3)
    sets = {"small/0": part(["s"]), "large/1": part(["b"], crystal=strained), "small/1": part(["a"])}
    for name, one in sets.items():
        path = tmp_path / f"{name}.h5"
        path.parent.mkdir(exist_ok=True)
        one.save(path)
    found = load_by_dataset(tmp_path / f"{name}.h5" for name in sets)
    assert {name: one.ids for name, one in found.items()} == {"small": ("s", "a"), "large": ("b",)}
    np.testing.assert_array_equal(found["large"].bulk, sets["large/1"].bulk)
    assert found["large"].element == ""
    assert np.isnan(found["large"].volume_per_atom)


def test_files_name_their_data_set_wherever_they_are(features, tmp_path):
    features.save(tmp_path / "moved.h5")
    (dataset,) = load_by_dataset([tmp_path / "moved.h5"])
    assert dataset == "train"


def test_sets_that_do_not_belong_together_are_refused():
    with pytest.raises(DataError, match="no sets"):
        concatenate([])
    with pytest.raises(DataError, match="a has features in more than one set"):
        concatenate([part(["b", "a"]), part(["a"])])
    with pytest.raises(DataError, match=r"'r_cut': 3.1.* cannot be put together with .*'r_cut': 3.0"):
        concatenate([part(["a"]), part(["b"], r_cut=3.1)])
    strained = bulk("Fe", "bcc", a=2.86, cubic=True) * (3, 3, 3)
    with pytest.raises(DataError, match="different perfect crystals"):
        concatenate([part(["a"]), part(["b"], crystal=strained)])
