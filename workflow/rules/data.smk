# The data sets of a run as archives, to ship or to use in other runs; `snakemake data`, not part of `all`.
from math import ceil

# Configurations resolved by atoms in one job; each takes some seconds.
RESOLVED_PER_JOB = 30
RESOLVED = range(ceil(config["data"]["resolved"] / RESOLVED_PER_JOB))


rule resolve:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        lattice=LATTICE,
        potential=potential_file,
        code=code_of("resolve"),
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
        datasets=sorted(set(TRAINING) & set(RECIPES)),
        number=config["data"]["resolved"],
        per_job=RESOLVED_PER_JOB,
        potential=config["potential"],
        labels={key: config["labels"][key] for key in ("max_force", "minimum_eigenvalue")},
    script:
        "../scripts/resolve.py"


rule pack:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        resolved=expand(f"{RESULTS}/resolved/{{part}}.h5", part=RESOLVED),
        lattice=LATTICE,
        potential=potential_file,
        code=code_of("pack"),
    output:
        f"{RESULTS}/data/{{dataset}}.h5",
    log:
        f"{RESULTS}/logs/data/{{dataset}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/data/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(RECIPES) or "$^",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        potential=config["potential"],
    script:
        "../scripts/pack.py"


rule data:
    input:
        archives=archives,
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
