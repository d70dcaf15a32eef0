# Which atoms carry the entropy of a defect: `snakemake maps`, for minima whose labels are resolved by atoms; not part of
# `all`.
rule map_minima:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        code=code_of("map_minima"),
    output:
        f"{RESULTS}/maps/minima.h5",
    log:
        f"{RESULTS}/logs/maps/minima.log",
    benchmark:
        f"{RESULTS}/benchmarks/maps/minima.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        minima=config["maps"]["minima"],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/map_minima.py"


rule map:
    input:
        minima=rules.map_minima.output,
        configurations=f"{RESULTS}/configurations.h5",
        folds=f"{RESULTS}/folds.csv",
        features=lambda wildcards: [
            f"{RESULTS}/features/{wildcards.descriptor}/{dataset}/{shard}.h5"
            for dataset in PLAN.training
            for shard in shards_of(dataset)
        ],
        potentials=descriptor_potentials,
        lattice=PLAN.lattice_of(PLAN.generated),
        references=PLAN.references_of(PLAN.config.sources),
        code=lambda wildcards: code_of("map")
        + PLAN.descriptor_code(wildcards.descriptor)
        + PLAN.source_code(*PLAN.config.sources),
    output:
        f"{RESULTS}/maps/{{descriptor}}/{{regressor}}.extxyz",
    log:
        f"{RESULTS}/logs/maps/{{descriptor}}/{{regressor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/maps/{{descriptor}}/{{regressor}}.tsv"
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
        datasets={name: PLAN.about(name) for name in PLAN.config.sources},
        descriptor=lambda wildcards: config["descriptors"][wildcards.descriptor],
        regressor=lambda wildcards: config["regressors"][wildcards.regressor],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/map.py"


rule maps:
    input:
        maps=lambda wildcards: [f"{RESULTS}/maps/{model}.extxyz" for model in mapped_models()],
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("maps"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/tables/maps.csv",
        page=report(
            f"{RESULTS}/tables/maps.html",
            caption="../report/maps.rst",
            category="5 Atoms",
            labels={"result": "Table: shares of atoms"},
        ),
        figure=report(
            f"{RESULTS}/figures/maps.png",
            caption="../report/maps.rst",
            category="5 Atoms",
            labels={"result": "Figure: shares of atoms"},
        ),
        figure_pdf=f"{RESULTS}/figures/maps.pdf",
        checksums=f"{RESULTS}/SHA256SUMS.maps",
    log:
        f"{RESULTS}/logs/maps.log",
    benchmark:
        f"{RESULTS}/benchmarks/maps.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        models=lambda wildcards: mapped_models(),
    script:
        "../scripts/maps.py"
