# Relaxed configurations: made by a recipe, or read from files, archives or the arrays of the reference work.
rule structures:
    input:
        unpack(structures_of),
        code=lambda wildcards: code_of("structures") + PLAN.source_code(wildcards.dataset),
    output:
        f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/structures/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/structures/{{dataset}}/{{shard}}.tsv"
    wildcard_constraints:
        dataset=one_of(name for name in PLAN.config.sources if name not in PLAN.read_first),
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(
            lambda wildcards, input: memory_of.structures_memory(PLAN.config, wildcards.dataset, sites(wildcards))
        ),
        runtime=minutes(lambda wildcards, input: PLAN.source(wildcards.dataset).minutes),
    params:
        dataset=about,
        content=content,
        workshop=lambda wildcards: PLAN.workshop(wildcards.dataset),
    script:
        "../scripts/structures.py"


# Files of the user come first: their faults should show before hours are spent.
use rule structures as user_structures with:
    wildcard_constraints:
        dataset=one_of(PLAN.read_first),
    priority: 100


# What only all configurations of a data set show: files of which none can be used, and entropies in another unit.
rule check_files:
    input:
        structures=lambda wildcards: expand(
            rules.structures.output, dataset=wildcards.dataset, shard=shards_of(wildcards.dataset)
        ),
        code=lambda wildcards: code_of("check_files") + PLAN.source_code(wildcards.dataset),
    output:
        f"{RESULTS}/tables/files/{{dataset}}.csv",
    log:
        f"{RESULTS}/logs/files/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/files/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.checked),
    priority: 100
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        dataset=lambda wildcards: config["datasets"][wildcards.dataset],
    script:
        "../scripts/check_files.py"
