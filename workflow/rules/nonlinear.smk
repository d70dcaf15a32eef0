# What extensivity is worth: functions that are not linear in the summed features, beside a kernel that is summed over
# atoms; `snakemake nonlinear`, not part of `all`.

from vibentropy.studies.sum_models import MODELS


rule environments:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        reference=PLAN.references(PLAN.training[0]),
        potentials=lambda wildcards: PLAN.descriptor_potentials(local_descriptor()),
        code=lambda wildcards: code_of("environments")
        + PLAN.descriptor_code(local_descriptor())
        + PLAN.source_code(PLAN.training[0]),
    output:
        f"{RESULTS}/nonlinear/environments.h5",
    log:
        f"{RESULTS}/logs/nonlinear/environments.log",
    benchmark:
        f"{RESULTS}/benchmarks/nonlinear/environments.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        specification=PLAN.about(PLAN.training[0]),
        descriptor=lambda wildcards: config["descriptors"][local_descriptor()],
        number=config["nonlinear"]["environments"],
    script:
        "../scripts/environments.py"


rule atom_kernels:
    input:
        labels=lambda wildcards: labelled(wildcards.dataset, wildcards.shard),
        reference=reference,
        potentials=lambda wildcards: PLAN.descriptor_potentials(local_descriptor()),
        environments=rules.environments.output,
        code=lambda wildcards: code_of("features")
        + PLAN.descriptor_code(local_descriptor())
        + PLAN.source_code(wildcards.dataset),
    output:
        f"{RESULTS}/nonlinear/kernels/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/nonlinear/kernels/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/nonlinear/kernels/{{dataset}}/{{shard}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        specification=about,
        descriptor=lambda wildcards, input: {
            "kind": "vibentropy.studies.atom_kernel.AtomKernel",
            "environments": str(input.environments),
            "descriptor": config["descriptors"][local_descriptor()],
        },
        resolved=False,
        one_in=1,
        sections=["nonlinear"],
    script:
        "../scripts/features.py"


rule nonlinear_model:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        folds=f"{RESULTS}/folds.csv",
        features=lambda wildcards: every_shard(
            f"{RESULTS}/nonlinear/kernels/{{dataset}}/{{shard}}.h5"
            if wildcards.model == "atom_kernel"
            else f"{RESULTS}/features/{local_descriptor()}/{{dataset}}/{{shard}}.h5"
        ),
        code=code_of("nonlinear_fit"),
    output:
        f"{RESULTS}/nonlinear/{{model}}.csv",
    log:
        f"{RESULTS}/logs/nonlinear/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/nonlinear/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(MODELS),
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/nonlinear_fit.py"


rule nonlinear:
    input:
        predictions=expand(rules.nonlinear_model.output, model=MODELS),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("nonlinear"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/tables/nonlinear.csv",
        page=report(
            f"{RESULTS}/tables/nonlinear.html",
            caption="../report/nonlinear.rst",
            category="7 Extensivity",
            labels={"result": "Table: functions of sums, sums of functions"},
        ),
        figure=report(
            f"{RESULTS}/figures/nonlinear.png",
            caption="../report/nonlinear.rst",
            category="7 Extensivity",
            labels={"result": "Figure: functions of sums, sums of functions"},
        ),
        figure_pdf=f"{RESULTS}/figures/nonlinear.pdf",
    log:
        f"{RESULTS}/logs/nonlinear.log",
    benchmark:
        f"{RESULTS}/benchmarks/nonlinear.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/nonlinear.py"
