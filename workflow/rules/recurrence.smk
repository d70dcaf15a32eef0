# Whether published labels recur among those of a run; `snakemake recurrence`, not part of `all`.
rule recurrence:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        entropies=asking(lambda wildcards: PLAN.published_labels()),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("recurrence"),
    output:
        table=f"{RESULTS}/tables/recurrence.csv",
        page=report(
            f"{RESULTS}/tables/recurrence.html",
            caption="../report/recurrence.rst",
            category="6 Learning",
            labels={"result": "Table: published labels that recur"},
        ),
    log:
        f"{RESULTS}/logs/recurrence.log",
    benchmark:
        f"{RESULTS}/benchmarks/recurrence.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        classes=config["recurrence"]["classes"],
        tolerance=config["recurrence"]["tolerance"],
    script:
        "../scripts/recurrence.py"
