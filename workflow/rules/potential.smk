# The smooth representation of the potential, as a fine table for LAMMPS, and the crystal at rest in it.
rule potential:
    input:
        potential_file,
        code=modules("potentials", "smooth", "setfl", "sampling"),
    output:
        table=TABLE,
        lattice=LATTICE,
        residuals=report(
            f"{RESULTS}/potential/residuals.csv",
            caption="../report/residuals.rst",
            category="Potential",
            labels={"table": "smooth representation against the file"},
        ),
    log:
        f"{RESULTS}/logs/potential.log",
    benchmark:
        f"{RESULTS}/benchmarks/potential.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        potential=config["potential"],
        lattice=config["lattice"],
    script:
        "../scripts/potential.py"
