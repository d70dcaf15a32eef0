# How errors fall with the number of labels, and what choosing them is worth; `snakemake learning`, not part of `all`.
rule learning_curve:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        folds=f"{RESULTS}/folds.csv",
        features=lambda wildcards: every_shard(
            f"{RESULTS}/features/{{descriptor}}/{{dataset}}/{{shard}}.h5",
            descriptor=wildcards.descriptor,
        ),
        code=lambda wildcards: code_of("learning_curve") + PLAN.regressor_code(wildcards.regressor),
    output:
        f"{RESULTS}/learning/{{descriptor}}/{{regressor}}.csv",
    log:
        f"{RESULTS}/logs/learning/{{descriptor}}/{{regressor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/learning/{{descriptor}}/{{regressor}}.tsv"
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
        regressor=lambda wildcards: config["regressors"][wildcards.regressor],
        sampling=config["learning"],
        tests=PLAN.named_tests,
        seed=config["seed"],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/learning_curve.py"


rule learning:
    input:
        curves=expand(
            rules.learning_curve.output,
            descriptor=config["descriptors"],
            regressor=config["regressors"],
        ),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("learning"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/tables/learning.csv",
        page=report(
            f"{RESULTS}/tables/learning.html",
            caption="../report/learning.rst",
            category="6 Learning",
            labels={"result": "Table: errors of every fit"},
        ),
        figure=report(
            f"{RESULTS}/figures/learning.png",
            caption="../report/learning.rst",
            category="6 Learning",
            labels={"result": "Figure: errors against number of labels"},
        ),
        figure_pdf=f"{RESULTS}/figures/learning.pdf",
    log:
        f"{RESULTS}/logs/learning.log",
    benchmark:
        f"{RESULTS}/benchmarks/learning.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        # The one that models are compared on.
        test=next(iter(PLAN.named_tests), None),
    script:
        "../scripts/learning.py"
