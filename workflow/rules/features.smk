# Extensive features of labelled configurations, one file per descriptor and shard.
rule features:
    input:
        labels=lambda wildcards: labelled(wildcards.dataset, wildcards.shard),
        reference=reference,
        potentials=descriptor_potentials,
        code=lambda wildcards: code_of("features")
        + PLAN.descriptor_code(wildcards.descriptor)
        + PLAN.source_code(wildcards.dataset),
    output:
        f"{RESULTS}/features/{{descriptor}}/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/features/{{descriptor}}/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features/{{descriptor}}/{{dataset}}/{{shard}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(
            lambda wildcards, input: memory_of.features_memory(PLAN.config, wildcards.descriptor, sites(wildcards))
        ),
        runtime=minutes(60),
    params:
        specification=about,
        descriptor=lambda wildcards: config["descriptors"][wildcards.descriptor],
        resolved=memory_of.learns_from_sites(PLAN.config),
        one_in=lambda wildcards: PLAN.config.one_in(wildcards.descriptor, wildcards.dataset),
        sections=[],
    script:
        "../scripts/features.py"


# A descriptor may refuse configurations; models are not compared on others without anybody seeing it.
rule set_aside:
    input:
        features=lambda wildcards: [
            file
            for descriptor in config["descriptors"]
            for file in every_shard(rules.features.output[0], descriptor=descriptor)
        ],
        code=code_of("set_aside"),
    output:
        table=f"{RESULTS}/tables/features.csv",
        page=report(
            f"{RESULTS}/tables/features.html",
            caption="../report/features.rst",
            category="3 Data",
            labels={"result": "Table: configurations without features"},
        ),
    log:
        f"{RESULTS}/logs/set_aside.log",
    benchmark:
        f"{RESULTS}/benchmarks/set_aside.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        features=lambda wildcards: {
            descriptor: every_shard(rules.features.output[0], descriptor=descriptor)
            for descriptor in config["descriptors"]
        },
    script:
        "../scripts/set_aside.py"
