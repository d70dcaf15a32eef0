"""What packages and images are built from, and the workflow listed by, says what the rest of the repository says."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from pages import ROOT, commands, text

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- conda -----------------------------------------------------------------------------------------------------------

#: What conda calls packages of another name; None where they are not needed there.
CONDA = {"matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal", "mpich": None}

RECIPE = yaml.safe_load((ROOT / "recipe/recipe.yaml").read_text(encoding="utf-8"))


def for_conda(requirements):
    """Requirements of pip as conda writes them."""
    named = [(Requirement(line).name, str(Requirement(line).specifier)) for line in requirements]
    return [f"{CONDA.get(name, name)} {versions}".strip() for name, versions in named if CONDA.get(name, name)]


def test_the_recipe_needs_what_the_package_needs():
    project, needs = PROJECT["project"], RECIPE["requirements"]
    python = f"python {project['requires-python']}"
    assert needs["run"] == [python, *for_conda(project["dependencies"])]
    assert sorted(needs["host"]) == sorted([python, "pip", *for_conda(PROJECT["build-system"]["requires"])])


def test_the_recipe_says_what_the_package_says():
    project = PROJECT["project"]
    assert RECIPE["context"]["version"] == project["version"]
    assert RECIPE["package"]["name"] == project["name"]
    assert RECIPE["about"]["license"] == project["license"]
    assert RECIPE["about"]["summary"] == project["description"]
    assert RECIPE["about"]["license_file"] in project["license-files"]
    assert RECIPE["build"]["python"]["entry_points"] == [
        f"{name} = {target}" for name, target in project["scripts"].items()
    ]


# --- Images ----------------------------------------------------------------------------------------------------------


def dockerfile():
    """Words of the instructions of the Dockerfile, by the first."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    instructions = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, rest = line.split(maxsplit=1)
            instructions.setdefault(name, []).append(rest)
    return instructions


def apptainer():
    """Header of the definition for Apptainer, and the lines of its sections by their names."""
    definition = re.sub(r"^#.*\n", "", (ROOT / "apptainer.def").read_text(encoding="utf-8"), flags=re.M)
    header, *sections = re.split(r"^%", definition, flags=re.M)
    keys = dict(line.split(": ", 1) for line in header.splitlines() if line)
    named = (section.split("\n", 1) for section in sections)
    return keys, {name: [line.strip() for line in body.splitlines() if line.strip()] for name, body in named}


def test_instructions_are_those_that_docker_and_apptainer_know():
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "ENTRYPOINT", "CMD"}
    assert dockerfile().keys() <= known
    keys, sections = apptainer()
    assert keys.keys() == {"Bootstrap", "From"}
    assert sections.keys() <= {"files", "post", "environment", "runscript", "test", "labels", "help"}


@pytest.mark.parametrize("section", ["post", "runscript", "test"])
def test_a_shell_reads_the_sections_that_apptainer_runs(section):
    script = "\n".join(apptainer()[1][section])
    finished = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True)
    assert finished.stderr == ""


def test_images_hold_the_same_and_it_is_there():
    copied = []
    for line in dockerfile()["COPY"]:
        *sources, target = line.split()
        # The content of folders, which Docker copies to a folder of the name that is given.
        assert target == "./" or sources == [target]
        copied += sources
    keys, sections = apptainer()
    assert [line.split() for line in sections["files"]] == [[source, "/opt/vibentropy/"] for source in copied]
    assert all((ROOT / source).exists() for source in copied)
    # What the package is built of and the workflow reads.
    built_of = [PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]]
    built_of += PROJECT["tool"]["setuptools"]["package-dir"].values()
    for path in ["pyproject.toml", "Snakefile", "workflow/Snakefile", "profiles/default/config.yaml", *built_of]:
        assert any(Path(path).is_relative_to(source) for source in copied), path
    assert keys["From"] == dockerfile()["FROM"][0]


def test_images_install_and_run_what_people_do():
    (environment,) = (ROOT / "workflow/envs").glob("*.sh")
    installed = re.search(r"^pip install (.*)$", environment.read_text(encoding="utf-8"), re.M)[1]
    (run,) = dockerfile()["RUN"]
    assert run.replace("--no-cache-dir ", "") == f"pip install {installed}"
    _, sections = apptainer()
    assert sections["post"] == ["cd /opt/vibentropy", run]
    program = yaml.safe_load(dockerfile()["ENTRYPOINT"][0])
    assert program == ["snakemake", "--snakefile", "/opt/vibentropy/Snakefile"]
    assert sections["runscript"] == [f'exec {shlex.join(program)} "$@"']
    # The default run, as in the README, in the folder that is mounted.
    started = " ".join([program[0], *yaml.safe_load(dockerfile()["CMD"][0])])
    assert any(command.endswith(started) for command in commands("README.md"))
    shown = commands("docs/deployment.md")
    assert f'docker run --rm -v "$PWD:{dockerfile()["WORKDIR"][-1]}" vibentropy' in shown
    assert f"apptainer run vibentropy.sif {started.removeprefix('snakemake ')}" in shown


def test_images_have_the_python_of_the_environments_of_jobs():
    (environment,) = (ROOT / "workflow/envs").glob("*.yaml")
    (python,) = re.findall(r"python =([\d.]+)", environment.read_text(encoding="utf-8"))
    assert dockerfile()["FROM"] == [f"python:{python}-slim"]


# --- Catalogue and snakedeploy ---------------------------------------------------------------------------------------


def test_the_catalogue_finds_what_it_asks_for():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    assert {"conda", "apptainer", "apptainer+conda"} <= usage["software-stack-deployment"].keys()
    for path in ("workflow/Snakefile", "config/README.md", "workflow/schemas/config.schema.yaml"):
        assert (ROOT / path).is_file()
    words = text("README.md").lower()
    assert "snakemake" in words
    assert "workflow" in words


def test_a_deployed_project_begins_with_the_small_run():
    tiny = (ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8")
    assert (ROOT / "config/config.yaml").read_text(encoding="utf-8") == tiny
    readme = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert f"`{yaml.safe_load(tiny)['results']}`" in readme
    assert f"vibentropy-{PROJECT['project']['version']}-py3-none-any.whl" in readme
    for target in re.findall(r"\]\(([^)]*)\)", readme):
        assert (ROOT / "config" / target).exists(), target


@pytest.mark.skipif(not (ROOT / ".ci/run").exists(), reason="the source distribution is without .ci")
def test_what_is_deployed_is_tried_with_the_wheel():
    (shown,) = [command for command in commands("docs/deployment.md") if command.startswith("snakedeploy ")]
    tried = shown.replace("/path/to/vibentropy", "clone").replace("my-project", "project")
    assert f"snakedeploy/bin/{tried}\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


# --- Paper and placeholders ------------------------------------------------------------------------------------------

PAPER = (ROOT / "paper/paper.md").read_text(encoding="utf-8")
REFERENCES = (ROOT / "paper/paper.bib").read_text(encoding="utf-8")

#: What the Journal of Open Source Software asks for, in this order.
SECTIONS = [
    "Summary",
    "Statement of need",
    "State of the field",
    "Software design",
    "Research impact statement",
    "AI usage disclosure",
    "Acknowledgements",
    "References",
]


def test_the_paper_has_the_sections_and_the_length_that_the_journal_asks_for():
    _, header, body = PAPER.split("---\n", 2)
    about = yaml.safe_load(header)
    assert about.keys() == {"title", "tags", "authors", "affiliations", "date", "bibliography"}
    assert [author["name"] for author in about["authors"]] == [
        author["name"] for author in PROJECT["project"]["authors"]
    ]
    assert (ROOT / "paper" / about["bibliography"]).is_file()
    assert re.findall(r"^# (.*)$", body, re.M) == SECTIONS
    assert 750 <= len(body.split()) <= 1750


def test_the_paper_cites_what_is_in_its_bibliography_and_nothing_else():
    cited = set(re.findall(r"@(\w+)", PAPER.split("---\n", 2)[2]))
    entries = re.findall(r"^@\w+\{(\w+),$", REFERENCES, re.M)
    assert len(entries) == len(set(entries))
    assert cited == set(entries)


def test_every_reference_has_a_doi_of_its_own():
    """They were compared with what publishers, or authors on pages of their own, say of each article."""
    entries = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", REFERENCES, re.M | re.S))
    dois = {name: re.findall(r"doi\s*=\s*\{(10\.\d{4,}/\S+)\}", body) for name, body in entries.items()}
    assert [name for name, found in dois.items() if len(found) != 1] == []
    assert len({doi for (doi,) in dois.values()}) == len(dois)
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["preferred-citation"]
    assert dois["lapointe2020"] == [cited["doi"]]
    assert f"title   = {{{cited['title']}}}" in entries["lapointe2020"]
    authors = re.search(r"author  = \{(.*?)\},\n", entries["lapointe2020"], re.S)[1].replace(r"{\'e}", "é")
    assert " ".join(authors.split()).split(" and ") == [
        f"{author['family-names']}, {author['given-names']}" for author in cited["authors"]
    ]


def test_pages_name_the_preprints_of_the_bibliography():
    named = (ROOT / "docs/error_bars.md").read_text(encoding="utf-8")
    preprints = re.findall(r"eprint\s*=\s*\{(.*?)\}", REFERENCES)
    assert preprints
    assert all(f"arXiv {number}" in named for number in preprints)


#: Where nothing that ships can be: what Git does not have. So are virtual environments, which may have any name.
NOT_LOOKED_AT = {".git", ".snakemake", "build", "dist", "_build", "gallery_of_figures", "__pycache__"}
TEXT = {".md", ".toml", ".cff", ".yaml", ".yml", ".bib", ".py", ".smk", ".rst", ".def", ".in", ".txt", ""}


def placeholders(root):
    """Every placeholder of a repository with its file, but for this file and the page that lists them."""
    own = Path(__file__).resolve(), root / "docs/before_release.md"
    found = set()
    folders = [root]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_symlink() or path.name in NOT_LOOKED_AT or path.name.startswith("results"):
                continue
            if path.is_dir():
                folders += [] if (path / "pyvenv.cfg").exists() else [path]
            elif path.suffix in TEXT and path not in own:
                for name in re.findall(r"PLACEHOLDER_[A-Z0-9_]+", path.read_text(encoding="utf-8", errors="ignore")):
                    found.add((name, path.relative_to(root).as_posix()))
    return found


def test_one_page_lists_every_placeholder():
    listed = re.findall(r"^\| `(PLACEHOLDER_\w+)` \|.*\| `(\S+)` \|$", text("docs/before_release.md"), re.M)
    assert len(listed) == len(set(listed))
    assert set(listed) == placeholders(ROOT)


def test_placeholders_are_looked_for_in_what_ships(tmp_path):
    for folder in ("part/inner", "any_name/lib", ".git"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page.md").write_text("See PLACEHOLDER_ONE.")
    (tmp_path / "any_name/pyvenv.cfg").write_text("home = /usr/bin\n")
    assert placeholders(tmp_path) == {("PLACEHOLDER_ONE", "part/inner/page.md")}
