"""What a run will cost, before it is begun: core hours of sampling and labels with an analytic potential.

The rates were measured on one core of an AMD EPYC with bcc iron at 1024 and 3456 sites, `RATES` says on
what. Other machines and potentials with more neighbours differ by a factor of two; what matters is hours or weeks.
"""

from dataclasses import dataclass
from math import prod

import pandas as pd

from vibentropy.crystal import SITES_PER_CELL
from vibentropy.sampling import trajectories


@dataclass(frozen=True)
class Rates:
    """Seconds on one core.

    Attributes
    ----------
    dynamics : float
        Per atom and step of molecular dynamics: 1.07 s for 500 steps of 1024 sites.
    quench : float
        Times N^1.5, the number of steps growing with the cell: 0.4 s for 1024 sites, 2.6 s for 3456.
    matrix : float
        Times N³, of a Cholesky factor: 0.22 s for 1024 sites, 8.3 s for 3456.
    hessian : float
        Per atom, of forces, Hessian and smallest eigenvalue of a label.
    spectrum, vectors : float
        Labels with all eigenvalues, and with the eigenvectors that site entropies need, in units of `matrix`.
    """

    dynamics: float = 2.1e-6
    quench: float = 1.3e-5
    matrix: float = 2.0e-10
    hessian: float = 1.0e-4
    spectrum: float = 9.0
    vectors: float = 21.0


RATES = Rates()


def estimate(config, rates=RATES):
    """Estimate what the recipes of a configuration cost.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.config.validate`, with a lattice.
    rates : Rates

    Returns
    -------
    pandas.DataFrame
        One row per data set with a recipe, class of defects and cell: dataset, defect_class, n_sites, trajectories,
        configurations, and core hours of ``sampling`` and ``labels``.
    """
    labels = config["labels"]
    per_matrix = 1.0 + (rates.vectors if labels["site_entropies"] else rates.spectrum if labels["temperatures"] else 0)
    rows = []
    for name, dataset in config["datasets"].items():
        for trajectory in trajectories(name, dataset["recipe"]) if "recipe" in dataset else ():
            n = SITES_PER_CELL[config["lattice"]["structure"]] * prod(trajectory.repetitions)
            minima = trajectory.snapshots + bool(trajectory.clusters)
            label = per_matrix * rates.matrix * n**3 + rates.hessian * n
            rows.append(
                {
                    "dataset": name,
                    "defect_class": trajectory.defect_class,
                    "n_sites": n,
                    "trajectories": 1,
                    "configurations": minima,
                    "sampling": rates.dynamics * n * trajectory.steps_between * trajectory.snapshots
                    + rates.quench * n**1.5 * minima,
                    # A strained cell has a perfect crystal of its own.
                    "labels": label * (minima + bool(trajectory.strain)),
                }
            )
    columns = ["dataset", "defect_class", "n_sites", "trajectories", "configurations", "sampling", "labels"]
    table = (
        pd.DataFrame(rows, columns=columns)
        .groupby(["dataset", "defect_class", "n_sites"], sort=False)
        .sum()
        .reset_index()
    )
    table[["sampling", "labels"]] /= 3600
    return table


def summary(table):
    """Put an estimate into two lines.

    Parameters
    ----------
    table : pandas.DataFrame
        From `estimate`.

    Returns
    -------
    str
    """
    hours = table["sampling"].sum() + table["labels"].sum()
    largest = table.loc[(table["sampling"] + table["labels"]).idxmax()]
    return (
        f"The recipes make {table['configurations'].sum()} configurations of {table['n_sites'].min()} to "
        f"{table['n_sites'].max()} sites in {table['trajectories'].sum()} trajectories: about {_hours(hours)} on one "
        f"core ({_hours(table['sampling'].sum())} of sampling, {_hours(table['labels'].sum())} of labels),\n"
        f"less what is there already, divided by the number of cores. The largest part is {largest['dataset']}, "
        f"{largest['defect_class']}: {_hours(largest['sampling'] + largest['labels'])}."
    )


def _hours(hours):
    """Two digits are more than is known."""
    return f"{60 * hours:.0f} min" if hours < 1.5 else f"{hours:.2g} h"
