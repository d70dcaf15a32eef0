# The figure of the README: how well the model to ship extrapolates, and what it saves; `snakemake overview`. It shows
# what `snakemake benchmark_large` measures, which takes hours.


rule overview:
    input:
        predictions=shipped(f"{RESULTS}/predictions/{{descriptor}}/{{regressor}}.csv", "iron"),
        costs=expand(f"{RESULTS}/speed/predictions/{{name}}.csv", name=PREDICTIONS),
        labels=expand(f"{RESULTS}/speed/large_labels/{{name}}.csv", name=LABELS),
        code=code_of("overview"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        png=f"{RESULTS}/figures/overview.png",
        pdf=f"{RESULTS}/figures/overview.pdf",
    log:
        f"{RESULTS}/logs/overview.log",
    benchmark:
        f"{RESULTS}/benchmarks/overview.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        # Of the tests, those that have cells larger than any of the training.
        datasets=[dataset for name in ("extrapolation", "large") for dataset in PLAN.tests.get(name, [])]
        or next(iter(PLAN.tests.values()), []),
    script:
        "../scripts/overview.py"
