# Input functions and names that all rule files share.
import sys
from functools import cache
from pathlib import Path

import vibentropy
from snakemake.exceptions import WorkflowError

from vibentropy import descriptors
from vibentropy.descriptors.nesting import walk
from vibentropy.errors import VibentropyError
from vibentropy.features.sets import recipe
from vibentropy.learning.registry import find_regressor
from vibentropy.model import EntropyModel
from vibentropy.potentials.from_config import is_analytic, potential_files
from vibentropy.run import memory as memory_of
from vibentropy.run.build_check import check_build
from vibentropy.run.config import load, validate
from vibentropy.run.cost_estimate import cost_in_words
from vibentropy.run.source_files import source_files
from vibentropy.sources.archives import archive_shards
from vibentropy.sources.file_shards import file_shards, pieces_of_shard
from vibentropy.sources.recipes import recipe_shards

try:
    # Snakemake takes the last of two equal keys.
    if workflow.is_main_process:
        for configfile_path in workflow.configfiles:
            load(configfile_path)
    # In place: scripts see the same dictionary, with the defaults filled in.
    config.update(validate(dict(config), workflow.source_path("../schemas/config.schema.yaml")))
    # Once: jobs build only what they need.
    if workflow.is_main_process:
        check_build(config)
except VibentropyError as error:
    raise WorkflowError(str(error))

RESULTS = config["results"]
TABLE = f"{RESULTS}/potential/table.eam.alloy"
LATTICE = f"{RESULTS}/potential/lattice.json"
PACKAGE = Path(vibentropy.__file__).parent

RECIPES = [name for name, dataset in config["datasets"].items() if "recipe" in dataset]
TRAINING = [name for name, dataset in config["datasets"].items() if dataset["role"] == "train"]
COMPUTED = [name for name, dataset in config["datasets"].items() if dataset.get("entropy", name) is None] + RECIPES
ANALYTIC = bool(config["potential"]) and is_analytic(config["potential"])
INGESTED = [name for name, dataset in config["datasets"].items() if "files" in dataset]
ARCHIVED = [name for name, dataset in config["datasets"].items() if "archive" in dataset]
PUBLISHED = [name for name, dataset in config["datasets"].items() if "arrays" in dataset]
SPLITS = config["evaluation"]["split"]
SPLITS = [SPLITS] if isinstance(SPLITS, str) else SPLITS


def code_of(script):
    """Source files that a script stands on, as inputs: editing one runs the script again."""
    return source_files(Path(workflow.basedir) / f"workflow/scripts/{script}.py")


@cache
def shards_of(name):
    """What is in the shards of a data set, by name.

    Call it from functions of what no shard needs: files are read through to count what is in them.
    """
    dataset = config["datasets"][name]
    try:
        if "recipe" in dataset:
            return recipe_shards(name, dataset["recipe"], config["shard_size"])
        if "archive" in dataset:
            return archive_shards(dataset["archive"], dataset["classes"], config["shard_size"])
        if "files" in dataset:
            return file_shards(dataset, config["shard_size"])
        return dict.fromkeys(dataset["arrays"]["classes"])
    except VibentropyError as error:
        raise WorkflowError(str(error))


@cache
def pieces(dataset, shard):
    """Files and frames of a shard; its job counts no others."""
    if workflow.is_main_process:
        return shards_of(dataset)[shard]
    try:
        return pieces_of_shard(config["datasets"][dataset], config["shard_size"], shard)
    except VibentropyError as error:
        raise WorkflowError(str(error))


#: What a job is told about a data set: not what else is in it, or adding to it would run all of it again.
ABOUT = {
    name: {key: value for key, value in dataset.items() if key not in ("files", "recipe")}
    | ({"recipe": None} if "recipe" in dataset else {})
    for name, dataset in config["datasets"].items()
}


def about(wildcards):
    return ABOUT[wildcards.dataset]


def every_shard(pattern, **fixed):
    """Expand a pattern over all shards of all data sets; see `shards_of`."""
    return [
        file
        for dataset in config["datasets"]
        for file in expand(pattern, dataset=dataset, shard=shards_of(dataset), **fixed)
    ]


def reference_of(dataset):
    """Files that say which perfect crystal a data set belongs to."""
    if dataset in PUBLISHED:
        return [config["datasets"][dataset]["arrays"][key] for key in ("bulk", "configurations")]
    if dataset in ARCHIVED:
        return config["datasets"][dataset]["archive"]
    return LATTICE if dataset in RECIPES else config["datasets"][dataset]["reference"]


def reference(wildcards):
    return reference_of(wildcards.dataset)


def potential_file(_):
    """The potential, where the configuration names one."""
    return potential_files(config["potential"]) if config["potential"] else []


def potentials(block):
    """Files of the potentials that a descriptor and those that it is made of are defined with."""
    blocks = [part["potential"] for part in walk(block) if "potential" in part]
    return [file for potential in blocks for file in potential_files(potential)]


def descriptor_potentials(wildcards):
    return potentials(config["descriptors"][wildcards.descriptor])


def descriptor_code(block):
    """Source files of a descriptor and of those that it is made of."""
    # A parameter of somebody's own may have a `kind` without being a descriptor.
    registered = descriptors.available()
    kinds = {part["kind"] for part in walk(block) if part["kind"] in registered or "." in part["kind"]}
    return source_files(*(descriptors.find(kind).__module__ for kind in sorted(kinds)))


def regressor_code(name):
    """Source files of a regressor of the configuration."""
    return source_files(find_regressor(config["regressors"][name]["kind"]).__module__)


def shipped_descriptor_code():
    """Source files of the descriptor of the model that comes with the package.

    Not the model itself: a rule makes it, from a whole run.
    """
    described = recipe(EntropyModel.load().descriptor)
    return descriptor_code({"kind": described["kind"], **described["parameters"]})


@cache
def local_descriptor():
    """First descriptor of the run that has values of atoms, by name."""
    for name, block in config["descriptors"].items():
        if descriptors.create(**block).has_local:
            return name
    raise WorkflowError("no descriptor of this configuration has values of atoms, which `nonlinear` sums a kernel over")


@cache
def mapped_models():
    """Models that `maps` draws, as descriptor/regressor."""
    if not (ARCHIVED or (COMPUTED and config["labels"]["site_entropies"])):
        raise WorkflowError(
            "`maps` compares with labels resolved by atoms, which come from archives or, where labels are computed, "
            "with `site_entropies: true` under `labels`"
        )
    local = [name for name, block in config["descriptors"].items() if descriptors.create(**block).has_local]
    known = [f"{descriptor}/{regressor}" for regressor in config["regressors"] for descriptor in local]
    if not known:
        raise WorkflowError("no descriptor of this configuration has values of atoms, which `maps` draws")
    for model in config["maps"]["models"]:
        if model not in known:
            raise WorkflowError(f"{model!r}, of `models` under `maps`, is none of {', '.join(known)}")
    return config["maps"]["models"] or known[: min(2, len(local))]


@cache
def n_features(descriptor):
    return descriptors.create(**config["descriptors"][descriptor]).n_features


#: Whether a regressor of the run learns from labels resolved by atoms.
LEARNS_FROM_SITES = memory_of.learns_from_sites(config)


def memory(megabytes):
    """Memory of a job, a number or a function of its wildcards and input, doubled with every attempt."""
    if not callable(megabytes):
        return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)
    return lambda wildcards, input, attempt: megabytes(wildcards, input) * 2 ** (attempt - 1)


def minutes(number):
    """Run time of a job, doubled with every attempt."""
    return lambda wildcards, attempt: number * 2 ** (attempt - 1)


def sites(wildcards):
    """Sites of the cells of a shard of a recipe; None for files, which are not opened for this."""
    if wildcards.dataset not in RECIPES:
        return None
    return memory_of.sites_of(config, wildcards.dataset, shards_of(wildcards.dataset)[wildcards.shard])


# The model that comes with the package: the best from positions alone.
SHIPPED = {"descriptor": "pairs_afs", "regressor": "ridge"}


def shipped(pattern):
    """File that belongs to the model to ship."""

    def file(_):
        for section in ("descriptors", "regressors"):
            name = SHIPPED[section.removesuffix("s")]
            if name not in config[section]:
                raise WorkflowError(f"`shipped_model` ships {name}, which is not among the {section} of this run")
        if TRAINING[0] not in ARCHIVED:
            raise WorkflowError("`shipped_model` ships a model of archives, which say what their potential is")
        return pattern.format(**SHIPPED)

    return file


def archives(_):
    """Archives of all recipes."""
    if not RECIPES:
        raise WorkflowError("`data` writes what recipes make, and no data set of this configuration has a recipe")
    return expand(f"{RESULTS}/data/{{dataset}}.h5", dataset=RECIPES)


# What the run will cost, said before it is begun, and by a dry run. What it counts in files, `shards_of` counts no more.
if workflow.is_main_process:
    print(cost_in_words(config), file=sys.stderr)
