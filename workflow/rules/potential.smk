# The crystal at rest in the potential, and how far its Hessian can be trusted.
rule lattice:
    input:
        potential_file,
        code=modules("crystal") + POTENTIAL_CODE,
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
        code=POTENTIAL_CODE,
    output:
        table=TABLE,
        residuals=report(
            f"{RESULTS}/potential/residuals.csv",
            caption="../report/residuals.rst",
            category="Potential",
            labels={"table": "smooth representation against the file"},
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
        code=modules("relaxation", "harmonic") + POTENTIAL_CODE,
    output:
        report(
            f"{RESULTS}/potential/step_test.csv",
            caption="../report/step_test.rst",
            category="Potential",
            labels={"table": "labels with half, once and twice the step"},
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


POTENTIAL_CHECK = rules.table.output.residuals if ANALYTIC else rules.step_test.output
