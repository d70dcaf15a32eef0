"""Who may import whom: the arrows of the design, held on the source text so that lazy imports count as well."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Layers from bottom to top; modules that are not named belong to the one marked by None.
LAYERS = [
    {"errors", "units", "structures", "neighbours", "storage", "isolation", "lammps_library"},
    {"descriptors"},
    None,  # potentials, labels, data sets, features, configuration
    {"regression", "sparse"},
    {"comparison", "domain", "uncertainty", "evaluation", "learning", "maps", "model", "nonlinear"},
    {"benchmark", "contents", "plotting", "preflight", "shipping", "cli", "__main__"}
    | {""},  # the package itself, which hands out names of all layers
]
DESCRIPTORS_MAY_IMPORT = {"errors", "units", "structures", "neighbours", "lammps_library", "descriptors"}
#: Descriptors made of the forces between atoms are handed a potential and ask it for its Hessian. Nothing that a
#: potential is built from knows of descriptors, so this closes no circle.
MAY_ALSO_IMPORT = {
    "vibentropy.descriptors.hessian": {"potentials", "hessian_rows"},
    "vibentropy.descriptors.hessian_moments": {"hessian_rows"},
    "vibentropy.descriptors.hessian_clusters": {"hessian_rows"},
    "vibentropy.descriptors.hessian_stiffness": {"hessian_rows"},
}
PICKLES = {"pickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}

SOURCES = {
    **{"vibentropy." + path.stem: path for path in (ROOT / "src/vibentropy").glob("*.py")},
    **{"vibentropy.plotting." + path.stem: path for path in (ROOT / "src/vibentropy/plotting").glob("*.py")},
    **{"vibentropy.cli." + path.stem: path for path in (ROOT / "src/vibentropy/cli").glob("*.py")},
    **{"vibentropy.descriptors." + path.stem: path for path in (ROOT / "descriptors").glob("*.py")},
}
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def imported(source, package):
    """Dotted names of everything that a text of Python imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            # `from vibentropy import errors` names a module, `from vibentropy.errors import DataError` does not.
            yield from (f"{module}.{alias.name}" if module == "vibentropy" else module for alias in node.names)


def part(name):
    """Module of vibentropy that a dotted name belongs to, None for other packages."""
    top, *rest = name.split(".")
    if top != "vibentropy":
        return None
    known = {source.split(".")[1] for source in SOURCES} - {"__init__"}
    return rest[0] if rest and rest[0] in known else ""


def layer(module):
    """Height of a module of vibentropy."""
    named = [height for height, layer in enumerate(LAYERS) if layer and module in layer]
    return named[0] if named else LAYERS.index(None)


def violations(name, source):
    """What one module of the package imports against the design."""
    package = name.rpartition(".")[0]
    own = part(name)
    for target in imported(source, package):
        top, other = target.split(".")[0], part(target)
        if top == "snakemake" or top.startswith("snakemake_"):
            yield f"{name} imports {target}: the library never imports Snakemake"
        elif top in PICKLES:
            yield f"{name} imports {target}: nothing is pickled"
        elif own == "descriptors":
            if other is not None and other not in DESCRIPTORS_MAY_IMPORT | MAY_ALSO_IMPORT.get(name, set()):
                yield f"{name} imports {target}: descriptors know atoms and numbers only"
            if top in {"h5py", "pandas", "yaml"} or target.startswith("sklearn.linear_model"):
                yield f"{name} imports {target}: descriptors know neither files nor regressions"
        elif other is not None and layer(other) > layer(own):
            yield f"{name} imports {target}, which is above it"


def test_sources_are_found():
    assert {"vibentropy.errors", "vibentropy.dataset", "vibentropy.descriptors.afs"} <= SOURCES.keys()


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_imports_point_downwards(name):
    assert not list(violations(name, SOURCES[name].read_text()))


def test_modules_do_not_import_each_other_in_circles():
    graph = {}
    for name, path in SOURCES.items():
        own = part(name)
        others = {part(target) for target in imported(path.read_text(), name.rpartition(".")[0])}
        graph.setdefault(own, set()).update(others - {None, own})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_logic_of_their_own(path):
    tree = ast.parse(path.read_text())
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    tops = {target.split(".")[0] for target in imported(path.read_text(), "")}
    assert not tops & PICKLES
    assert not tops & {other.stem for other in SCRIPTS} - {"vibentropy"}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("vibentropy.errors", "import vibentropy.structures, vibentropy.dataset"),
        ("vibentropy.dataset", "def f():\n    from vibentropy.regression import REGRESSORS"),
        ("vibentropy.features", "from .model import EntropyModel"),
        ("vibentropy.features", "from . import model"),
        ("vibentropy.regression", "from vibentropy import plotting"),
        ("vibentropy.dataset", "from vibentropy import __version__"),
        ("vibentropy.storage", "from vibentropy.descriptors import create"),
        ("vibentropy.plotting", "import snakemake.utils"),
        ("vibentropy.plotting", "from snakemake_interface_common import exceptions"),
        ("vibentropy.model", "from joblib import dump"),
        ("vibentropy.descriptors.afs", "from vibentropy.storage import create"),
        ("vibentropy.descriptors.afs", "import vibentropy.features"),
        ("vibentropy.descriptors.afs", "from ..features import compute"),
        ("vibentropy.descriptors.afs", "from vibentropy import Potential"),
        ("vibentropy.descriptors.afs", "from vibentropy.potentials import Potential"),
        ("vibentropy.descriptors.hessian_moments", "from vibentropy.harmonic import log_determinant"),
        ("vibentropy.descriptors.afs", "import h5py"),
        ("vibentropy.descriptors.afs", "from sklearn.linear_model import Ridge"),
    ],
)
def test_the_test_sees_what_it_should(name, source):
    assert list(violations(name, source))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("vibentropy.features", "from vibentropy.descriptors import create"),
        ("vibentropy.model", "from vibentropy import descriptors, features"),
        ("vibentropy.plotting", "import vibentropy.evaluation, matplotlib"),
        ("vibentropy.descriptors.hessian", "from vibentropy.potentials import Potential"),
        ("vibentropy.__init__", "from vibentropy.model import EntropyModel"),
        ("vibentropy.descriptors.afs", "from . import base\nfrom ..neighbours import neighbour_pairs\nimport numba"),
    ],
)
def test_the_test_lets_pass_what_it_should(name, source):
    assert not list(violations(name, source))
