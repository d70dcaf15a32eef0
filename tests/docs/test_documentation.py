"""What the README and the pages of docs/ say is what happens: every command in them is run by some test."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml
from pages import PAGES, ROOT, blocks, commands, text
from workflow_runs import HANGS, like_the_repository

sys.path.append(str(ROOT / "tests/descriptors"))

import test_contract as contract

from vibentropy.descriptors import create
from vibentropy.report.readme_table import load_errors, side_by_side
from vibentropy.run import build_check
from vibentropy.run.config import validate
from vibentropy.run.cost_estimate import cost_in_words
from vibentropy.run.settings import Config

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"

#: Pages whose blocks are run one after the other, in one folder.
STORY = ["docs/tutorial.md", "docs/error_bars.md", "docs/from_lammps.md"]

#: Commands of the workflow that other tests run to their end, and where.
RUN_ELSEWHERE = {
    "pip install -e . && snakemake --cores 2": "workflow/test_default_run.py",
    "snakemake --cores 2 --configfile workflow/configs/published.yaml": "sources/test_published_arrays.py",
    "snakemake --workflow-profile workflow/profiles/slurm --configfile workflow/configs/tiny.yaml": (
        "workflow/test_slurm.py"
    ),
    "snakemake --report report.html": "workflow/test_workflow.py",
    "snakemake --report report.zip": "workflow/test_workflow.py",
    "PYTHONPATH=. snakemake --cores 2": "docs/test_documentation.py",
    # What nobody can run everywhere is compared with what `.ci/run` does, and with the files that it builds of.
    "snakedeploy deploy-workflow /path/to/vibentropy my-project --branch main --name vibentropy": "test_packages.py",
    "docker build -t vibentropy .": "test_packages.py",
    'docker run --rm -v "$PWD:/work" vibentropy': "test_packages.py",
    "apptainer build vibentropy.sif apptainer.def": "test_packages.py",
    "apptainer run vibentropy.sif --cores 2": "test_packages.py",
}


# --- Commands --------------------------------------------------------------------------------------------------------


COMMANDS = {command: page for page in PAGES for command in commands(page)}
PLANNED = [
    command
    for command, page in COMMANDS.items()
    if command.startswith("snakemake ") and page not in STORY and command not in RUN_ELSEWHERE
]


def test_every_command_is_of_a_kind_that_is_tested():
    """Those of `vibentropy` are in test_cli.py, or in the story."""
    known = ("vibentropy ", "pip install ")
    left = [c for c in COMMANDS if not c.startswith(known) and c not in PLANNED and c not in RUN_ELSEWHERE]
    assert [command for command in left if COMMANDS[command] not in STORY] == []
    assert RUN_ELSEWHERE.keys() <= COMMANDS.keys()
    for file in RUN_ELSEWHERE.values():
        assert (ROOT / "tests" / file).exists()


def test_what_is_installed_can_be_installed():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for command in COMMANDS:
        for named in re.findall(r"pip install .*?\[([\w,]+)\]", command):
            assert set(named.split(",")) <= extras.keys()


def in_a_folder(command):
    """Command of a page, for a folder other than that of the repository."""
    return re.sub(r"^snakemake ", f"snakemake --snakefile '{ROOT}/Snakefile' ", command)


def run(command, folder):
    """Run a command or a script of Python in a folder like that of the repository; what it prints."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    finished = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=HANGS
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}"
    return finished.stdout


@pytest.fixture
def folder(tmp_path):
    return like_the_repository(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", PLANNED)
def test_what_the_workflow_is_told_can_be_planned(folder, command):
    (folder / "my.yaml").write_text((ROOT / "config.yaml").read_text())
    # What rewrites the README looks for its table.
    (folder / "README.md").write_text(text("README.md"))
    # Of others, so not in the repository; a plan does not read it.
    (folder / "published").mkdir(exist_ok=True)
    (folder / "published/entropies_MEAM.npz").touch()
    assert "This was a dry-run" in run(["bash", "-ec", f"{in_a_folder(command)} -n"], folder)


def test_the_readme_shows_what_runs_left_in_files():
    files = sorted((ROOT / "docs/errors").glob("*.csv"))
    assert side_by_side([load_errors(file) for file in files], "docs/errors") in text("README.md")


# --- The story -------------------------------------------------------------------------------------------------------


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def alike(line, other):
    """Whether two lines say the same, their numbers to two digits after the point or per cent."""
    words, others = (NUMBER.sub("0", text).split() for text in (line, other))
    numbers, those = (np.array(NUMBER.findall(text), dtype=float) for text in (line, other))
    return words == others and np.allclose(numbers, those, rtol=0.02, atol=0.02)


def test_lines_are_compared_by_words_and_numbers():
    line = "my.xyz  3  -0.79 to 88.44  outside: B_2.000"
    assert alike(line, "my.xyz 3 -0.8 to 88.1 outside: B_2.000")
    assert not alike(line, "my.xyz 3 -0.79 to 88.44 inside")
    assert not alike(line, "my.xyz 3 0.79 to 88.44 outside: B_2.000")
    assert not alike(line, "my.xyz 3 -0.79 to 88.44 to 3 outside: B_2.000")


@pytest.mark.slow(minutes=3)
def test_the_story_of_the_tutorial(folder):
    """Its blocks in order: files are written, commands run, and what is shown is what they print."""
    printed = ""
    for page in STORY:
        for language, code, file in blocks(page):
            if language == "text":
                found = (folder / file).read_text() if file else printed
                for line in code.splitlines():
                    assert any(alike(line, other) for other in found.splitlines()), f"{page}: {line}\n{found}"
            elif file:
                (folder / file).write_text(code)
            elif language == "python":
                printed = run([sys.executable, "-c", code], folder)
            else:
                lines = [in_a_folder(line) for line in code.splitlines() if not line.startswith("pip install ")]
                printed = run(["bash", "-ec", "\n".join(lines)], folder)
    for named in re.findall(r"`(my/[^`*]*\.\w+)`", "".join(map(text, STORY))):
        assert (folder / named).exists(), named


#: Examples that need a model; tests/mlip/test_mace.py runs them.
WITH_A_MODEL = "my.model"


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (page, number)
        for page in ("docs/potentials.md", "docs/alloys.md")
        for number in range(len(blocks(page, "python")))
    ],
)
def test_examples_of_potentials_print_what_they_say(page, number, tmp_path):
    page = list(blocks(page, "python", "text"))
    places = [place for place, block in enumerate(page) if block.language == "python"]
    if WITH_A_MODEL in page[places[number]].text:
        pytest.skip("tests/mlip/test_mace.py runs it")
    printed = run([sys.executable, "-c", page[places[number]].text], tmp_path)
    after = page[places[number] + 1 :][:1]
    shown = after[0].text if after and after[0].language == "text" else ""
    assert [alike(*pair) for pair in zip(shown.splitlines(), printed.splitlines(), strict=True)].count(False) == 0


# --- Configurations and links ----------------------------------------------------------------------------------------


#: Configurations by where they are; those that only make sense in the story are run there.
YAML = [block.text for page in PAGES for block in blocks(page, "yaml") if page not in STORY]

#: What only the reader has: files, which are there in name only, and classes.
OF_ALLOYS = "small.xyz", "large.xyz", "small_bulk.xyz", "large_bulk.xyz", "solute.xyz"
OWN_FILES = "data/1.extxyz", "bulk.extxyz", "my.eam.alloy", WITH_A_MODEL, *OF_ALLOYS
OWN_CLASSES = "my_package.", "smooth_count."


@pytest.mark.parametrize("block", YAML)
def test_configurations_are_accepted(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    for path in (ROOT / "data").iterdir():
        Path("data", path.name).symlink_to(path)
    for file in OWN_FILES:
        Path(file).touch()
    read, default = yaml.safe_load(block), yaml.safe_load((ROOT / "config.yaml").read_text())
    if "datasets" in read or "descriptors" in read:
        del default["evaluation"]  # which is of the data sets and descriptors of the default run
    descriptors = read.get("descriptors", {})
    read["descriptors"] = {
        name: of_one for name, of_one in descriptors.items() if not of_one["kind"].startswith(OWN_CLASSES)
    } or default["descriptors"]
    config = Config.from_block(validate(default | read, SCHEMA))
    if not any(file in block for file in ("data/*.extxyz", *OWN_FILES)):
        build_check.check_build(config)
        assert "core time" in cost_in_words(config)


@pytest.mark.parametrize("page", PAGES)
def test_what_pages_link_to_exists(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", text(page)):
        if target.startswith("https://"):
            continue
        file = (PAGES[page].parent / target).resolve() if target else PAGES[page]
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_every_page_is_in_a_menu_of_the_site():
    menus = re.findall(r"^```{toctree}\n(.*?)^```$", text("docs/index.md"), re.M | re.S)
    listed = {line for menu in menus for line in menu.splitlines()}
    pages = {Path(page).stem for page in PAGES if page.startswith("docs/")}
    assert pages - listed == {"index"}


def test_every_notebook_is_in_the_menu_of_notebooks():
    folder = ROOT / "docs/notebooks"
    menu = re.search(
        r"^```{toctree}\n:maxdepth: 1\n\n(.*?)^```$", (folder / "index.md").read_text("utf-8"), re.M | re.S
    )
    assert {path.stem for path in folder.glob("*.md")} - set(menu[1].split()) == {"index"}


def test_files_that_contributors_are_sent_to_exist():
    named = re.findall(r"`([\w./-]+(?:/[\w.-]+|\.(?:py|md|txt|toml|yaml)))`", text("CONTRIBUTING.md"))
    assert len(named) > 20
    places = ROOT, ROOT / "src/vibentropy"
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_sections_of_the_theory_that_code_names_exist():
    headings = re.findall(r"^## (.*)$", text("docs/theory.md"), re.M)
    named = set()
    for folder in ("src", "descriptors", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            if file != Path(__file__).resolve():
                sections = re.findall(r'docs/theory\.md,\s+"([^"]+)"', file.read_text(encoding="utf-8"))
                named |= {" ".join(section.split()) for section in sections}
    assert named
    assert named <= set(headings)


def test_configurations_that_are_listed_are_those_that_ship():
    table = re.search(r"^\| configuration \|.*?\n\n", text("docs/results.md"), re.M | re.S)[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.M)
    ship = {path.stem for path in (ROOT / "workflow/configs").glob("*.yaml")}
    # The run of the tests, and the one that has a section of its own.
    assert set(listed) == ship - {"tiny", "figures"}


# --- Add a descriptor ------------------------------------------------------------------------------------------------


((SNIPPET, _),) = [block[1:] for block in blocks("docs/descriptors.md", "python")]
(CONFIGURATION,) = [block for block in YAML if "smooth_count" in block]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Kind and parameters that the page configures, its file being importable."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "smooth_count.py").write_text(SNIPPET)
    (parameters,) = yaml.safe_load(CONFIGURATION)["descriptors"].values()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield parameters.pop("kind"), parameters
    sys.modules.pop("smooth_count", None)


@pytest.fixture(scope="module")
def descriptor(recipe):
    kind, parameters = recipe
    return create(kind, **parameters)


def test_it_is_about_ten_lines():
    body = SNIPPET.split("class ")[1]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10


def test_it_counts(descriptor, iron_crystal):
    """Eight neighbours at a √3/2, six at a, twelve at a √2."""
    crystal = iron_crystal(2)
    a = crystal.cell[0, 0] / 2
    weights = [n * (1 - (d * a / 4.5) ** 2) ** 3 for n, d in ((8, np.sqrt(0.75)), (6, 1), (12, np.sqrt(2)))]
    np.testing.assert_allclose(descriptor.local(crystal), sum(weights), rtol=1e-12)


@pytest.mark.slow
def test_it_can_be_run(folder):
    """With the file in the folder and the block in the configuration, as the page says."""
    (folder / "smooth_count.py").write_text(SNIPPET)
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | yaml.safe_load(CONFIGURATION)
    del config["evaluation"]["one_in"]  # of a descriptor that is no longer there, as the page says
    (folder / "config.yaml").unlink()
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (command,) = [command for command in commands("docs/descriptors.md") if "PYTHONPATH" in command]
    command = command.replace("snakemake", f"snakemake --snakefile '{ROOT}/Snakefile'")
    assert "This was a dry-run" in run(["bash", "-ec", f"{command} -n"], folder)


# The contract tests of registered descriptors, on the fixtures of this file.
TestInvariance = contract.TestInvariance
TestAdditivity = contract.TestAdditivity
TestBoundaries = contract.TestBoundaries
TestParameters = contract.TestParameters
TestRefusals = contract.TestRefusals
