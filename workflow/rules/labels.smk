# Exact formation entropies, and the table of all configurations.
rule label:
    input:
        structures=f"{RESULTS}/structures/{{dataset}}/{{shard}}.h5",
        reference=reference,
        potential=PLAN.potential_files,
        code=lambda wildcards: code_of("label") + PLAN.source_code(wildcards.dataset),
    output:
        f"{RESULTS}/labels/{{dataset}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/labels/{{dataset}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/labels/{{dataset}}/{{shard}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    # One thread, however many cores there are: the last digits of a factorisation depend on their number. Labels run
    # side by side, which takes no longer as long as there are shards for all cores.
    threads: 1
    resources:
        mem_mb=memory(
            lambda wildcards, input: memory_of.labels_memory(PLAN.config, wildcards.dataset, sites(wildcards))
        ),
        runtime=minutes(120),
    params:
        dataset=about,
        potential=config["potential"],
        settings=PLAN.config.labels.settings,
    script:
        "../scripts/label.py"


rule configurations:
    input:
        labels=lambda wildcards: every_shard(f"{RESULTS}/labels/{{dataset}}/{{shard}}.h5"),
        # Nothing is learnt from a data set that is not sound as a whole. Labels do not wait for it: they would be
        # computed again whenever files are added, or, with `ancient`, not when something else asks for it.
        checked=expand(rules.check_files.output, dataset=PLAN.checked),
        code=code_of("configurations"),
    output:
        data=f"{RESULTS}/configurations.h5",
        table=f"{RESULTS}/configurations.csv",
        atoms=f"{RESULTS}/configurations.extxyz",
        outcomes=f"{RESULTS}/tables/outcomes.csv",
        outcomes_page=report(
            f"{RESULTS}/tables/outcomes.html",
            caption="../report/outcomes.rst",
            category="3 Data",
            labels={"result": "Table: what became of every configuration"},
        ),
    log:
        f"{RESULTS}/logs/configurations.log",
    benchmark:
        f"{RESULTS}/benchmarks/configurations.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.configurations_memory(PLAN.config, len(input.labels))),
        runtime=minutes(30),
    params:
        roles={name: source.role for name, source in PLAN.config.sources.items()},
        duplicates=config["labels"]["duplicates"],
    script:
        "../scripts/configurations.py"
