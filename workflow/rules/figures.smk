# Figures for a paper, as PDF and PNG.
rule figures:
    input:
        predictions=rules.evaluate.input.predictions,
        configurations=f"{RESULTS}/configurations.h5",
        code=code_of("figures"),
        style=str(PACKAGE / "report/vibentropy.mplstyle"),
    output:
        parity=report(
            f"{RESULTS}/figures/parity.png",
            caption="../report/parity.rst",
            category="1 Results",
            labels={"result": "Figure: parity by class of defects"},
        ),
        parity_pdf=f"{RESULTS}/figures/parity.pdf",
        extrapolation=report(
            f"{RESULTS}/figures/extrapolation.png",
            caption="../report/extrapolation.rst",
            category="1 Results",
            labels={"result": "Figure: extrapolation to larger cells"},
        ),
        extrapolation_pdf=f"{RESULTS}/figures/extrapolation.pdf",
        reliability=report(
            f"{RESULTS}/figures/reliability.png",
            caption="../report/reliability.rst",
            category="2 Error bars",
            labels={"result": "Figure: what intervals promise and hold"},
        ),
        reliability_pdf=f"{RESULTS}/figures/reliability.pdf",
        labels=report(
            f"{RESULTS}/figures/labels.png",
            caption="../report/labels.rst",
            category="3 Data",
            labels={"result": "Figure: exact entropies by class of defects"},
        ),
        labels_pdf=f"{RESULTS}/figures/labels.pdf",
    log:
        f"{RESULTS}/logs/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/figures.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
        tests=PLAN.tests,
    script:
        "../scripts/figures.py"
