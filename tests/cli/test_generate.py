"""`vibentropy generate`."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner
from iron_files import CONFIG, ROOT

from vibentropy.cli import main
from vibentropy.cli.generate import _recipe
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import ConfigError


@pytest.fixture(scope="module")
def made(folder):
    """One trajectory, with labels."""
    arguments = [str(folder / "my.yaml"), "--trajectories", "1", "--label", "-o", str(folder / "made.h5")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert CliRunner().invoke(main, ["generate", *arguments]).exit_code == 0
    return ConfigurationSet.load(folder / "made.h5")


class TestGenerate:
    @pytest.mark.slow
    def test_one_trajectory_of_each_class_is_labelled(self, made):
        assert list(made.table["id"]) == ["train/3x3x3-V1-0000/00", "train/3x3x3-V1-0000/01"]
        assert list(made.table["status"]) == ["labelled"] * 2
        assert made.table["formation_entropy"].between(1.5, 4).all()

    @pytest.mark.slow
    def test_configurations_are_those_of_the_workflow(self, made, folder):
        command = ["-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "my.yaml", "--cores", "1"]
        recipe = CONFIG | {"datasets": {"train": CONFIG["datasets"]["train"]}}
        (folder / "workflow").mkdir()
        (folder / "workflow/my.yaml").write_text(yaml.safe_dump(recipe))
        subprocess.run(
            [sys.executable, *command, "--quiet", "all", "--", "labels"], cwd=folder / "workflow", check=True
        )
        expected = ConfigurationSet.load(folder / "workflow/results/configurations.h5").table.set_index("id")
        for row in made.table.itertuples():
            assert row.energy == pytest.approx(expected.loc[row.id, "energy"], abs=1e-9)
            assert row.formation_entropy == pytest.approx(expected.loc[row.id, "formation_entropy"], abs=1e-6)

    @pytest.mark.parametrize("name", [None, "train"])
    def test_without_a_recipe_there_is_a_next_step(self, name):
        with pytest.raises(ConfigError, match="no data set has a recipe; `vibentropy new` writes"):
            _recipe(SimpleNamespace(generated=[]), name)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["my.yaml"], "Missing option '-o'"),
            (["my.yaml", "-o", "made.csv"], "should end in"),
            (["my.yaml", "--dataset", "mine", "-o", "made.xyz"], "data sets with a recipe: train; 'mine' is none"),
            (["my.yaml", "--dataset", "trian", "-o", "made.xyz"], r"did you mean 'train'\?"),
            (["bulk.xyz", "-o", "made.xyz"], "Error: bulk.xyz"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("generate", *arguments, code=2).stderr)
