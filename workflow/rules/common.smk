# Names and input functions that all rule files share. What they answer is worked out in vibentropy.run.plan.
import logging
import sys
from functools import wraps
from pathlib import Path

import vibentropy
from snakemake.exceptions import WorkflowError

from vibentropy.errors import VibentropyError
from vibentropy.run import memory as memory_of
from vibentropy.run.config import load, validate
from vibentropy.run.cost_estimate import amounts_of, cost_in_words, seconds_of_jobs
from vibentropy.run.plan import Plan, only_looks
from vibentropy.run.run_output import shorten
from vibentropy.run.settings import Config
from vibentropy.run.source_files import source_files


def asking(answer):
    """Let Snakemake show what is wrong without a traceback."""

    @wraps(answer)
    def ask(*arguments, **fixed):
        try:
            return answer(*arguments, **fixed)
        except VibentropyError as error:
            raise WorkflowError(str(error)) from None

    return ask


@asking
def planned(block):
    """Plan of a configuration, checked before anything is computed; jobs build only what they need."""
    if workflow.is_main_process:
        # Snakemake takes the last of two equal keys.
        for configfile_path in workflow.configfiles:
            load(configfile_path)
    # In place: scripts see the same dictionary, with the defaults filled in.
    block.update(validate(block, workflow.source_path("../schemas/config.schema.yaml")))
    plan = Plan(Config.from_block(block), count_everything=workflow.is_main_process)
    if workflow.is_main_process and not only_looks(sys.argv[1:]):
        # Builds everything that is named, which other processes of the same run need not load.
        from vibentropy.run.build_check import check_build

        check_build(plan.config)
        # Said before it is begun, and by a dry run.
        amounts = amounts_of(plan.config)
        print(cost_in_words(plan.config, amounts), file=sys.stderr)
        # Who asks for commands or details gets all that Snakemake says.
        said = workflow.output_settings
        if not (said.verbose or said.printshellcmds or said.debug_dag):
            shorten(
                logging.getLogger("snakemake.logging"),
                seconds_of_jobs(plan.config, amounts),
                f"{plan.config.results}/summary.md",
                planned=said.dryrun,
                named=workflow.modifier.modify_rulename,
            )
    return plan


PLAN = planned(config)
RESULTS = PLAN.config.results
PACKAGE = Path(vibentropy.__file__).parent
# Not the folder of the first Snakefile, which may be one that has this workflow as a module.
# `workflow.source_path` copies the file and names the copy.
REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]

shards_of = asking(PLAN.shards)
local_descriptor = asking(PLAN.local_descriptor)
mapped_models = asking(PLAN.mapped_models)
models_by_atoms = asking(PLAN.models_by_atoms)
content = asking(lambda wildcards: PLAN.content(wildcards.dataset, wildcards.shard))
sites = asking(lambda wildcards: PLAN.sites(wildcards.dataset, wildcards.shard))


@asking
def about(wildcards):
    return PLAN.about(wildcards.dataset)


@asking
def reference(wildcards):
    return PLAN.references(wildcards.dataset)


@asking
def descriptor_potentials(wildcards):
    return PLAN.descriptor_potentials(wildcards.descriptor)


@asking
def structures_of(wildcards):
    """Files that a shard is made or read from."""
    source = PLAN.source(wildcards.dataset)
    made_with = {"potential": PLAN.potential_files, "table": PLAN.table if PLAN.tabulated else []}
    return {
        # Cells that solutes are compared with have no part in making any.
        "reference": [PLAN.lattice] if source.generated else PLAN.references(wildcards.dataset),
        "random_cells": [PLAN.random_cells] if source.generated and source.own_crystals else [],
        "files": source.files_of(PLAN.content(wildcards.dataset, wildcards.shard)),
        **(made_with if source.generated else {}),
    }


@asking
def every_shard(pattern, **fixed):
    """Expand a pattern over all shards of all data sets, or of those that a descriptor has features of."""
    datasets = PLAN.config.described_by(fixed["descriptor"]) if "descriptor" in fixed else None
    return [expand(pattern, dataset=dataset, shard=shard, **fixed)[0] for dataset, shard in PLAN.every_shard(datasets)]


def features_by_atoms(wildcards):
    """Features of the training sets, by the descriptor of each model whose shares of atoms are shown."""
    return {
        descriptor: [
            f"{RESULTS}/features/{descriptor}/{dataset}/{shard}.h5"
            for dataset in PLAN.training
            for shard in shards_of(dataset)
        ]
        for descriptor in dict.fromkeys(model.partition("/")[0] for model in models_by_atoms())
    }


def labelled(dataset, shard):
    """File of a shard with its labels: computed by the rule `label`, or as it was read where entropies are given."""
    stage = "labels" if dataset in PLAN.computed else "structures"
    return f"{RESULTS}/{stage}/{dataset}/{shard}.h5"


@asking
def labelled_shards():
    """Files of all shards of all data sets, with their labels."""
    return [labelled(dataset, shard) for dataset, shard in PLAN.every_shard()]


def shipped(pattern, model=None):
    """File that belongs to a model to ship, which the wildcard of that name says if nobody else."""
    return asking(lambda wildcards: pattern.format(**PLAN.shipped(model or wildcards.model)))


def code_of(script):
    """Source files that a script stands on, as inputs: editing one runs the script again."""
    return source_files(Path(workflow.source_path(f"../scripts/{script}.py")))


def one_of(names):
    """Pattern of a wildcard; without names it matches nothing."""
    return "|".join(names) or "$^"


def doubled(number):
    """Resource of a job, a number or a function of its wildcards and input, doubled with every attempt."""
    if not callable(number):
        return lambda wildcards, attempt: number * 2 ** (attempt - 1)
    return lambda wildcards, input, attempt: number(wildcards, input) * 2 ** (attempt - 1)


# What a rule asks for reads as what it is.
memory, minutes = doubled, doubled
