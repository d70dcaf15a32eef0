# What entropies are wanted for: `snakemake thermodynamics`, from the minima of the training sets.
rule thermodynamics:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        lattice=LATTICE if set(TRAINING) & set(RECIPES) else [],
        references=[reference_of(dataset) for dataset in TRAINING if dataset not in RECIPES],
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("thermodynamics"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        equilibrium=f"{RESULTS}/tables/equilibrium.csv",
        equilibrium_page=report(
            f"{RESULTS}/tables/equilibrium.html",
            caption="../report/equilibrium.rst",
            category="4 Thermodynamics",
            labels={"result": "Table: free energies and concentrations"},
        ),
        compensation=f"{RESULTS}/tables/compensation.csv",
        compensation_page=report(
            f"{RESULTS}/tables/compensation.html",
            caption="../report/compensation.rst",
            category="4 Thermodynamics",
            labels={"result": "Table: energy against entropy"},
        ),
        free_energy=report(
            f"{RESULTS}/figures/free_energy.png",
            caption="../report/equilibrium.rst",
            category="4 Thermodynamics",
            labels={"result": "Figure: free energies and concentrations"},
        ),
        free_energy_pdf=f"{RESULTS}/figures/free_energy.pdf",
        compensation_png=report(
            f"{RESULTS}/figures/compensation.png",
            caption="../report/compensation.rst",
            category="4 Thermodynamics",
            labels={"result": "Figure: energy against entropy"},
        ),
        compensation_pdf=f"{RESULTS}/figures/compensation.pdf",
        # Those of all other results do not wait for what is made on demand.
        checksums=f"{RESULTS}/SHA256SUMS.thermodynamics",
    log:
        f"{RESULTS}/logs/thermodynamics.log",
    benchmark:
        f"{RESULTS}/benchmarks/thermodynamics.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        temperatures=config["thermodynamics"],
        datasets=config["datasets"],
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/thermodynamics.py"
