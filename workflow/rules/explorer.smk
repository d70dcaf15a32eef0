# One page that shows every configuration beside the atoms around its defects, without a network: `snakemake explorer`; not
# part of `all`. It needs the extra `explorer` of the package.
from vibentropy.report.viewer import viewer_files


rule explorer:
    input:
        predictions=rules.evaluate.input.predictions,
        configurations=f"{RESULTS}/configurations.h5",
        folds=f"{RESULTS}/folds.csv",
        features=lambda wildcards: sum(features_by_atoms(wildcards).values(), []),
        potentials=lambda wildcards: [
            path for descriptor in features_by_atoms(wildcards) for path in PLAN.descriptor_potentials(descriptor)
        ],
        lattice=PLAN.lattice_of(PLAN.generated),
        references=PLAN.references_of(PLAN.config.sources),
        # On the page if the run has them, and not worth minutes of fits if it has not.
        curves=lambda wildcards: [path for path in [rules.learning.output.figure] if Path(path).exists()],
        # Asked for before anything is computed, in case that it is not installed.
        viewer=lambda wildcards: asking(viewer_files)(),
        # The page does not say itself what all of it comes from.
        record=f"{RESULTS}/provenance.json",
        code=lambda wildcards: code_of("explorer")
        + [path for descriptor in features_by_atoms(wildcards) for path in PLAN.descriptor_code(descriptor)]
        + PLAN.source_code(*PLAN.config.sources),
        template=str(PACKAGE / "report/explorer.html"),
    output:
        report(
            f"{RESULTS}/explorer.html",
            caption="../report/explorer.rst",
            category="5 Atoms",
            labels={"result": "Explorer: every configuration and the atoms around its defects"},
        ),
    log:
        f"{RESULTS}/logs/explorer.log",
    benchmark:
        f"{RESULTS}/benchmarks/explorer.tsv"
    conda:
        "../envs/vibentropy.yaml"
    resources:
        mem_mb=memory(
            lambda wildcards, input: 1000
            + max(
                (
                    memory_of.fit_memory(PLAN.config, len(paths), PLAN.n_features(descriptor))
                    for descriptor, paths in features_by_atoms(wildcards).items()
                ),
                default=0,
            )
        ),
        runtime=minutes(60),
    params:
        features=features_by_atoms,
        datasets={name: PLAN.about(name) for name in PLAN.config.sources},
        models=lambda wildcards: {
            model: {
                "descriptor": config["descriptors"][model.partition("/")[0]],
                "regressor": config["regressors"][model.partition("/")[2]],
            }
            for model in models_by_atoms()
        },
        exclude_duplicates=config["labels"]["duplicates"]["exclude"],
    script:
        "../scripts/explorer.py"
