# The crystal at rest in the potential, and how far its Hessian can be trusted.
rule lattice:
    input:
        PLAN.potential_files,
        code=code_of("lattice"),
    output:
        PLAN.lattice,
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
        lattice=PLAN.crystal,
    script:
        "../scripts/lattice.py"


# Cells that say what an atom of each further element counts, at rest.
rule references:
    input:
        PLAN.potential_files,
        lattice=PLAN.lattice,
        code=code_of("references"),
    output:
        PLAN.reference_cells,
    log:
        f"{RESULTS}/logs/references.log",
    benchmark:
        f"{RESULTS}/benchmarks/references.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        potential=config["potential"],
        references=(config["lattice"] or {}).get("references", []),
    script:
        "../scripts/references.py"


# Cells of a random alloy, at rest, that trajectories start from and are compared with.
rule random_cells:
    input:
        PLAN.potential_files,
        lattice=PLAN.lattice,
        code=code_of("random_cells"),
    output:
        PLAN.random_cells,
    log:
        f"{RESULTS}/logs/random_cells.log",
    benchmark:
        f"{RESULTS}/benchmarks/random_cells.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        potential=config["potential"],
        alloy=PLAN.random_alloy,
        sizes=PLAN.random_sizes,
    script:
        "../scripts/random_cells.py"


# The smooth representation of an embedded-atom potential, as a fine table for LAMMPS.
rule table:
    input:
        PLAN.potential_files,
        code=code_of("table"),
    output:
        table=PLAN.table,
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
        PLAN.potential_files,
        lattice=PLAN.lattice_of(PLAN.generated),
        references=PLAN.references_of(PLAN.computed),
        code=code_of("step_test") + PLAN.source_code(*PLAN.computed),
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
        datasets={name: PLAN.source(name).about_smallest() for name in PLAN.computed},
        gates=PLAN.config.labels.gates,
    script:
        "../scripts/step_test.py"


# Nothing has to be looked at where the Hessian is that of the functions themselves, and no table stands between.
POTENTIAL_CHECK = (
    [rules.table.output.residuals, rules.table.output.residuals_page]
    if PLAN.tabulated
    else [] if PLAN.analytic else rules.step_test.output
)
