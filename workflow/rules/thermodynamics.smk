# With contents of solutes, which share of the defects of a dilute alloy holds them.
OF_SOLUTES = (
    {
        "solutes": f"{RESULTS}/tables/solutes.csv",
        "solutes_page": report(
            f"{RESULTS}/tables/solutes.html",
            caption="../report/solutes.rst",
            category="4 Thermodynamics",
            labels={"result": "Table: defects in the dilute alloy"},
        ),
    }
    if config["thermodynamics"]["solutes"]
    else {}
)


# What entropies are wanted for: `snakemake thermodynamics`, from the minima of the training sets.
rule thermodynamics:
    input:
        configurations=f"{RESULTS}/configurations.h5",
        lattice=asking(lambda wildcards: PLAN.lattice_of(PLAN.in_equilibrium())),
        references=PLAN.references_of(PLAN.training),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("thermodynamics") + PLAN.source_code(*PLAN.training),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        **OF_SOLUTES,
        # Those of all other results do not wait for what is made on demand.
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
        binding=f"{RESULTS}/tables/binding.csv",
        binding_page=report(
            f"{RESULTS}/tables/binding.html",
            caption="../report/binding.rst",
            category="4 Thermodynamics",
            labels={"result": "Table: binding energies and entropies"},
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
        settings=config["thermodynamics"],
        datasets={name: PLAN.about(name) for name in PLAN.training},
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/thermodynamics.py"
