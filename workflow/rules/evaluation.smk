# Errors and coverage of all models, per class and per cell size.
rule evaluate:
    input:
        predictions=expand(
            f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv",
            descriptor=config["descriptors"],
            regressor=config["regressors"],
        ),
        fits=expand(
            f"{RESULTS}/fits/{{descriptor}}/{{regressor}}.csv",
            descriptor=config["descriptors"],
            regressor=config["regressors"],
        ),
        code=modules("evaluation"),
    output:
        metrics=report(
            f"{RESULTS}/tables/metrics.csv",
            caption="../report/metrics.rst",
            category="Errors",
            labels={"table": "errors per class and cell size"},
        ),
        metrics_json=f"{RESULTS}/tables/metrics.json",
        coverage=report(
            f"{RESULTS}/tables/coverage.csv",
            caption="../report/coverage.rst",
            category="Errors",
            labels={"table": "coverage of the error bars"},
        ),
        summary=report(
            f"{RESULTS}/summary.csv",
            caption="../report/summary.rst",
            category="Errors",
            labels={"table": "one row per model"},
        ),
    log:
        f"{RESULTS}/logs/evaluate.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tests=config["evaluation"]["tests"],
    script:
        "../scripts/evaluate.py"
