"""Files of models: they give a model back to the last bit, and what is no such file is refused."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from ase.io import write
from small_models import CRYSTAL, FRAMES

from vibentropy.errors import DataError
from vibentropy.model.entropy_model import EntropyModel


def test_file_gives_the_same_bits(fitted, tmp_path):
    regressor, model, _ = fitted
    model.save(tmp_path / "model.h5", config_sha256="0" * 64)
    again = EntropyModel.load(tmp_path / "model.h5")
    expected = model.predict(FRAMES).to_numpy()
    assert again.predict(FRAMES).to_numpy().tobytes() == expected.tobytes()
    for name in ("element", "volume_per_atom", "entropy_range", "provenance", "noise_variance", "regressor"):
        assert getattr(again, name) == getattr(model, name)
    assert again.regressor == repr(regressor)
    assert again.provenance["run_seed"] == 2020
    assert {"vibentropy", "numpy", "scikit-learn"} <= set(again.provenance)

    if model.covariance is None:
        return  # one new process is enough, and the one with standard deviations has more to get wrong
    np.savez(
        tmp_path / "frames.npz", **{str(k): atoms.positions for k, atoms in enumerate(FRAMES)}, cell=CRYSTAL.cell[:]
    )
    script = """
import sys, numpy as np
from ase import Atoms
from vibentropy.model.entropy_model import EntropyModel
frames = np.load("frames.npz")
atoms = [Atoms("Fe" * len(frames[str(k)]), frames[str(k)], cell=frames["cell"], pbc=True) for k in range(12)]
np.save("predicted.npy", EntropyModel.load("model.h5").predict(atoms).to_numpy())
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120)
    assert np.load(tmp_path / "predicted.npy").tobytes() == expected.tobytes()


def test_file_is_arrays_and_plain_text(fitted, tmp_path):
    fitted[1].save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        kinds = {name: data.dtype.kind for name, data in file.items()}
        names = file["feature_names"].asstr()[:].tolist()
        assert file.attrs["entropy_convention"] == "per mode"
        assert file.attrs["descriptor"] == (
            '{"kind": "afs", "parameters": {"l_max": 2, "n_max": 2, "r_cut": 4.0, "species": null}}'
        )
        assert all(isinstance(value, str | np.number | np.ndarray) for value in file.attrs.values())
    assert names == [f"A_n{n}_l{degree}" for n in (1, 2) for degree in range(3)]
    assert set(kinds) - {"covariance", "noise_variance"} == {"coef", "bulk", "scale", "feature_names"}
    assert ("covariance" in kinds) == ("noise_variance" in kinds) == (fitted[1].covariance is not None)
    assert {kind for name, kind in kinds.items() if name != "feature_names"} == {"f"}


def test_same_model_gives_the_same_bytes(fitted, tmp_path):
    for name in "ab":
        fitted[1].save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def edited(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "not a complete HDF5 file"),
        (lambda path: write(path, CRYSTAL, format="extxyz"), "not a complete HDF5 file"),
        (lambda path: path.unlink(), "no such file"),
        (lambda path: edited(path, lambda file: file.attrs.update(kind="features")), "kind 'features'"),
        (lambda path: edited(path, lambda file: file.attrs.update(schema=3)), "schema 3; expected 'entropy model'"),
        (
            lambda path: edited(path, lambda file: file.attrs.update(descriptor='{"kind": "asf", "parameters": {}}')),
            "the descriptor of the model cannot be built: there is no descriptor of kind 'asf'",
        ),
        (
            lambda path: edited(path, lambda file: file["feature_names"].__setitem__(1, "A_1_0")),
            "begin with A_n1_l0, A_n1_l1, A_n1_l2, those of the model with A_n1_l0, A_1_0",
        ),
    ],
)
def test_other_files_are_refused(fitted, tmp_path, damage, message):
    path = tmp_path / "model.h5"
    fitted[1].save(path)
    damage(path)
    with pytest.raises(DataError, match=f"model.h5: .*{message}"):
        EntropyModel.load(path)


@pytest.mark.parametrize("value", [np.eye(2), np.full((6, 6), np.nan)])
def test_a_covariance_of_other_features_is_refused(fitted, tmp_path, value):
    path = tmp_path / "model.h5"
    fitted[1].save(path)
    with h5py.File(path, "r+") as file:
        for name in {"covariance", "noise_variance"} & file.keys():
            del file[name]
        file["covariance"], file["noise_variance"] = value, 1.0
    with pytest.raises(DataError, match=r"model.h5: /covariance(\[0, 0\] is nan| has shape \(2, 2\))"):
        EntropyModel.load(path)
