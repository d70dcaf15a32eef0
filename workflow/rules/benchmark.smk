# Speed and memory of all descriptors, labels, Hessians, predictions, fits, and of public implementations; `snakemake benchmark`,
# not part of `all`. Labels of large cells take hours: `snakemake benchmark_large`.
from vibentropy.run.plan import block_code
from vibentropy.studies.benchmark.peers import ALLOY_LABELS, FITS, HESSIANS, LABELS, PEERS, PREDICTIONS, ours

OURS = ours(config["descriptors"], config["benchmark"]["descriptors"])


rule measure:
    input:
        code=lambda wildcards: code_of("benchmark_measure")
        + (block_code(OURS[wildcards.implementation]) if wildcards.source == "ours" else [])
        + (
            PLAN.shipped_descriptor_code(PREDICTIONS[wildcards.implementation].parameters["model"])
            if wildcards.source == "predictions"
            else []
        ),
    output:
        f"{RESULTS}/speed/{{source}}/{{implementation}}.csv",
    log:
        f"{RESULTS}/logs/speed/{{source}}/{{implementation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/speed/{{source}}/{{implementation}}.tsv"
    wildcard_constraints:
        source="ours|peer|labels|large_labels|hessians|predictions|fits",
    conda:
        "../envs/vibentropy.yaml"
    # All cores, so that nothing runs beside it; the measurement itself has one thread, or what `label_threads` says.
    # Asked for late: other targets run on clusters, where no one says how many cores there are.
    threads: lambda wildcards: workflow.cores
    resources:
        mem_mb=memory(lambda wildcards, input: PLAN.of_benchmark("max_memory", wildcards.source) + 1000),
        runtime=minutes(lambda wildcards, input: 360 if wildcards.source == "large_labels" else 60),
    params:
        specification=lambda wildcards: OURS[wildcards.implementation] if wildcards.source == "ours" else None,
        sizes=lambda wildcards: PLAN.of_benchmark("cells", wildcards.source),
        max_seconds=lambda wildcards: PLAN.of_benchmark("max_seconds", wildcards.source),
        max_memory=lambda wildcards: PLAN.of_benchmark("max_memory", wildcards.source),
        threads=lambda wildcards: config["benchmark"]["label_threads"] if wildcards.implementation in LABELS else [1],
    script:
        "../scripts/benchmark_measure.py"


rule label_costs:
    input:
        labels=lambda wildcards: expand(
            f"{RESULTS}/speed/{wildcards.labels}/{{name}}.csv",
            name=[*LABELS, *(ALLOY_LABELS if wildcards.labels == "labels" else [])],
        ),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("benchmark_labels"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/speed/{{labels}}.csv",
        table_page=report(
            f"{RESULTS}/speed/{{labels}}.html",
            caption="../report/benchmark_labels.rst",
            category="8 Speed",
            labels={"result": "Table: exact labels ({labels})"},
        ),
        cost=report(
            f"{RESULTS}/speed/{{labels}}.png",
            caption="../report/benchmark_label_cost.rst",
            category="8 Speed",
            labels={"result": "Figure: exact labels, cost against atoms ({labels})"},
        ),
        cost_pdf=f"{RESULTS}/speed/{{labels}}.pdf",
    log:
        f"{RESULTS}/logs/speed_{{labels}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/speed_{{labels}}.tsv"
    wildcard_constraints:
        labels="labels|large_labels",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/benchmark_labels.py"


rule benchmark_large:
    input:
        f"{RESULTS}/speed/large_labels.csv",


rule benchmark:
    input:
        measurements=expand(f"{RESULTS}/speed/ours/{{name}}.csv", name=OURS)
        + expand(f"{RESULTS}/speed/peer/{{name}}.csv", name=PEERS),
        labels=expand(f"{RESULTS}/speed/labels/{{name}}.csv", name=LABELS),
        # Not read, but part of what is asked for.
        label_costs=f"{RESULTS}/speed/labels.csv",
        hessians=expand(f"{RESULTS}/speed/hessians/{{name}}.csv", name=HESSIANS),
        predictions=expand(f"{RESULTS}/speed/predictions/{{name}}.csv", name=PREDICTIONS),
        fits=expand(f"{RESULTS}/speed/fits/{{name}}.csv", name=FITS),
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
        predictions=f"{RESULTS}/speed/predictions.csv",
        predictions_page=report(
            f"{RESULTS}/speed/predictions.html",
            caption="../report/benchmark_predictions.rst",
            category="8 Speed",
            labels={"result": "Table: predictions"},
        ),
        hessians=f"{RESULTS}/speed/hessians.csv",
        hessians_page=report(
            f"{RESULTS}/speed/hessians.html",
            caption="../report/benchmark_hessians.rst",
            category="8 Speed",
            labels={"result": "Table: Hessians of modified embedded atoms"},
        ),
        fits=f"{RESULTS}/speed/fits.csv",
        fits_page=report(
            f"{RESULTS}/speed/fits.html",
            caption="../report/benchmark_fits.rst",
            category="8 Speed",
            labels={"result": "Table: fits"},
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
