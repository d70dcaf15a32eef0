# Speed and memory of all descriptors, labels, predictions, and of public implementations; `snakemake benchmark`, not part
# of `all`.
from vibentropy.run.plan import block_code
from vibentropy.studies.benchmark.peers import LABELS, PEERS, PREDICTIONS, ours

OURS = ours(config["descriptors"], config["benchmark"]["descriptors"])


rule measure:
    input:
        code=lambda wildcards: code_of("benchmark_measure")
        + (block_code(OURS[wildcards.implementation]) if wildcards.source == "ours" else [])
        + (PLAN.shipped_descriptor_code() if wildcards.source == "predictions" else []),
    output:
        f"{RESULTS}/speed/{{source}}/{{implementation}}.csv",
    log:
        f"{RESULTS}/logs/speed/{{source}}/{{implementation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/speed/{{source}}/{{implementation}}.tsv"
    wildcard_constraints:
        source="ours|peer|labels|predictions",
    conda:
        "../envs/vibentropy.yaml"
    # All cores, so that nothing runs beside it; the measurement itself has one thread. Asked for late: other targets
    # run on clusters, where no one says how many cores there are.
    threads: lambda wildcards: workflow.cores
    resources:
        mem_mb=memory(config["benchmark"]["max_memory"] + 1000),
        runtime=minutes(60),
    params:
        specification=lambda wildcards: OURS[wildcards.implementation] if wildcards.source == "ours" else None,
        sizes=lambda wildcards: config["benchmark"][
            {"labels": "label_cells", "predictions": "prediction_cells"}.get(wildcards.source, "cells")
        ],
        max_seconds=lambda wildcards: config["benchmark"][
            "max_prediction_seconds" if wildcards.source == "predictions" else "max_seconds"
        ],
        max_memory=config["benchmark"]["max_memory"],
    script:
        "../scripts/benchmark_measure.py"


rule benchmark:
    input:
        measurements=expand(f"{RESULTS}/speed/ours/{{name}}.csv", name=OURS)
        + expand(f"{RESULTS}/speed/peer/{{name}}.csv", name=PEERS),
        labels=expand(f"{RESULTS}/speed/labels/{{name}}.csv", name=LABELS),
        predictions=expand(f"{RESULTS}/speed/predictions/{{name}}.csv", name=PREDICTIONS),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("benchmark_table"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/speed/table.csv",
        table_page=report(
            f"{RESULTS}/speed/table.html",
            caption="../report/benchmark_table.rst",
            category="8 Speed",
            labels={"result": "Table: descriptors"},
        ),
        scaling=f"{RESULTS}/speed/scaling.csv",
        scaling_page=report(
            f"{RESULTS}/speed/scaling.html",
            caption="../report/benchmark_scaling.rst",
            category="8 Speed",
            labels={"result": "Table: growth of the cost of descriptors"},
        ),
        cost=report(
            f"{RESULTS}/speed/cost.png",
            caption="../report/benchmark_cost.rst",
            category="8 Speed",
            labels={"result": "Figure: descriptors, cost against atoms"},
        ),
        cost_pdf=f"{RESULTS}/speed/cost.pdf",
        speed=report(
            f"{RESULTS}/speed/speed.png",
            caption="../report/benchmark_speed.rst",
            category="8 Speed",
            labels={"result": "Figure: descriptors, atoms per second"},
        ),
        speed_pdf=f"{RESULTS}/speed/speed.pdf",
        labels=f"{RESULTS}/speed/labels.csv",
        labels_page=report(
            f"{RESULTS}/speed/labels.html",
            caption="../report/benchmark_labels.rst",
            category="8 Speed",
            labels={"result": "Table: exact labels"},
        ),
        label_cost=report(
            f"{RESULTS}/speed/label_cost.png",
            caption="../report/benchmark_label_cost.rst",
            category="8 Speed",
            labels={"result": "Figure: exact labels, cost against atoms"},
        ),
        label_cost_pdf=f"{RESULTS}/speed/label_cost.pdf",
        predictions=f"{RESULTS}/speed/predictions.csv",
        predictions_page=report(
            f"{RESULTS}/speed/predictions.html",
            caption="../report/benchmark_predictions.rst",
            category="8 Speed",
            labels={"result": "Table: predictions"},
        ),
        scale=report(
            f"{RESULTS}/speed/scale.png",
            caption="../report/benchmark_scale.rst",
            category="8 Speed",
            labels={"result": "Figure: predictions beside exact labels"},
        ),
        scale_pdf=f"{RESULTS}/speed/scale.pdf",
    log:
        f"{RESULTS}/logs/speed.log",
    benchmark:
        f"{RESULTS}/benchmarks/speed.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/benchmark_table.py"
