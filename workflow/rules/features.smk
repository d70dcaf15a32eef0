# Extensive features of labelled configurations, one file per descriptor and shard.
rule features:
    input:
        labels=f"{RESULTS}/labels/{{dataset}}/{{shard}}.h5",
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
        dataset=about,
        descriptor=lambda wildcards: config["descriptors"][wildcards.descriptor],
        sites=memory_of.learns_from_sites(PLAN.config),
        sections=[],
    script:
        "../scripts/features.py"
