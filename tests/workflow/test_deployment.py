"""The workflow as a module of others, as docs/deployment.md says, and from `workflow/Snakefile`."""

import re
import subprocess
import sys

import pytest
import yaml
from pages import ROOT, blocks
from workflow_runs import HANGS, TINY, like_the_repository

pytestmark = pytest.mark.slow


def planned(folder, *arguments):
    """Rules of a dry run by how many jobs they have, and its output."""
    program = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", *arguments]
    finished = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=HANGS)
    output = finished.stdout + finished.stderr
    assert finished.returncode == 0, output
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", output, re.M | re.S)[1]
    return {name: int(count) for name, count in map(str.split, table.splitlines())}


def module(folder):
    """Write the Snakefile of the page, with the path of this repository."""
    (shown, *_) = [block.text for block in blocks("docs/deployment.md", "text") if "module vibentropy" in block.text]
    (folder / "Snakefile").write_text(shown.replace("/path/to/vibentropy", str(ROOT)), encoding="utf-8")


def test_a_module_does_what_a_clone_does(tmp_path):
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    in_a_clone = planned(tmp_path, "--snakefile", ROOT / "Snakefile", "--configfile", "my.yaml")
    from_workflow = planned(tmp_path, "--snakefile", ROOT / "workflow/Snakefile", "--configfile", "my.yaml")
    module(tmp_path)
    as_module = planned(tmp_path)
    in_a_clone["everything"] = in_a_clone.pop("all")
    assert from_workflow == as_module == in_a_clone
    assert as_module["crate"] == 1


def test_two_modules_stand_side_by_side(tmp_path):
    config = {name: TINY | {"results": f"results/{name}"} for name in ("iron", "copper")}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    module(tmp_path)
    one = (tmp_path / "Snakefile").read_text(encoding="utf-8").split("\n", 1)[1]
    text = 'configfile: "my.yaml"\n'
    for name in config:
        of_one = one.replace("config: config", f'config: config["{name}"]').replace(
            "module vibentropy", f"module {name}"
        )
        text += of_one.replace("use rule * from vibentropy", f"use rule * from {name} as {name}_*")
    (tmp_path / "Snakefile").write_text(text, encoding="utf-8")
    both = planned(tmp_path, "iron_everything", "copper_everything")
    assert {name.partition("_")[0] for name in both} == {"iron", "copper"}
    assert both["iron_label"] == both["copper_label"] == 3


def test_rules_with_a_prefix_are_told_of_as_without(tiny_again):
    """The last stages of a run, whose rules are called `iron_*`: none is counted too much, and the page is named."""
    (tiny_again / "my.yaml").write_text(yaml.safe_dump(TINY | {"results": "results"}), encoding="utf-8")
    module(tiny_again)
    text = (tiny_again / "Snakefile").read_text(encoding="utf-8")
    (tiny_again / "Snakefile").write_text(f"{text.rstrip()} as iron_*\n", encoding="utf-8")
    (tiny_again / "results/summary.md").unlink()
    program = [sys.executable, "-m", "snakemake", "--cores", "1", "--rerun-triggers", "mtime"]
    finished = subprocess.run(program, cwd=tiny_again, capture_output=True, text=True, timeout=HANGS)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stderr.splitlines()
    assert "3 jobs to do: 1 iron_page, 1 iron_checksums, 1 iron_crate" in lines
    assert "Read results/summary.md first." in lines


def test_models_that_ship_go_into_the_repository(tmp_path):
    folder = like_the_repository(tmp_path / "run")
    program = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--summary", "shipped_models"]
    program += ["--configfile", "workflow/configs/shipped.yaml"]
    finished = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=HANGS)
    files = {line.partition("\t")[0] for line in finished.stdout.splitlines()}
    assert {str(ROOT / "tests/golden/iron-law.csv")} <= files, finished.stdout + finished.stderr
