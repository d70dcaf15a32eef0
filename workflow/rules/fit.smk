# Linear models without intercept, and their predictions of what they were and were not fitted to.
rule folds:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        code=code_of("folds"),
    output:
        f"{RESULTS}/folds.csv",
    log:
        f"{RESULTS}/logs/folds.log",
    benchmark:
        f"{RESULTS}/benchmarks/folds.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        n_folds=config["evaluation"]["folds"],
        splits=PLAN.splits,
        seed=config["seed"],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/folds.py"


rule fit:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        folds=f"{RESULTS}/folds.csv",
        features=lambda wildcards: every_shard(
            f"{RESULTS}/features/{{descriptor}}/{{dataset}}/{{shard}}.h5",
            descriptor=wildcards.descriptor,
        ),
        code=lambda wildcards: code_of("fit") + PLAN.regressor_code(wildcards.regressor),
    output:
        model=f"{RESULTS}/models/{{descriptor}}/{{regressor}}.h5",
        predictions=f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv",
        fit=f"{RESULTS}/fits/{{descriptor}}/{{regressor}}.csv",
    log:
        f"{RESULTS}/logs/fit/{{descriptor}}/{{regressor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fit/{{descriptor}}/{{regressor}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(
            lambda wildcards, input: memory_of.fit_memory(
                PLAN.config, len(input.features), PLAN.n_features(wildcards.descriptor)
            )
        ),
        runtime=minutes(60),
    params:
        descriptor=lambda wildcards: config["descriptors"][wildcards.descriptor],
        regressor=lambda wildcards: config["regressors"][wildcards.regressor],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/fit.py"
