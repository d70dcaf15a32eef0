from snakemake.utils import min_version

min_version("9.5")

# Snakemake tells libraries of linear algebra how many threads a job has; numba would take all cores of a node. The
# first words are Snakemake's own.
shell.prefix("set -euo pipefail; export NUMBA_NUM_THREADS=$OMP_NUM_THREADS; ")


# A file given with --configfile replaces the default run; Snakemake would merge the two key by key.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/potential.smk"
include: "workflow/rules/structures.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/shipping.smk"
include: "workflow/rules/overview.smk"
include: "workflow/rules/learning.smk"
include: "workflow/rules/leakage.smk"
include: "workflow/rules/recurrence.smk"
include: "workflow/rules/nonlinear.smk"
include: "workflow/rules/thermodynamics.smk"
include: "workflow/rules/maps.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/potentials.smk"
include: "workflow/rules/provenance.smk"


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    descriptor="|".join(config["descriptors"]),
    regressor="|".join(config["regressors"]),
    shard=r"[A-Za-z0-9_.+-]+",


rule all:
    default_target: True
    input:
        rules.checksums.input,
        rules.checksums.output,
        rules.crate.output,


# Everything up to the labels: what takes longest, and what other programs may want.
rule labels:
    input:
        rules.configurations.output,


rule models:
    input:
        expand(
            rules.fit.output.model,
            descriptor=config["descriptors"],
            regressor=config["regressors"],
        ),
