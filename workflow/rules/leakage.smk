# What repeats of minima and the way of testing do to held-out errors; `snakemake leakage`, not part of `all`.
from vibentropy.sources.reference_work import ranges_of_labels


rule leakage_of_model:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        features=lambda wildcards: every_shard(
            f"{RESULTS}/features/{{descriptor}}/{{dataset}}/{{shard}}.h5",
            descriptor=wildcards.descriptor,
        ),
        code=lambda wildcards: code_of("leakage_of_model") + PLAN.regressor_code(wildcards.regressor),
    output:
        f"{RESULTS}/leakage/{{descriptor}}/{{regressor}}.csv",
    log:
        f"{RESULTS}/logs/leakage/{{descriptor}}/{{regressor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/leakage/{{descriptor}}/{{regressor}}.tsv"
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
        classes=config["leakage"]["classes"],
        ranges=ranges_of_labels(config["leakage"]["entropies_of"]),
        n_folds=config["evaluation"]["folds"],
        seed=config["seed"],
    script:
        "../scripts/leakage_of_model.py"


rule leakage:
    input:
        tables=expand(
            rules.leakage_of_model.output,
            descriptor=config["descriptors"],
            regressor=config["regressors"],
        ),
        configurations=f"{RESULTS}/configurations.h5",
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("leakage"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/tables/leakage.csv",
        page=report(
            f"{RESULTS}/tables/leakage.html",
            caption="../report/leakage.rst",
            category="6 Learning",
            labels={"result": "Table: held-out errors by way of testing"},
        ),
        figure=report(
            f"{RESULTS}/figures/leakage.png",
            caption="../report/leakage.rst",
            category="6 Learning",
            labels={"result": "Figure: held-out errors by way of testing"},
        ),
        figure_pdf=f"{RESULTS}/figures/leakage.pdf",
    log:
        f"{RESULTS}/logs/leakage.log",
    benchmark:
        f"{RESULTS}/benchmarks/leakage.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/leakage.py"
