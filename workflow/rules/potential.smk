# The crystal at rest in the potential, and how far its Hessian can be trusted.
rule lattice:
    input:
        potential_file,
        code=code_of("lattice"),
    output:
        LATTICE,
    log:
        f"{RESULTS}/logs/lattice.log",
    benchmark:
        f"{RESULTS}/benchmarks/lattice.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        potential=config["potential"],
        lattice=config["lattice"],
    script:
        "../scripts/lattice.py"


# The smooth representation of an embedded-atom potential, as a fine table for LAMMPS.
rule table:
    input:
        potential_file,
        code=code_of("table"),
    output:
        table=TABLE,
        residuals=f"{RESULTS}/potential/residuals.csv",
        residuals_page=report(
            f"{RESULTS}/potential/residuals.html",
            caption="../report/residuals.rst",
            category="3 Data",
            labels={"result": "Table: smooth potential against its file"},
        ),
    log:
        f"{RESULTS}/logs/table.log",
    benchmark:
        f"{RESULTS}/benchmarks/table.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        potential=config["potential"],
    script:
        "../scripts/table.py"


# Hessians by finite differences: the label of a vacancy with half, once and twice the step.
rule step_test:
    input:
        potential_file,
        lattice=LATTICE if RECIPES else [],
        references=[reference_of(dataset) for dataset in COMPUTED if dataset not in RECIPES],
        code=code_of("step_test"),
    output:
        table=f"{RESULTS}/potential/step_test.csv",
        page=report(
            f"{RESULTS}/potential/step_test.html",
            caption="../report/step_test.rst",
            category="3 Data",
            labels={"result": "Table: labels with half, once and twice the step"},
        ),
    log:
        f"{RESULTS}/logs/step_test.log",
    benchmark:
        f"{RESULTS}/benchmarks/step_test.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        potential=config["potential"],
        datasets={name: config["datasets"][name] for name in COMPUTED},
        gates={
            "max_force": config["labels"]["max_force"],
            "min_eigenvalue": config["labels"]["minimum_eigenvalue"],
        },
    script:
        "../scripts/step_test.py"


POTENTIAL_CHECK = (
    [rules.table.output.residuals, rules.table.output.residuals_page] if ANALYTIC else rules.step_test.output
)
