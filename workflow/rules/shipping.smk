# The model that comes with the package, and predictions that it has to reproduce: `snakemake shipped_model` of the
# default run writes both into the source tree; not part of `all`.


rule shipped_model:
    input:
        model=shipped(f"{RESULTS}/models/{{descriptor}}/{{regressor}}.h5"),
        predictions=shipped(f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv"),
        configurations=f"{RESULTS}/configurations.h5",
        summary=f"{RESULTS}/summary.csv",
        archive=lambda wildcards: PLAN.references(PLAN.training[0])[0],
        code=code_of("shipped_model"),
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
        names=asking(lambda wildcards: list(PLAN.shipped().values())),
    script:
        "../scripts/shipped_model.py"
