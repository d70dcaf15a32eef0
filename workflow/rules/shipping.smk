# The models that come with the package, and predictions that they have to reproduce, written into the source tree:
# `snakemake shipped_models --configfile workflow/configs/figures.yaml`; not part of `all`.
from vibentropy.data import SHIPPED


rule shipped_models:
    input:
        list(map(str, SHIPPED.values())),


rule shipped_model:
    input:
        model=shipped(f"{RESULTS}/models/{{descriptor}}/{{regressor}}.h5"),
        predictions=shipped(f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv"),
        configurations=f"{RESULTS}/configurations.h5",
        summary=f"{RESULTS}/summary.csv",
        archive=lambda wildcards: PLAN.references(PLAN.training[0])[0],
        code=code_of("shipped_model"),
    output:
        model=str(PACKAGE / "data/{model}.h5"),
        recorded=str(REPOSITORY / "tests/golden/{model}.csv"),
    log:
        f"{RESULTS}/logs/shipped_model/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/shipped_model/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(SHIPPED),
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        names=asking(lambda wildcards: list(PLAN.shipped(wildcards.model).values())),
    script:
        "../scripts/shipped_model.py"
