"""`vibentropy check`."""

import re
from pathlib import Path

import ase.io
import numpy as np
import pytest
import yaml
from iron_files import CONFIG, POTENTIAL


class TestCheck:
    def test_a_configuration(self, run):
        result = run("check", "my.yaml")
        assert re.search(r"^train: 6 planned; trajectories: 3", result.stdout, re.M)
        assert re.search(r"^mine: 3 relaxed; atoms: 51 to 53; classes: V1, V2, V3; role: test", result.stdout, re.M)
        # Three of a recipe and their beginnings, and three of a file.
        assert re.search(r"^9 configurations of 54 sites take, .*^  labels +2 +1 min ", result.stdout, re.M | re.S)

    @pytest.mark.parametrize(
        ("changes", "message", "code"),
        [
            ({"descriptors": {"afs": {"kind": "afs", "n_mx": 3}}}, r"descriptors\.afs.*did you mean 'n_max'", 2),
            ({"lattice": None}, "lattice: missing", 2),
            ({"datasets": {"cut": {"role": "train", "files": ["cut.xyz"], "reference": "bulk.xyz"}}}, "truncated", 2),
            ({"datasets": {"bad": {"role": "train", "files": ["few.xyz"], "reference": "bulk.xyz"}}}, "0001: pos", 2),
            (
                {"datasets": {"swapped": {"role": "train", "files": ["my.xyz"], "reference": "other.xyz"}}},
                "datasets.swapped.reference: other.xyz: .*expected the perfect crystal",
                2,
            ),
            (
                {"datasets": {"m": {"role": "train", "files": ["my.xyz"], "reference": "bulk.xyz"}}},
                "evaluation.folds: 2 folds of 1 trajectory to train on: .*`group_key`",
                2,
            ),
            (
                {
                    "datasets": {"m": {"role": "train", "files": ["my.xyz"], "reference": "bulk.xyz"}},
                    "potential": {"file": POTENTIAL, "element": "P"},
                    "lattice": None,
                },
                "datasets.m.reference: bulk.xyz: the configuration holds Fe where only P is expected by `potential`",
                2,
            ),
        ],
    )
    def test_a_configuration_with_faults(self, run, changes, message, code, vacancies):
        few = [vacancies[0], vacancies[1].copy()]
        few[1].positions[0, 0] = np.nan
        ase.io.write("few.xyz", few, format="extxyz")
        Path("faulty.yaml").write_text(yaml.safe_dump(CONFIG | changes))
        result = run("check", "faulty.yaml", code=code)
        assert re.search(message, result.stderr)
        # What is no data set is not counted.
        assert "evaluation" not in result.stdout

    def test_forces_are_those_of_the_potential(self, run, vacancies):
        """Another program's minimum is none here: 1e-4 Å beside it, forces are a few times what labels take."""
        loud = [atoms.copy() for atoms in vacancies]
        for atoms in loud[1:]:
            atoms.positions[5] += [1e-4, 0, 0]
        ase.io.write("loud.xyz", loud, format="extxyz")
        mine = {"role": "train", "files": ["loud.xyz", "other.xyz"], "reference": "bulk.xyz"}
        Path("loud.yaml").write_text(yaml.safe_dump(CONFIG | {"datasets": {"mine": mine}}))
        found = run("check", "loud.yaml").stderr
        assert re.search(r"mine: warning: 2 of 4 cells have forces above 1.0e-04 eV/Å by the smooth functions", found)
        assert re.search(r"up to .*e-04 in mine/loud.xyz/000[12]: they would get no label; say `relax: true`", found)
        Path("loud.yaml").write_text(yaml.safe_dump(CONFIG | {"datasets": {"mine": mine | {"relax": True}}}))
        assert "forces" not in run("check", "loud.yaml").stderr

    def test_too_few_minima(self, run):
        """Two files with one minimum in common; six features."""
        mine = {"role": "train", "files": ["my.xyz", "other.xyz"], "reference": "bulk.xyz"}
        Path("few.yaml").write_text(yaml.safe_dump(CONFIG | {"datasets": {"mine": mine}}))
        found = run("check", "few.yaml").stderr
        assert "descriptors.afs_3_10: warning: 3 distinct minima for 6 features: label more, at least 6, or" in found
        many = CONFIG["datasets"]["train"]["recipe"] | {"defects": {"V1": {"vacancies": 1, "trajectories": 30}}}
        train = CONFIG["datasets"]["train"] | {"recipe": many}
        Path("many.yaml").write_text(
            yaml.safe_dump(CONFIG | {"datasets": {"train": train, "mine": CONFIG["datasets"]["mine"]}})
        )
        assert "distinct" not in run("check", "many.yaml").stderr

    def test_as_many_folds_as_trajectories(self, run):
        """Each file is one."""
        datasets = {"m": {"role": "train", "files": ["my.xyz", "other.xyz"], "reference": "bulk.xyz"}}
        Path("even.yaml").write_text(yaml.safe_dump(CONFIG | {"datasets": datasets}))
        run("check", "even.yaml")

    def test_files(self, run):
        assert run("check", "my.xyz").stdout == ("my.xyz: 3 readable; elements: Fe; atoms: 51 to 53; properties: S_f\n")
        result = run("check", "bad.xyz", code=1)
        assert "bad.xyz: 3 readable, 1 rejected; elements: Fe, W" in result.stdout
        assert "bad.xyz, frame 1: position of atom 3" in result.stderr
        run("check", "my.xyz", "cut.xyz", code=2)
        ase.io.write("nan.xyz", ase.io.read("bad.xyz", index=1), format="extxyz")
        assert "nan.xyz: 1 rejected" in run("check", "nan.xyz", code=2).stdout

    def test_files_as_a_data_set(self, run):
        arguments = "check", "my.xyz", "--reference", "bulk.xyz"
        assert "files: 3 relaxed" in run(*arguments).stdout
        assert "entropies: 2.6 to 7.9 k_B" in run(*arguments, "--entropy", "S_f").stdout
        assert "none of its 3" in run(*arguments, "--entropy", "S", code=2).stderr
        assert "--entropy needs --reference" in run("check", "my.xyz", "--entropy", "S_f", code=2).stderr
        assert "eV/K" in run(*arguments, "--entropy", "S_f", "--unit", "eV/K", code=2).stderr
        assert "give one configuration" in run("check", "my.yaml", "my.xyz", code=2).stderr
        both = "check", "solutes.xyz", "--reference", "bulk.xyz", "--reference", "solute.xyz"
        assert "files: 1 relaxed" in run(*both).stdout
        assert "holds P where only Fe" in run(*both[:4], code=2).stderr
