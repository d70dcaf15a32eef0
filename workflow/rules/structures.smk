# Relaxed configurations: made by a recipe, or read from files, archives or the arrays of the reference work.
rule sample:
    input:
        table=TABLE if ANALYTIC else [],
        lattice=LATTICE,
        potential=potential_file,
        code=code_of("sample"),
    output:
        f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/structures/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/structures/{{dataset}}/{{shard}}.tsv"
    wildcard_constraints:
        dataset="|".join(RECIPES) or "$^",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.structures_memory(config, sites(wildcards))),
        runtime=minutes(120),
    params:
        trajectories=lambda wildcards: shards_of(wildcards.dataset)[wildcards.shard],
        potential=config["potential"],
        seed=config["seed"],
    script:
        "../scripts/sample.py"


rule ingest:
    input:
        files=lambda wildcards: [path for path, *_ in pieces(wildcards.dataset, wildcards.shard)],
        reference=reference,
        code=code_of("ingest"),
    output:
        f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/structures/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/structures/{{dataset}}/{{shard}}.tsv"
    wildcard_constraints:
        dataset="|".join(INGESTED) or "$^",
    # Files of the user come first: their faults should show before hours are spent.
    priority: 100
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.structures_memory(config, sites(wildcards))),
        runtime=minutes(60),
    params:
        specification=about,
        pieces=lambda wildcards: pieces(wildcards.dataset, wildcards.shard),
    script:
        "../scripts/ingest.py"


# What only all configurations of a data set show: files of which none can be used, and entropies in another unit.
rule check_files:
    input:
        structures=lambda wildcards: expand(
            rules.ingest.output, dataset=wildcards.dataset, shard=shards_of(wildcards.dataset)
        ),
        code=code_of("check_files"),
    output:
        f"{RESULTS}/tables/files/{{dataset}}.csv",
    log:
        f"{RESULTS}/logs/files/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/files/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(INGESTED) or "$^",
    priority: 100
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        specification=lambda wildcards: config["datasets"][wildcards.dataset],
    script:
        "../scripts/check_files.py"


rule published:
    input:
        reference=reference,
        entropies=lambda wildcards: config["datasets"][wildcards.dataset]["arrays"]["entropies"],
        code=code_of("published"),
    output:
        f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/structures/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/structures/{{dataset}}/{{shard}}.tsv"
    wildcard_constraints:
        dataset="|".join(PUBLISHED) or "$^",
    priority: 100
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.structures_memory(config, sites(wildcards))),
        runtime=minutes(60),
    params:
        arrays=lambda wildcards: config["datasets"][wildcards.dataset]["arrays"],
    script:
        "../scripts/published.py"


rule unpack:
    input:
        archive=reference,
        code=code_of("unpack"),
    output:
        f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/structures/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/structures/{{dataset}}/{{shard}}.tsv"
    wildcard_constraints:
        dataset="|".join(ARCHIVED) or "$^",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.structures_memory(config, sites(wildcards))),
        runtime=minutes(10),
    params:
        specification=about,
        rows=lambda wildcards: shards_of(wildcards.dataset)[wildcards.shard],
    script:
        "../scripts/unpack.py"
