# What a run owes its results to, and checksums of these.
from vibentropy.run import provenance


rule provenance:
    input:
        lambda wildcards: list(provenance.input_files(config).values()),
        code=code_of("provenance"),
    output:
        record=f"{RESULTS}/provenance.json",
        table=f"{RESULTS}/provenance.csv",
        page=report(
            f"{RESULTS}/provenance.html",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"result": "Table: configuration, versions, input files"},
        ),
    log:
        f"{RESULTS}/logs/provenance.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        config=config,
        # Other versions write another record, and no other result is computed again for them.
        versions=lambda wildcards: provenance.versions(),
        code_sha256=lambda wildcards: provenance.code_sha256(),
    script:
        "../scripts/provenance.py"


rule checksums:
    input:
        rules.provenance.output,
        rules.folds.output,
        rules.configurations.output,
        rules.set_aside.output,
        expand(rules.check_files.output, dataset=PLAN.checked),
        rules.evaluate.output,
        rules.evaluate.input.predictions,
        rules.evaluate.input.fits,
        rules.figures.output,
        rules.page.output,
        expand(rules.fit.output.model, descriptor=config["descriptors"], regressor=config["regressors"]),
        rules.comparison.output if len(config["descriptors"]) > 1 else [],
        rules.lattice.output if PLAN.generated else [],
        POTENTIAL_CHECK if PLAN.computed else [],
    output:
        f"{RESULTS}/SHA256SUMS",
    log:
        f"{RESULTS}/logs/checksums.log",
    benchmark:
        f"{RESULTS}/benchmarks/checksums.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/checksums.py"


# The same, and the files with their checksums, in a form that archives read.
rule crate:
    input:
        record=rules.provenance.output.record,
        checksums=rules.checksums.output[0],
        code=code_of("crate"),
    output:
        f"{RESULTS}/ro-crate-metadata.json",
    log:
        f"{RESULTS}/logs/crate.log",
    benchmark:
        f"{RESULTS}/benchmarks/crate.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/crate.py"
