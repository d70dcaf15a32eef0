"""Who may import whom: the rooms of the package in their order, held on the source text so that lazy imports count."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Rooms from bottom to top: each imports only itself and those before it.
ROOMS = (
    *("errors", "units", "data", "numerics", "files", "atoms", "potentials", "datasets", "labels", "sources"),
    *("descriptors", "features", "learning", "evaluation", "model", "studies", "run", "report", "cli"),
)
#: Doors of the package, which hand out names of all rooms, and the only modules that stand beside the rooms.
DOORS = {"__init__", "__main__"}
#: Descriptors know atoms, potentials and numbers, neither sets of cells nor their labels.
NOT_FOR_DESCRIPTORS = {"files", "datasets", "labels", "sources"}
#: What everybody who computes may use, although it is in the room of files.
FOR_ALL = {"vibentropy.files.progress"}
#: Nothing is stored as a pickle; this one sends objects to a process of its own.
SENDS = {"vibentropy.potentials.own_process"}
PICKLES = {"pickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


def modules(folder, package):
    """Path of each module below a folder by its dotted name."""
    named = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        named[".".join([package, *parts])] = path
    return named


SOURCES = modules(ROOT / "src/vibentropy", "vibentropy") | modules(ROOT / "descriptors", "vibentropy.descriptors")
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def imported(source, package):
    """Dotted names of everything that a text of Python imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room(name):
    """Room of vibentropy that a dotted name belongs to, None for other packages, a door for the package itself."""
    top, *rest = name.split(".")
    if top != "vibentropy":
        return None
    return rest[0] if rest and rest[0] in ROOMS else "__init__"


def module_of(name):
    """Dotted name of the module that an imported name is, or is in; None outside the package."""
    if name.split(".")[0] != "vibentropy":
        return None
    while name not in SOURCES and f"{name}.__init__" not in SOURCES:
        name = name.rpartition(".")[0]
    return name if name in SOURCES else f"{name}.__init__"


def package_of(name):
    return name.rpartition(".")[0]


def violations(name, source):
    """What one module of the package imports against the order of its rooms."""
    own = name.split(".")[1]
    for target in imported(source, package_of(name)):
        top, other = target.split(".")[0], room(target)
        if top == "snakemake" or top.startswith("snakemake_"):
            yield f"{name} imports {target}: the library never imports Snakemake"
        elif top in PICKLES and name not in SENDS:
            yield f"{name} imports {target}: nothing is pickled"
        elif own == "descriptors" and (top in {"h5py", "pandas", "yaml"} or target.startswith("sklearn.linear_model")):
            yield f"{name} imports {target}: descriptors know neither files nor regressions"
        elif other is None or own in DOORS:
            continue
        elif other == "__init__":
            yield f"{name} imports {target}: rooms import from rooms, not through the door"
        elif own == "descriptors" and other in NOT_FOR_DESCRIPTORS and module_of(target) not in FOR_ALL:
            yield f"{name} imports {target}: descriptors know atoms, potentials and numbers only"
        elif ROOMS.index(other) > ROOMS.index(own):
            yield f"{name} imports {target}: {other} stands above {own}"


def test_every_module_has_a_room():
    assert {name.split(".")[1] for name in SOURCES} == {*ROOMS, *DOORS}
    alone = {path.stem for path in (ROOT / "src/vibentropy").glob("*.py")}
    assert alone == {*DOORS, "errors", "units"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_imports_point_downwards(name):
    assert not list(violations(name, SOURCES[name].read_text(encoding="utf-8")))


def test_modules_do_not_import_each_other_in_circles():
    graph = {}
    for name, path in SOURCES.items():
        if name.split(".")[1] in DOORS:
            continue
        targets = imported(path.read_text(encoding="utf-8"), package_of(name))
        graph[name] = {module_of(target) for target in targets} - {None, name}
    # What compound descriptors are made of is asked of the registry, which lies in the package that they are part of.
    for name in graph:
        graph[name].discard("vibentropy.descriptors.__init__")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' <- '.join(error.args[1])}")


def test_contributors_read_of_the_rooms_in_their_order():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| (`.*?`) \|", page.partition("| room |")[2], re.M)
    assert re.findall(r"\w+", " ".join(rows)) == list(ROOMS)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_logic_of_their_own(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    tops = {target.split(".")[0] for target in imported(path.read_text(encoding="utf-8"), "")}
    assert not tops & PICKLES
    assert not tops & {other.stem for other in SCRIPTS} - {"vibentropy"}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("vibentropy.errors", "import vibentropy.atoms.checks"),
        ("vibentropy.units", "from vibentropy.files import tables"),
        ("vibentropy.datasets.store", "def f():\n    from vibentropy.learning.registry import REGRESSORS"),
        ("vibentropy.features.sets", "from ..model.entropy_model import EntropyModel"),
        ("vibentropy.learning.base", "from vibentropy.report import figures"),
        ("vibentropy.datasets.store", "from vibentropy import __version__"),
        ("vibentropy.files.hdf5", "from vibentropy.descriptors import create"),
        ("vibentropy.report.html", "import snakemake.utils"),
        ("vibentropy.report.html", "from snakemake_interface_common import exceptions"),
        ("vibentropy.model.files", "from joblib import dump"),
        ("vibentropy.potentials.newton", "from vibentropy.labels.determinants import log_determinant"),
        ("vibentropy.descriptors.afs", "from vibentropy.files.hdf5 import create"),
        ("vibentropy.descriptors.afs", "import vibentropy.features.sets"),
        ("vibentropy.descriptors.afs", "from ..features.sets import FeatureSet"),
        ("vibentropy.descriptors.afs", "from vibentropy import Potential"),
        ("vibentropy.descriptors.hessian_moments", "from vibentropy.labels.determinants import log_determinant"),
        ("vibentropy.descriptors.afs", "import h5py"),
        ("vibentropy.descriptors.afs", "from sklearn.linear_model import Ridge"),
    ],
)
def test_the_test_sees_what_it_should(name, source):
    assert list(violations(name, source))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("vibentropy.features.sets", "from vibentropy.descriptors import create"),
        ("vibentropy.model.files", "from vibentropy import descriptors, units"),
        ("vibentropy.report.html", "import vibentropy.evaluation.metrics, matplotlib"),
        ("vibentropy.descriptors.hessian", "from vibentropy.potentials.embedded_atom import Potential"),
        ("vibentropy.__init__", "from vibentropy.model.entropy_model import EntropyModel"),
        (
            "vibentropy.descriptors.afs",
            "from . import base\nfrom ..atoms.neighbours import neighbour_pairs\nimport numba",
        ),
        ("vibentropy.descriptors.afs", "from vibentropy.numerics.machine_code import njit"),
    ],
)
def test_the_test_lets_pass_what_it_should(name, source):
    assert not list(violations(name, source))
