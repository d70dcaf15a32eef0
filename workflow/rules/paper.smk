# What papers and pages show: models side by side, the figures of the reference work, the table of the README.
import shlex

# Test sets by the name that their errors have in tables.
TESTED = [name for name, dataset in config["datasets"].items() if dataset["role"] == "test"]
TESTS = config["evaluation"]["tests"] or ({"test": TESTED} if TESTED else {})

# What makes the results of this run, for those who read them; files elsewhere by their names. Whatever follows
# --configfile is taken for another one, so it comes last.
CONFIGURED = " ".join(
    shlex.quote(str(file.relative_to(workflow.basedir) if file.is_relative_to(workflow.basedir) else file.name))
    for file in map(Path.absolute, map(Path, workflow.overwrite_configfiles))
)
COMMAND = " ".join(["snakemake readme --cores 2", *([f"--configfile {CONFIGURED}"] if CONFIGURED else [])])

PAPER = f"{RESULTS}/figures/paper"
# Parity of what was held out, and each test, one figure for each regressor.
PANELS = {
    name: {
        kind: expand(f"{PAPER}/{name}_{{regressor}}.{kind}", regressor=config["regressors"]) for kind in ("png", "pdf")
    }
    for name in ["parity", *TESTS]
}


rule describe:
    input:
        labels=lambda wildcards: f"{RESULTS}/labels/{TRAINING[0]}/{next(iter(shards_of(TRAINING[0])))}.h5",
        potentials=descriptor_potentials,
        code=lambda wildcards: modules("comparison", "neighbours") + descriptor_source(wildcards),
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
        code=modules("comparison", "splits", "plotting"),
        style=str(PACKAGE / "vibentropy.mplstyle"),
    output:
        table=report(
            f"{RESULTS}/tables/comparison.csv",
            caption="../report/comparison.rst",
            category="Errors",
            labels={"table": "errors, number of features and cost"},
        ),
        figure=report(
            f"{RESULTS}/figures/comparison.png",
            caption="../report/comparison.rst",
            category="Figures",
            labels={"figure": "errors against number of features and cost"},
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
        tests=list(TESTS),
    script:
        "../scripts/comparison.py"


rule paper_parity:
    input:
        predictions=rules.evaluate.input.predictions,
        code=modules("plotting"),
        style=str(PACKAGE / "vibentropy.mplstyle"),
    output:
        png=report(
            PANELS["parity"]["png"],
            caption="../report/paper.rst",
            category="Figures",
            subcategory="Paper",
            labels={"figure": "parity"},
        ),
        pdf=PANELS["parity"]["pdf"],
    log:
        f"{RESULTS}/logs/paper/parity.log",
    benchmark:
        f"{RESULTS}/benchmarks/paper/parity.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        regressors=list(config["regressors"]),
        datasets=[],
    script:
        "../scripts/paper.py"


# paper_extrapolation and so on, by the names of the tests.
for test, datasets in TESTS.items():

    rule:
        name:
            f"paper_{test}"
        input:
            predictions=rules.evaluate.input.predictions,
            code=modules("plotting"),
            style=str(PACKAGE / "vibentropy.mplstyle"),
        output:
            png=report(
                PANELS[test]["png"],
                caption="../report/paper.rst",
                category="Figures",
                subcategory="Paper",
                labels={"figure": test},
            ),
            pdf=PANELS[test]["pdf"],
        log:
            f"{RESULTS}/logs/paper/{test}.log",
        benchmark:
            f"{RESULTS}/benchmarks/paper/{test}.tsv"
        conda:
            "../envs/vibentropy.yaml"
        resources:
            mem_mb=memory(1000),
            runtime=minutes(10),
        params:
            regressors=list(config["regressors"]),
            datasets=datasets,
        script:
            "../scripts/paper.py"


rule paper_figures:
    input:
        [files for of_kind in PANELS.values() for files in of_kind.values()],


rule page:
    input:
        summary=f"{RESULTS}/summary.csv",
        descriptors=expand(rules.describe.output, descriptor=config["descriptors"]),
        configurations=f"{RESULTS}/configurations.h5",
        code=modules("page", "published", "splits"),
    output:
        f"{RESULTS}/summary.md",
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
        tests=TESTS,
        command=COMMAND,
    script:
        "../scripts/page.py"


# No output: Snakemake would remove it before, and there is more in a README than results.
rule readme:
    input:
        rules.page.output,
    log:
        f"{RESULTS}/logs/readme.log",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(100),
        runtime=minutes(10),
    params:
        readme="README.md",
    script:
        "../scripts/readme.py"
