"""What the reference work reports (Lapointe et al., Phys. Rev. Materials 4, 063802 (2020))."""

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Where the files are.
SOURCE = "https://github.com/louity/AFS-python"


#: k_B by which published labels differ from -1/2 [ln det' H_d - (N_d - 3)/(N_0 - 3) ln det' H_0], read off from minima
#: that recur among labels of one's own (`vibentropy.studies.recurrence`). Nobody says where it is from.
LABEL_OFFSET = -0.0125

#: Sites of the cells of the published arrays.
N_SITES = 1024


class Reported(NamedTuple):
    """Labels of one class of defects in the published arrays, those of 0 left out; entropies in k_B."""

    count: int  # type: ignore[assignment]  # hides the method of tuples, which nobody counts in
    mean: float
    low: float
    high: float


#: Of bcc iron in 1024 sites, by potential and class: from the ``entropies_*.npz`` of `SOURCE`.
REPORTED = {
    "EAM": {
        "I2": Reported(423, 4.08, 1.10, 15.44),
        "I3": Reported(1102, 5.94, 1.18, 19.72),
        "I4": Reported(1280, 7.98, 0.97, 17.65),
        "V4": Reported(1698, 10.22, 7.87, 15.20),
    },
    "MEAM": {
        "I2": Reported(423, 10.33, 7.01, 16.46),
        "I3": Reported(1104, 13.81, 8.63, 18.59),
        "I4": Reported(1279, 15.88, 9.87, 23.81),
        "V4": Reported(1700, 17.55, 12.81, 27.94),
    },
}


class ReportedErrors(NamedTuple):
    """Errors of one model of the reference work, k_B, as (mean absolute, root mean square); None where not reported."""

    potential: str
    descriptor: str
    n_features: int | None
    regressor: str
    held_out: tuple[float, float]
    extrapolation: tuple[float, float] | None
    #: Of the same descriptor in a configuration.
    block: dict[str, Any]


#: From the article. Held out in five folds of the rows in file order, which share trajectories and repeated minima;
#: extrapolation from 5-25 k_B in 1024 sites to 10-250 k_B in 1024 to 3456 sites.
REPORTED_ERRORS = [
    ReportedErrors(
        potential="MEAM",
        descriptor="A_{3,10}",
        n_features=33,
        regressor="Bayesian ridge",
        held_out=(0.18, 0.30),
        extrapolation=(0.98, 1.53),
        block={"kind": "afs", "n_max": 3, "l_max": 10},
    ),
    ReportedErrors(
        potential="MEAM",
        descriptor="solid harmonic scattering",
        n_features=None,
        regressor="",
        held_out=(0.48, 0.70),
        extrapolation=None,
        block={"kind": "scattering", "n_scales": 7, "l_max": 5},
    ),
]

#: Entropies of the cells that the article extrapolates to, k_B.
EXTRAPOLATED = (10.0, 250.0)


def reported_errors(element: str) -> list[ReportedErrors]:
    """Find the published errors of models for an element.

    Parameters
    ----------
    element : str

    Returns
    -------
    list of ReportedErrors
        Empty for all elements but iron.
    """
    return REPORTED_ERRORS if element == "Fe" else []


def counterparts(potential: str | None, descriptors: Mapping[str, Mapping[str, Any]]) -> dict[str, ReportedErrors]:
    """Find the descriptors of a run that are those of published models.

    Parameters
    ----------
    potential : str or None
        Of the reference work, that a run is compared with.
    descriptors : dict of dict
        Blocks of a configuration, by name.

    Returns
    -------
    dict of ReportedErrors
        By the name of the descriptor in the configuration, in the order of `REPORTED_ERRORS`.
    """
    return {
        name: errors
        for errors in REPORTED_ERRORS
        for name, block in descriptors.items()
        if errors.potential == potential and errors.block.items() <= block.items()
    }


def reported(element: str) -> dict[str, dict[str, Reported]]:
    """Find the published label sets of an element.

    Parameters
    ----------
    element : str

    Returns
    -------
    dict of dict of Reported
        By potential and class of defects; empty for all elements but iron.
    """
    return REPORTED if element == "Fe" else {}


def ranges_of_labels(potential: str | None) -> dict[str, tuple[float, float]]:
    """Find the smallest and the largest published label of each class of defects.

    Parameters
    ----------
    potential : str or None
        Of the reference work; none has no labels.

    Returns
    -------
    dict of (float, float)
        By class, k_B.
    """
    return {name: (labels.low, labels.high) for name, labels in REPORTED.get(potential or "", {}).items()}
