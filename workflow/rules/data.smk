# The data sets of a run as archives, to ship or to use in other runs; `snakemake data`, not part of `all`.
from math import ceil

# Configurations resolved by atoms in one job; each takes some seconds.
RESOLVED_PER_JOB = 30
RESOLVED = range(ceil(config["data"]["resolved"] / RESOLVED_PER_JOB))


rule resolve:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        lattice=PLAN.lattice,
        references=PLAN.references_of(PLAN.generated),
        potential=PLAN.potential_files,
        code=code_of("resolve") + PLAN.source_code(*PLAN.generated),
    output:
        f"{RESULTS}/resolved/{{part}}.h5",
    log:
        f"{RESULTS}/logs/resolved/{{part}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/resolved/{{part}}.tsv"
    wildcard_constraints:
        part=r"\d+",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        datasets={name: PLAN.about(name) for name in sorted(set(PLAN.training) & set(PLAN.generated))},
        number=config["data"]["resolved"],
        per_job=RESOLVED_PER_JOB,
        potential=config["potential"],
        gates=PLAN.config.labels.gates,
    script:
        "../scripts/resolve.py"


rule pack:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        resolved=expand(f"{RESULTS}/resolved/{{part}}.h5", part=RESOLVED),
        lattice=PLAN.lattice,
        references=reference,
        potential=PLAN.potential_files,
        code=code_of("pack"),
    output:
        f"{RESULTS}/data/{{dataset}}.h5",
    log:
        f"{RESULTS}/logs/data/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/data/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=one_of(PLAN.generated),
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        specification=about,
        potential=config["potential"],
    script:
        "../scripts/pack.py"


# Minima in the infinite crystal in one job; each takes a minute or two.
INFINITE = config["data"]["infinite"]


rule infinite_part:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        references=asking(lambda wildcards: PLAN.references(PLAN.training[0])),
        potential=PLAN.potential_files,
        code=code_of("infinite"),
    output:
        f"{RESULTS}/infinite/{{part}}.h5",
    log:
        f"{RESULTS}/logs/infinite/{{part}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/infinite/{{part}}.tsv"
    wildcard_constraints:
        part=r"\d+",
    conda:
        "../envs/vibentropy.yaml"
    threads: 1
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.labels_memory(PLAN.config, max(INFINITE["sizes"]))),
        runtime=minutes(120),
    params:
        specifications=lambda wildcards: {name: PLAN.about(name) for name in PLAN.training},
        lowest=INFINITE["lowest"],
        sizes=INFINITE["sizes"],
        parts=INFINITE["jobs"],
        potential=config["potential"],
        gates=PLAN.config.labels.gates,
    script:
        "../scripts/infinite.py"


# Formation entropies in the infinite crystal, of the lowest minima of each class; `snakemake infinite`.
rule infinite:
    input:
        parts=expand(rules.infinite_part.output, part=range(INFINITE["jobs"])),
        references=asking(lambda wildcards: PLAN.references(PLAN.training[0])),
        code=code_of("pack_infinite"),
    output:
        archive=f"{RESULTS}/data/infinite.h5",
        table=f"{RESULTS}/data/infinite.csv",
    log:
        f"{RESULTS}/logs/data/infinite.log",
    benchmark:
        f"{RESULTS}/benchmarks/data/infinite.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        specification=asking(lambda wildcards: PLAN.about(PLAN.training[0])),
        potential=config["potential"],
    script:
        "../scripts/pack_infinite.py"


# A small training set: the minima that say most about the weights of a model; `snakemake chosen`.
rule chosen:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        features=asking(
            lambda wildcards: every_shard(
                f"{RESULTS}/features/{{descriptor}}/{{dataset}}/{{shard}}.h5",
                descriptor=PLAN.choosing_descriptor(),
            )
        ),
        references=asking(lambda wildcards: PLAN.references(PLAN.training[0])),
        code=code_of("choose"),
    output:
        f"{RESULTS}/data/chosen.h5",
    log:
        f"{RESULTS}/logs/data/chosen.log",
    benchmark:
        f"{RESULTS}/benchmarks/data/chosen.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        specification=asking(lambda wildcards: PLAN.about(PLAN.training[0])),
        number=config["data"]["chosen"]["number"],
    script:
        "../scripts/choose.py"


rule data:
    input:
        archives=asking(lambda wildcards: expand(rules.pack.output, dataset=PLAN.packed())),
        outcomes=f"{RESULTS}/tables/outcomes.csv",
    output:
        outcomes=f"{RESULTS}/data/outcomes.csv",
        checksums=f"{RESULTS}/data/SHA256SUMS",
    log:
        f"{RESULTS}/logs/data.log",
    benchmark:
        f"{RESULTS}/benchmarks/data.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(100),
        runtime=minutes(10),
    params:
        names=lambda wildcards, input: [Path(file).name for file in input.archives],
    shell:
        """
        (
            cp {input.outcomes} {output.outcomes}
            cd $(dirname {output.checksums})
            sha256sum {params.names} outcomes.csv >SHA256SUMS
        ) 2>{log}
        """
