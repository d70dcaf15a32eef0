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
        code=code_of("evaluate"),
    output:
        metrics=f"{RESULTS}/tables/metrics.csv",
        metrics_page=report(
            f"{RESULTS}/tables/metrics.html",
            caption="../report/metrics.rst",
            category="1 Results",
            labels={"result": "Table: errors by class and cell size"},
        ),
        metrics_json=f"{RESULTS}/tables/metrics.json",
        coverage=f"{RESULTS}/tables/coverage.csv",
        coverage_page=report(
            f"{RESULTS}/tables/coverage.html",
            caption="../report/coverage.rst",
            category="2 Error bars",
            labels={"result": "Table: coverage and width of intervals"},
        ),
        summary=f"{RESULTS}/summary.csv",
        summary_page=report(
            f"{RESULTS}/summary.html",
            caption="../report/summary.rst",
            category="1 Results",
            labels={"result": "Table: one row per model, all columns"},
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
        tests=PLAN.named_tests,
    script:
        "../scripts/evaluate.py"
