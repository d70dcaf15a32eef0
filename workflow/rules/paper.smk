# What papers and pages show: models side by side, the figures of the reference work, the table of the README.
import shlex

# What makes the results of this run, for those who read them; files elsewhere by their names. Whatever follows
# --configfile is taken for another one, so it comes last.
CONFIGURED = " ".join(
    shlex.quote(str(file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file.name))
    for file in map(Path.absolute, map(Path, workflow.overwrite_configfiles))
)
COMMAND = " ".join(["snakemake readme --cores 2", *([f"--configfile {CONFIGURED}"] if CONFIGURED else [])])

PAPER = f"{RESULTS}/figures/paper"


rule describe:
    input:
        labels=lambda wildcards: labelled(PLAN.training[0], next(iter(shards_of(PLAN.training[0])))),
        potentials=descriptor_potentials,
        code=lambda wildcards: code_of("describe") + PLAN.descriptor_code(wildcards.descriptor),
    output:
        f"{RESULTS}/benchmarks/descriptors/{{descriptor}}.csv",
    log:
        f"{RESULTS}/logs/descriptors/{{descriptor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/descriptors/{{descriptor}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        descriptor=lambda wildcards: config["descriptors"][wildcards.descriptor],
        frames=3,
    script:
        "../scripts/describe.py"


rule comparison:
    input:
        summary=f"{RESULTS}/summary.csv",
        descriptors=expand(rules.describe.output, descriptor=config["descriptors"]),
        code=code_of("comparison"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        table=f"{RESULTS}/tables/comparison.csv",
        page=report(
            f"{RESULTS}/tables/comparison.html",
            caption="../report/comparison.rst",
            category="1 Results",
            labels={"result": "Table: errors, features and cost"},
        ),
        figure=report(
            f"{RESULTS}/figures/comparison.png",
            caption="../report/comparison.rst",
            category="1 Results",
            labels={"result": "Figure: errors against features and cost"},
        ),
        figure_pdf=f"{RESULTS}/figures/comparison.pdf",
    log:
        f"{RESULTS}/logs/comparison.log",
    benchmark:
        f"{RESULTS}/benchmarks/comparison.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tests=list(PLAN.tests),
    script:
        "../scripts/comparison.py"


# Parity of what was held out, and each test, one figure for each regressor.
rule paper_parity:
    input:
        predictions=expand(
            f"{RESULTS}/predictions/{{descriptor}}/{{{{regressor}}}}.csv",
            descriptor=config["descriptors"],
        ),
        code=code_of("paper"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        png=report(
            f"{PAPER}/parity_{{regressor}}.png",
            caption="../report/paper.rst",
            category="9 Paper",
            labels={"result": "Figure: parity, {regressor}"},
        ),
        pdf=f"{PAPER}/parity_{{regressor}}.pdf",
    log:
        f"{RESULTS}/logs/paper/parity_{{regressor}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/paper/parity_{{regressor}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tests={},
    script:
        "../scripts/paper.py"


# paper_extrapolation and so on, by the names of the tests.
for test, datasets in PLAN.tests.items():

    rule:
        name:
            f"paper_{test}"
        input:
            predictions=expand(
                f"{RESULTS}/predictions/{{descriptor}}/{{{{regressor}}}}.csv",
                descriptor=config["descriptors"],
            ),
            code=code_of("paper"),
            style=str(PACKAGE / "report/vibentropy.mplstyle"),
        output:
            png=report(
                f"{PAPER}/{test}_{{regressor}}.png",
                caption="../report/paper.rst",
                category="9 Paper",
                labels={"result": f"Figure: {test.replace('_', ' ')}, {{regressor}}"},
            ),
            pdf=f"{PAPER}/{test}_{{regressor}}.pdf",
        log:
            f"{RESULTS}/logs/paper/{test}_{{regressor}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/paper/{test}_{{regressor}}.tsv"
        conda:
            "../envs/vibentropy.yaml"
        resources:
            mem_mb=memory(1000),
            runtime=minutes(10),
        params:
            tests={test: datasets},
        script:
            "../scripts/paper.py"


# Models of the article, its classes and its range, with its errors beside ours; where `reference_work` says which.
rule paper_published:
    input:
        predictions=expand(f"{RESULTS}/predictions/{{model}}.csv", model=PLAN.counterparts.values()),
        code=code_of("published"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        png=report(
            f"{PAPER}/published.png",
            caption="../report/published.rst",
            category="9 Paper",
            labels={"result": "Figure: beside the published errors"},
        ),
        pdf=f"{PAPER}/published.pdf",
    log:
        f"{RESULTS}/logs/paper/published.log",
    benchmark:
        f"{RESULTS}/benchmarks/paper/published.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        larger=PLAN.tests.get("extrapolation", []),
    script:
        "../scripts/published.py"


rule paper_figures:
    input:
        expand(
            f"{PAPER}/{{name}}_{{regressor}}.{{kind}}",
            name=["parity", *PLAN.tests],
            regressor=config["regressors"],
            kind=["png", "pdf"],
        ),
        rules.paper_published.output if PLAN.counterparts else [],


rule page:
    input:
        summary=f"{RESULTS}/summary.csv",
        descriptors=expand(rules.describe.output, descriptor=config["descriptors"]),
        configurations=f"{RESULTS}/configurations.h5",
        figure=f"{RESULTS}/figures/extrapolation.png",
        code=code_of("page"),
    output:
        text=f"{RESULTS}/summary.md",
        page=report(
            f"{RESULTS}/results.html",
            caption="../report/results.rst",
            category="1 Results",
            labels={"result": "Table: models side by side"},
        ),
    log:
        f"{RESULTS}/logs/page.log",
    benchmark:
        f"{RESULTS}/benchmarks/page.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tests=PLAN.tests,
    script:
        "../scripts/page.py"


# No output: Snakemake would remove it before, and there is more in a README than results.
rule readme:
    input:
        summary=f"{RESULTS}/summary.csv",
        descriptors=expand(rules.describe.output, descriptor=config["descriptors"]),
        configurations=f"{RESULTS}/configurations.h5",
    log:
        f"{RESULTS}/logs/readme.log",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        readme="README.md",
        folder="docs/errors",
        tests=list(PLAN.tests),
        run=lambda wildcards: PLAN.name,
        command=COMMAND,
    script:
        "../scripts/readme.py"
