# Input functions and names shared by the rules; no rules here.
import dataclasses
from itertools import groupby
from pathlib import Path

import vibentropy
import vibentropy.descriptors
from vibentropy.config import config_hash, validate
from vibentropy.potentials import find_potential
from vibentropy.sampling import trajectories

# In place: scripts see the same dictionary, with the defaults filled in.
config.update(validate(dict(config), workflow.source_path("../schemas/config.schema.yaml")))

RESULTS = config["results"]
TABLE = f"{RESULTS}/potential/table.eam.alloy"
LATTICE = f"{RESULTS}/potential/lattice.json"
PACKAGE = Path(vibentropy.__file__).parent

RECIPES = [name for name, dataset in config["datasets"].items() if "recipe" in dataset]
INGESTED = [name for name in config["datasets"] if name not in RECIPES]


def modules(*names):
    """Source files of the library that a rule stands on: editing one reruns the rule."""
    return [str(PACKAGE / f"{name}.py") for name in names]


def planned_shards(dataset):
    """Trajectories of a recipe by shard: chunks of one class in one cell size, so that more trajectories only add shards."""
    size = config["shard_size"]
    planned = trajectories(dataset, config["datasets"][dataset]["recipe"])
    named = {}
    for (repetitions, defect_class), members in groupby(planned, key=lambda t: (t.repetitions, t.defect_class)):
        members = [dataclasses.asdict(member) for member in members]
        for number, start in enumerate(range(0, len(members), size)):
            named[f"{'x'.join(map(str, repetitions))}-{defect_class}-{number:03d}"] = members[start : start + size]
    return named


SHARDS = {name: planned_shards(name) if name in RECIPES else {"files": None} for name in config["datasets"]}


def every_shard(pattern, **fixed):
    """Expand a pattern over all shards of all data sets."""
    return [
        file for dataset, named in SHARDS.items() for file in expand(pattern, dataset=dataset, shard=named, **fixed)
    ]


def reference(wildcards):
    """File that says which perfect crystal a data set belongs to."""
    return LATTICE if wildcards.dataset in RECIPES else config["datasets"][wildcards.dataset]["reference"]


def potential_file(_):
    """The potential, where the configuration names one."""
    return [str(find_potential(config["potential"]["file"]))] if config["potential"] else []


def descriptor_source(wildcards):
    """Source files of the descriptor: its own module and what it imports from this package."""
    return source_files(config["descriptors"][wildcards.descriptor])


def provenance():
    """Attributes that every result carries."""
    return {"config_sha256": config_hash(config), "run_seed": config["seed"]}


def memory(megabytes):
    """Memory of a job, doubled with every attempt."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def minutes(number):
    """Run time of a job, doubled with every attempt."""
    return lambda wildcards, attempt: number * 2 ** (attempt - 1)
