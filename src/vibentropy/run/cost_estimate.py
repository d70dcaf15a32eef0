"""What a run will cost, before it is begun: jobs, core hours and memory of its stages.

Hours are those of one core of an AMD EPYC, for bcc iron in cells of 1024 sites and more, `Rates` says on what. Other
machines, potentials with more neighbours and descriptors of another cutoff differ by a factor of two or three; what
matters is hours or weeks. Configurations of files are counted and taken to be all of one size; where only reading would
tell their number, it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

import pandas as pd

from vibentropy.descriptors import create
from vibentropy.errors import VibentropyError
from vibentropy.files.facts import counted
from vibentropy.potentials.from_config import is_analytic, is_tabulated
from vibentropy.run.memory import configurations_memory, features_memory, fit_memory, labels_memory, structures_memory

if TYPE_CHECKING:
    from vibentropy.run.settings import Config
    from vibentropy.sources.source import Amount


def cost_in_words(config: Config, amounts: Mapping[str, Mapping[str, Amount]] | None = None) -> str:
    """Say what a run will cost; configurations of files are counted where that is possible without reading them.

    Parameters
    ----------
    config : Config
    amounts : dict of dict of Amount, optional
        As from `amounts_of`, which is asked if they are not given.

    Returns
    -------
    str
        As from `summary`.
    """
    return summary(config, amounts_of(config) if amounts is None else amounts, _n_features(config))


def seconds_of_jobs(config: Config, amounts: Mapping[str, Mapping[str, Amount]]) -> dict[str, float]:
    """Estimate how long the jobs of those rules take that most of the time of a run is spent in.

    Parameters
    ----------
    config : Config
    amounts : dict of dict of Amount
        As from `amounts_of`.

    Returns
    -------
    dict of float
        Seconds of one job on one core, the mean over all jobs of a rule, by its name; NaN where that is unknown.
    """
    table = stages(config, amounts, _n_features(config)).set_index("stage")
    seconds = 3600 * table["hours"] / table["jobs"].where(table["jobs"] > 0)
    return {rule: float(seconds[stage]) for rule, stage in STAGES.items() if stage in seconds}


def _n_features(config):
    """Count the features of each descriptor."""
    return {name: create(**block).n_features for name, block in config.descriptors.items()}


#: Stage that a rule belongs to.
STAGES = {
    "structures": "structures",
    "user_structures": "structures",
    "label": "labels",
    "features": "features",
    "configurations": "configurations",
    "fit": "fits",
}


def amounts_of(config: Config) -> dict[str, dict[str, Amount]]:
    """Count what is in the shards of all data sets of a run.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict of dict of Amount
        By data set and shard; without data sets that cannot be counted. What is wrong with files is said where they
        are read.
    """
    amounts = {}
    for name, source in config.sources.items():
        with suppress(VibentropyError):
            amounts[name] = source.amounts(config.shard_size)
    return amounts


@dataclass(frozen=True)
class Rates:
    """Seconds that the work of a run takes on one core; those of features are `Descriptor.seconds_per_atom`.

    Attributes
    ----------
    start : float
        Of each job, until its libraries are there.
    dynamics : float
        Per atom and step of molecular dynamics: 1.07 s for 500 steps of 1024 sites.
    quench : float
        Times N^1.5, the number of steps growing with the cell: 0.4 s for 1024 sites, 2.6 s for 3456.
    modified : float
        Dynamics and quenches of modified embedded atoms in units of those of embedded ones: a step of 1024 sites takes
        10 ms at a cutoff of 4.0 Å and 30 ms at 4.8 Å, by LAMMPS.
    matrix : float
        Times N³, of a dense factor: 0.22 s for 1024 sites, 8.3 s for 3456.
    sparse : float
        Times N², of a sparse factor and the smallest eigenvalue: 2.3 s for 3456 sites, 50 s for 16 000. A label takes
        whichever is faster.
    hessian : float
        Per atom, of forces and Hessian of a label.
    spectrum, vectors : float
        Labels with all eigenvalues, and with the eigenvectors that site entropies need, in units of `matrix`.
    collect : float
        Per atom, of putting shards together.
    fit, fit_start : float
        Times rows and features squared: 53 s for ridge with its intervals, 31 000 rows and 250 features; and besides.
    """

    start: float = 2.0
    dynamics: float = 2.1e-6
    quench: float = 1.3e-5
    modified: float = 8.0
    matrix: float = 2.0e-10
    sparse: float = 1.9e-7
    hessian: float = 1.0e-4
    spectrum: float = 9.0
    vectors: float = 21.0
    collect: float = 7e-7
    fit: float = 2.7e-8
    fit_start: float = 4.0


RATES = Rates()


def estimate(config: Config, amounts: Mapping[str, Mapping[str, Amount]], rates: Rates = RATES) -> pd.DataFrame:
    """Estimate what making and labelling the configurations of a run costs.

    Parameters
    ----------
    config : Config
    amounts : dict of dict of Amount
        By data set and shard, as from `amounts_of`. Data sets that are not in it are left out.
    rates : Rates

    Returns
    -------
    pandas.DataFrame
        One row per shard: dataset, shard, ``sites`` of the largest cell, ``configurations``, ``atoms`` of all of them
        together, and core hours of ``structures`` and ``labels``; NaN where they are unknown. Labels that are given
        cost nothing.
    """
    rows = [
        {
            "dataset": dataset,
            "shard": shard,
            "sites": amount.sites,
            "configurations": amount.configurations,
            "atoms": amount.atoms,
            "structures": rates.start + _making_seconds(config, amount, rates),
            "labels": rates.start + amount.labels * _label_seconds(config, amount.sites, rates)
            if config.sources[dataset].computed
            else 0.0,
        }
        for dataset, shards in amounts.items()
        for shard, amount in shards.items()
    ]
    columns = ["dataset", "shard", "sites", "configurations", "atoms", "structures", "labels"]
    table = pd.DataFrame(rows, columns=columns)
    table[["structures", "labels"]] /= 3600
    return table


def _making_seconds(config: Config, amount: Amount, rates: Rates) -> float:
    """Seconds that dynamics and quenches take, NaN where the potential is of another kind."""
    if not amount.quenched:
        return 0.0
    if config.potential is None or not is_analytic(config.potential):
        return nan
    made = rates.dynamics * amount.sites * amount.steps + rates.quench * amount.sites**1.5 * amount.quenched
    return made * (1.0 if is_tabulated(config.potential) else rates.modified)


def _label_seconds(config: Config, sites: float, rates: Rates) -> float:
    """Seconds that the label of a cell takes, NaN where the potential is of another kind."""
    labels = config.labels
    others = rates.vectors if labels.site_entropies else rates.spectrum if labels.temperatures else 0.0
    if config.potential is None or not is_analytic(config.potential):
        return nan
    return _determinant_seconds(sites, rates) + others * rates.matrix * sites**3


def _described(config, descriptor, table):
    """Atoms that a descriptor is computed of, of each shard that it has features of."""
    described = table[table["dataset"].isin(config.described_by(descriptor))]
    return described["atoms"] / [config.one_in(descriptor, dataset) for dataset in described["dataset"]]


def _determinant_seconds(sites: float, rates: Rates) -> float:
    """Seconds that the determinant of a Hessian takes."""
    return min(rates.matrix * sites**3, rates.sparse * sites**2) + rates.hessian * sites


def infinite_seconds(sizes: Sequence[int], rates: Rates = RATES) -> float:
    """Estimate how long the label of a defect in the infinite crystal takes.

    Parameters
    ----------
    sizes : sequence of int
        Sites of the cells that it is put into.
    rates : Rates

    Returns
    -------
    float
        Seconds to relax and label all of them, with an analytic potential.
    """
    return sum(rates.quench * sites**1.5 + _determinant_seconds(sites, rates) for sites in sizes)


def stages(
    config: Config,
    amounts: Mapping[str, Mapping[str, Amount]],
    n_features: Mapping[str, int],
    rates: Rates = RATES,
) -> pd.DataFrame:
    """Put together what the stages of a run cost where none of its files is there yet.

    Parameters
    ----------
    config, amounts, rates
        As for `estimate`. Data sets that are not in `amounts` count as one shard each.
    n_features : dict of int
        By descriptor.

    Returns
    -------
    pandas.DataFrame
        One row per stage: ``stage``; ``jobs`` that are known of and whether there are ``more_jobs``; core ``hours``,
        NaN if nothing is known of them, and whether there are ``more_hours``; memory of the smallest and the largest
        job in MB, ``low`` and ``high``.
    """
    table = estimate(config, amounts, rates)
    uncounted = [dataset for dataset in config.sources if dataset not in amounts]
    # Files are not opened to ask for memory.
    places = [
        (name, int(amount.sites) if config.sources[name].knows_sites else None)
        for name, shards in amounts.items()
        for amount in shards.values()
    ]
    places += [(name, None) for name in uncounted]
    costs = _costs(config, table, places, n_features, rates)
    of_labels = {"labels": not set(config.computed).isdisjoint(uncounted)}
    uncounted_in = dict.fromkeys(costs, bool(uncounted)) | of_labels
    atoms_unknown = table["atoms"].isna().any()
    return pd.DataFrame(
        [
            {
                "stage": stage,
                "jobs": len(hours),
                "more_jobs": uncounted_in[stage] and stage not in _OF_ALL,
                "hours": hours.sum(min_count=1),
                "more_hours": bool(uncounted_in[stage] or hours.isna().any() or (stage in _OF_ALL and atoms_unknown)),
                "low": min(memory),
                "high": max(memory),
            }
            for stage, (hours, memory) in costs.items()
            # There is no stage of labels where all of them are given.
            if memory
        ]
    )


def _costs(config, table, places, n_features, rates):
    """Hours of every job of each stage, and memory of every kind of job; `places` are data set and sites of shards."""
    computed = set(config.computed)
    descriptors, n_shards = config.descriptors, len(places)
    rows, atoms = table["configurations"].sum(min_count=1), table["atoms"]
    start = rates.start / 3600
    return {
        "structures": (table["structures"], [structures_memory(config, name, sites) for name, sites in places]),
        "labels": (
            table["labels"][table["dataset"].isin(computed)],
            [labels_memory(config, sites) for name, sites in places if name in computed],
        ),
        "features": (
            pd.concat(
                [
                    start + _described(config, name, table) * create(**block).seconds_per_atom / 3600
                    for name, block in descriptors.items()
                ]
            ),
            [features_memory(config, name, sites) for name in descriptors for _, sites in places],
        ),
        "configurations": (
            pd.Series([start + rates.collect * atoms.sum(min_count=1) / 3600]),
            [configurations_memory(config, n_shards)],
        ),
        "fits": (
            pd.Series([(rates.fit_start + rates.fit * rows * n**2) / 3600 for n in n_features.values()]).repeat(
                len(config.regressors)
            ),
            [fit_memory(config, n_shards, n) for n in n_features.values()],
        ),
    }


#: Stages whose jobs work on all configurations.
_OF_ALL = ("configurations", "fits")


def summary(config: Config, amounts: Mapping[str, Mapping[str, Amount]], n_features: Mapping[str, int]) -> str:
    """Put the cost of a run into a small table.

    Parameters
    ----------
    config, amounts, n_features
        As for `stages`.

    Returns
    -------
    str
        A line for each stage, with words above.
    """
    shards = [(amount.configurations, amount.sites) for of in amounts.values() for amount in of.values()]
    table = pd.DataFrame(shards, columns=["configurations", "sites"])
    known = table["configurations"].notna()
    low, high = f"{table['sites'].min():.0f}", f"{table['sites'].max():.0f}"
    total = table["configurations"].sum()
    first = f"{counted(total, 'configuration')} of {low if low == high else f'{low} to {high}'} sites"
    several = total != 1
    if not known.all() or len(amounts) < len(config.sources):
        # Published arrays, and files of formats that do not tell how many configurations are in them.
        uncounted = "configurations that are not counted until they are read"
        first = f"{first}, and {uncounted}," if known.any() else uncounted.capitalize()
        several = True
    lines = [
        f"{first} {'take' if several else 'takes'}, apart from what exists already:",
        _LINE.format("stage", "jobs", "core time", "memory of a job"),
    ]
    for row in stages(config, amounts, n_features).to_dict("records"):
        jobs = f"{'> ' if row['more_jobs'] else ''}{row['jobs']}" if row["jobs"] else "unknown"
        hours = "unknown" if isnan(row["hours"]) else f"{'> ' if row['more_hours'] else ''}{_time(row['hours'])}"
        low, high = f"{row['low'] / 1000:.1f}", f"{row['high'] / 1000:.1f}"
        lines.append(_LINE.format(row["stage"], jobs, hours, f"{low} GB" if low == high else f"{low} to {high} GB"))
    return "\n".join(lines)


_LINE = "  {:<14} {:>7} {:>11}   {}"


def _time(hours: float) -> str:
    """Core time in words; two digits are more than is known."""
    return f"{max(60 * hours, 1):.0f} min" if hours < 1.5 else f"{hours:.2g} h" if hours < 100 else f"{hours:.0f} h"
