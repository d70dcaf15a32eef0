# Exact formation entropies where none are given, and the table of all configurations.
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
    wildcard_constraints:
        dataset=one_of(PLAN.computed),
    conda:
        "../envs/vibentropy.yaml"
    # One thread, however many cores there are: the last digits of a factorisation depend on their number. Labels run
    # side by side, which takes no longer as long as there are shards for all cores; that goes for finite differences,
    # too, which keep their forces beside the output, so that a job that was ended goes on.
    threads: 1
    resources:
        mem_mb=memory(lambda wildcards, input: memory_of.labels_memory(PLAN.config, sites(wildcards))),
        runtime=minutes(120),
    params:
        specification=about,
        potential=config["potential"],
        settings=PLAN.config.labels.settings,
    script:
        "../scripts/label.py"


rule configurations:
    input:
        labels=lambda wildcards: labelled_shards(),
        # Nothing is learnt from a data set that is not sound as a whole. Labels do not wait for it: they would be
        # computed again whenever files are added, or, with `ancient`, not when something else asks for it.
        checked=expand(rules.check_files.output, dataset=PLAN.checked),
        code=code_of("configurations"),
    output:
        data=f"{RESULTS}/configurations.h5",
        table=f"{RESULTS}/configurations.csv",
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
        duplicates=PLAN.config.labels.duplicates.tolerances,
    script:
        "../scripts/configurations.py"


# For OVITO and other programs; large, and so not part of `all`: `snakemake extxyz`.
rule extxyz:
    input:
        data=rules.configurations.output.data,
        code=code_of("extxyz"),
    output:
        f"{RESULTS}/configurations.extxyz",
    log:
        f"{RESULTS}/logs/extxyz.log",
    benchmark:
        f"{RESULTS}/benchmarks/extxyz.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(memory_of.configurations_memory(PLAN.config, 1)),
        runtime=minutes(30),
    script:
        "../scripts/extxyz.py"
