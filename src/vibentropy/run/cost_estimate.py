"""What a run will cost, before it is begun: jobs, core hours and memory of its stages.

Hours are those of one core of an AMD EPYC, for bcc iron in cells of 1024 to 3456 sites, `Rates` says on what. Other
machines, potentials with more neighbours and descriptors of another cutoff differ by a factor of two or three; what
matters is hours or weeks. Configurations of files are counted and taken to be all of one size; where only reading would
tell their number, it is unknown.
"""

from contextlib import suppress
from dataclasses import dataclass
from math import isnan, nan

import pandas as pd

from vibentropy.datasets.table import read_columns
from vibentropy.descriptors import create
from vibentropy.errors import VibentropyError
from vibentropy.files.hdf5 import open_file
from vibentropy.potentials.from_config import is_analytic
from vibentropy.run import cost_estimate
from vibentropy.run.memory import (
    configurations_memory,
    features_memory,
    fit_memory,
    labels_memory,
    sites_of,
    structures_memory,
)
from vibentropy.sources import archives, recipes
from vibentropy.sources.file_shards import sizes
from vibentropy.sources.recipes import Trajectory


def cost_in_words(config):
    """Say what a run will cost; configurations of files are counted where that is possible without reading them.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.

    Returns
    -------
    str
        As from `vibentropy.run.cost_estimate.summary`.
    """
    shards, size = {}, config["shard_size"]
    for name, specification in config["datasets"].items():
        if "recipe" in specification:
            shards[name] = recipes.recipe_shards(name, specification["recipe"], size)
        elif "archive" in specification:
            shards[name] = archives.archive_shards(specification["archive"], specification["classes"], size)
        elif "arrays" in specification:
            shards[name] = dict.fromkeys(specification["arrays"]["classes"])
        else:
            # What is wrong with files is said where they are read; their cost is unknown.
            with suppress(VibentropyError):
                shards[name] = sizes(specification, size)
    n_features = {name: create(**block).n_features for name, block in config["descriptors"].items()}
    return cost_estimate.summary(config, shards, n_features)


@dataclass(frozen=True)
class Rates:
    """Seconds on one core; those of features are `Descriptor.seconds_per_atom`.

    Attributes
    ----------
    start : float
        Of each job, until its libraries are there.
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
    collect : float
        Per atom, of putting shards together: 3.4 of 4.1 µs are extended XYZ.
    fit, fit_start : float
        Times rows and features squared: 53 s for ridge with its intervals, 31 000 rows and 250 features; and besides.
    """

    start: float = 2.0
    dynamics: float = 2.1e-6
    quench: float = 1.3e-5
    matrix: float = 2.0e-10
    hessian: float = 1.0e-4
    spectrum: float = 9.0
    vectors: float = 21.0
    collect: float = 4.1e-6
    fit: float = 2.7e-8
    fit_start: float = 4.0


RATES = Rates()


def estimate(config, shards, rates=RATES):
    """Estimate what making and labelling the configurations costs.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.
    shards : dict of dict
        By data set, what is in its shards, by their names: lists of trajectories of a recipe
        (`vibentropy.sources.recipes.recipe_shards`), the rows of an archive
        (`vibentropy.sources.archives.archive_shards`), the size of what is in files
        (`vibentropy.sources.file_shards.sizes`), or None. Data sets that are not in it are left out.
    rates : Rates

    Returns
    -------
    pandas.DataFrame
        One row per shard: dataset, shard, ``sites`` of the largest cell, ``configurations``, ``atoms`` of all of them
        together, and core hours of ``structures`` and ``labels``; NaN where they are unknown.
    """
    rows = []
    for dataset, of_dataset in shards.items():
        block = config["datasets"][dataset]
        archived = _archived(block) if "archive" in block else None
        computed = "files" in block and block["entropy"] is None
        for shard, content in of_dataset.items():
            row = {"dataset": dataset, "shard": shard, "sites": nan, "configurations": nan, "atoms": nan}
            row |= {"structures": 0.0, "labels": nan if computed else 0.0}
            if "recipe" in block:
                n = sites_of(config, dataset, content)
                planned = [Trajectory(**trajectory) for trajectory in content]
                minima = sum(t.snapshots + bool(t.clusters) for t in planned)
                steps = sum(t.snapshots * t.steps_between for t in planned)
                row |= {"sites": n, "configurations": minima, "atoms": minima * n}
                # A strained cell has a perfect crystal of its own.
                labelled = minima + sum(bool(t.strain) for t in planned)
                made = rates.dynamics * n * steps + rates.quench * n**1.5 * minima
                row["structures"] = made if _is_analytic(config) else nan
                row["labels"] = labelled * _label_seconds(config, n, rates)
            elif archived is not None:
                part = archived.iloc[slice(*content)]
                row |= {"sites": part["n_sites"].max(), "configurations": len(part), "atoms": part["n_atoms"].sum()}
            elif "files" in block and content["configurations"] is not None and content["sites"] is not None:
                number, n = content["configurations"], content["sites"]
                row |= {"sites": n, "configurations": number, "atoms": number * n}
                if computed:
                    row["labels"] = number * _label_seconds(config, n, rates)
            rows.append(row)
    columns = ["dataset", "shard", "sites", "configurations", "atoms", "structures", "labels"]
    table = pd.DataFrame(rows, columns=columns)
    table[["structures", "labels"]] = (table[["structures", "labels"]] + rates.start) / 3600
    return table


def _is_analytic(config):
    """Whether the potential is of the kind that the rates were measured with."""
    return bool(config["potential"]) and is_analytic(config["potential"])


def _label_seconds(config, sites, rates):
    """Seconds that the label of a cell takes, NaN where the potential is of another kind."""
    labels = config["labels"]
    others = rates.vectors if labels["site_entropies"] else rates.spectrum if labels["temperatures"] else 0.0
    return (1.0 + others) * rates.matrix * sites**3 + rates.hessian * sites if _is_analytic(config) else nan


def _archived(block):
    """Table of an archive, of the classes that a data set takes from it."""
    with open_file(block["archive"], archives.KIND) as file:
        table = read_columns(file["table"])
    return table if block["classes"] is None else table[table["defect_class"].isin(block["classes"])]


def stages(config, shards, n_features, rates=RATES):
    """Put together what the stages of a run cost where nothing is there yet.

    Parameters
    ----------
    config, shards, rates
        As for `estimate`. Data sets that are not in `shards` count as one shard each.
    n_features : dict of int
        By descriptor.

    Returns
    -------
    pandas.DataFrame
        One row per stage: ``stage``; ``jobs`` that are known of and whether there are ``more_jobs``; core ``hours``,
        NaN if nothing is known of them, and whether there are ``more_hours``; memory of the smallest and the largest
        job in MB, ``low`` and ``high``.
    """
    table = estimate(config, shards, rates)
    uncounted = [dataset for dataset in config["datasets"] if dataset not in shards]
    places = [(name, sites_of(config, name, shard)) for name, named in shards.items() for shard in named.values()]
    places += [(name, None) for name in uncounted]
    descriptors, n_shards = config["descriptors"], len(places)
    rows, atoms = table["configurations"].sum(min_count=1), table["atoms"]
    start = rates.start / 3600
    # Hours of every job, and memory of every kind of job.
    known = {
        "structures": (table["structures"], [structures_memory(config, sites) for _, sites in places]),
        "labels": (table["labels"], [labels_memory(config, *place) for place in places]),
        "features": (
            pd.concat([start + atoms * create(**block).seconds_per_atom / 3600 for block in descriptors.values()]),
            [features_memory(config, name, sites) for name in descriptors for _, sites in places],
        ),
        "configurations": (
            pd.Series([start + rates.collect * atoms.sum(min_count=1) / 3600]),
            [configurations_memory(config, n_shards)],
        ),
        "fits": (
            pd.Series([(rates.fit_start + rates.fit * rows * n**2) / 3600 for n in n_features.values()]).repeat(
                len(config["regressors"])
            ),
            [fit_memory(config, n_shards, n) for n in n_features.values()],
        ),
    }
    return pd.DataFrame(
        [
            {
                "stage": stage,
                "jobs": len(hours),
                "more_jobs": bool(uncounted) and stage not in _OF_ALL,
                "hours": hours.sum(min_count=1),
                "more_hours": bool(uncounted or hours.isna().any() or (stage in _OF_ALL and atoms.isna().any())),
                "low": min(memory),
                "high": max(memory),
            }
            for stage, (hours, memory) in known.items()
        ]
    )


#: Stages whose jobs work on all configurations.
_OF_ALL = ("configurations", "fits")


def summary(config, shards, n_features):
    """Put the cost of a run into a small table.

    Parameters
    ----------
    config, shards, n_features
        As for `stages`.

    Returns
    -------
    str
        A line for each stage, with words above.
    """
    table = estimate(config, shards)
    known = table["configurations"].notna()
    low, high = f"{table['sites'].min():.0f}", f"{table['sites'].max():.0f}"
    first = f"{table['configurations'].sum():.0f} configurations of {low if low == high else f'{low} to {high}'} sites"
    if not known.all() or len(shards) < len(config["datasets"]):
        # Published arrays, and files of formats that do not tell how many configurations are in them.
        uncounted = "configurations that only reading would count"
        first = f"{first}, and {uncounted}," if known.any() else uncounted.capitalize()
    lines = [
        f"{first} take, less what is there already:",
        _LINE.format("stage", "jobs", "core time", "memory of a job"),
    ]
    for row in stages(config, shards, n_features).itertuples():
        jobs = f"{'> ' if row.more_jobs else ''}{row.jobs}" if row.jobs else "unknown"
        hours = "unknown" if isnan(row.hours) else f"{'> ' if row.more_hours else ''}{_time(row.hours)}"
        low, high = f"{row.low / 1000:.1f}", f"{row.high / 1000:.1f}"
        lines.append(_LINE.format(row.stage, jobs, hours, f"{low} GB" if low == high else f"{low} to {high} GB"))
    return "\n".join(lines)


_LINE = "  {:<14} {:>7} {:>11}   {}"


def _time(hours):
    """Core time in words; two digits are more than is known."""
    return f"{max(60 * hours, 1):.0f} min" if hours < 1.5 else f"{hours:.2g} h" if hours < 100 else f"{hours:.0f} h"
