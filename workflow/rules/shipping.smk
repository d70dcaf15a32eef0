# The model that comes with the package, and predictions that it has to reproduce: `snakemake shipped_model` of the
# default run writes both into the source tree; not part of `all`.

# The best from positions alone.
SHIPPED = {"descriptor": "pairs_afs", "regressor": "ridge"}


def shipped(pattern):
    """File of the run that is of the model to ship."""

    def file(wildcards):
        for section, name in (("descriptors", SHIPPED["descriptor"]), ("regressors", SHIPPED["regressor"])):
            if name not in config[section]:
                raise WorkflowError(f"`shipped_model` ships {name}, which is not among the {section} of this run")
        if not ARCHIVED or TRAINING[0] not in ARCHIVED:
            raise WorkflowError("`shipped_model` ships a model of archives, which say what their potential is")
        return pattern.format(**SHIPPED)

    return file


rule shipped_model:
    input:
        model=shipped(f"{RESULTS}/models/{{descriptor}}/{{regressor}}.h5"),
        predictions=shipped(f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv"),
        configurations=f"{RESULTS}/configurations.h5",
        summary=f"{RESULTS}/summary.csv",
        archive=lambda wildcards: config["datasets"][TRAINING[0]]["archive"],
        code=modules("shipping"),
    output:
        model=str(PACKAGE / "data/iron.h5"),
        recorded=str(Path(workflow.basedir) / "tests/golden/shipped_model.csv"),
    log:
        f"{RESULTS}/logs/shipped_model.log",
    benchmark:
        f"{RESULTS}/benchmarks/shipped_model.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        names=list(SHIPPED.values()),
    script:
        "../scripts/shipped_model.py"
