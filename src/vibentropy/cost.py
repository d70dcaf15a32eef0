"""What a run will cost, before it is begun: jobs, core hours and memory of its stages.

Hours are those of one core of an AMD EPYC, for bcc iron in cells of 1024 to 3456 sites, `Rates` says on what. Other
machines, potentials with more neighbours and descriptors of another cutoff differ by a factor of two or three; what
matters is hours or weeks. Configurations of files are counted and taken to be all of one size; where only reading would
tell their number, it is unknown.

Memory is what the rules ask for, from the functions of this module: about twice what was measured for small jobs, plus
what grows with cells and tables.
"""

from dataclasses import dataclass, field
from math import isnan, nan, prod

import pandas as pd

from vibentropy import archive
from vibentropy.crystal import SITES_PER_CELL
from vibentropy.dataset import read_table
from vibentropy.interactions import is_analytic
from vibentropy.sampling import Trajectory
from vibentropy.storage import open_file

#: Sites of the cells of files and archives, which are not opened to ask for memory: as many as few have.
UNKNOWN_SITES = 4096


@dataclass(frozen=True)
class Rates:
    """Seconds on one core.

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
    features : dict of str to float
        Per atom, by kind of the descriptor: with the parameters of workflow/configs/figures.yaml and scan.yaml, or its
        own defaults.
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
    features: dict = field(
        default_factory=lambda: {
            "two_body": 6e-6,
            "power_spectrum": 7e-6,
            "pair_spline": 8e-6,
            "four_body": 9e-6,
            "body_order": 1.1e-5,
            "afs": 1.8e-5,
            "hessian_moments": 7e-5,
            "soap": 8e-5,
            "snap": 1.4e-4,
            "scattering": 3.6e-4,
            "acsf": 4.0e-4,
            "hessian_clusters": 4.7e-4,
            "hessian_stiffness": 1.8e-3,
        }
    )
    collect: float = 4.1e-6
    fit: float = 2.7e-8
    fit_start: float = 4.0


RATES = Rates()


def sites_of(config, dataset, trajectories):
    """Sites of the cells of a shard of a recipe, which are all of one size.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.config.validate`.
    dataset : str
    trajectories : list of dict or None
        What is in the shard, from `vibentropy.sampling.shards`.

    Returns
    -------
    int or None
        None for data sets without a recipe.
    """
    if "recipe" not in config["datasets"][dataset]:
        return None
    return SITES_PER_CELL[config["lattice"]["structure"]] * prod(trajectories[0]["repetitions"])


def structures_memory(config, sites):
    """Memory of a job that makes or reads a shard of configurations.

    Parameters
    ----------
    config : dict
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    # Measured: 0.25 GB to read, up to 0.7 GB to anneal 1024 sites.
    return 1000 + _of_frames(config, sites)


def labels_memory(config, dataset, sites):
    """Memory of a job that labels a shard of configurations.

    Parameters
    ----------
    config : dict
    dataset : str
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    block, labels = config["datasets"][dataset], config["labels"]
    computed = "recipe" in block or block.get("entropy", block) is None
    # For each pair of sites the packed triangle of the Hessian, or all of it where eigenvalues are wanted, with
    # eigenvectors beside it; and a Hessian that is dense to begin with. Measured: 0.8 GB for 3456 sites.
    size = 144 if labels["site_entropies"] else 72 if labels["temperatures"] else 36
    if config["potential"] and not is_analytic(config["potential"]):
        size += 72
    pairs = (sites or UNKNOWN_SITES) ** 2 if computed else 0
    return 1000 + size * pairs // 10**6 + _of_frames(config, sites)


def features_memory(config, descriptor, sites):
    """Memory of a job that computes features of a shard.

    Parameters
    ----------
    config : dict
    descriptor : str
        Its name.
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    # Measured: 0.26 to 0.4 GB, but 0.64 GB for the waves of scattering in 3456 sites.
    waves = 0.15 * (sites or UNKNOWN_SITES) if "scattering" in _kinds(config["descriptors"][descriptor]) else 0
    return int(700 + waves) + _of_frames(config, sites)


def configurations_memory(config, n_shards):
    """Memory of the job that puts all shards together.

    Parameters
    ----------
    config : dict
    n_shards : int
        Of all data sets, taken as full.

    Returns
    -------
    int, MB
    """
    # Measured: 0.2 GB for 31 000 configurations, one shard and all tables.
    return 400 + _of_frames(config, None) + config["shard_size"] * n_shards // 200


def fit_memory(config, n_shards, n_features):
    """Memory of a fit with its intervals.

    Parameters
    ----------
    config : dict
    n_shards : int
        Of all data sets, taken as full.
    n_features : int

    Returns
    -------
    int, MB
    """
    rows = config["shard_size"] * n_shards
    # Measured for 31 000 rows: 1.1 GB with 250 features, 0.4 GB with 33. Features, their ranges and crystals are copied
    # a few times; intervals take 1024 predictions for each row.
    size = rows * (16 * 8 * n_features + 2 * 1024 * 8)
    if learns_from_sites(config):
        resolved = rows if config["labels"]["site_entropies"] else min(rows, config["data"]["resolved"])
        # Measured: 0.2 GB more for 55 MB of factors.
        size += 4 * 8 * resolved * (n_features + 1) ** 2
    return 400 + size // 10**6


def learns_from_sites(config):
    """Whether a regressor of the run learns from labels resolved by atoms."""
    return any(any(block.get("site_weights") or ()) for block in config["regressors"].values())


def _of_frames(config, sites):
    """Memory of the configurations of a shard, MB: 33 bytes for each atom, and copies."""
    return 130 * config["shard_size"] * (sites or UNKNOWN_SITES) // 10**6


def _kinds(block):
    """Kinds of a descriptor and of those that it is made of."""
    parts = [*(block.get("parts") or {}).values(), *([block["of"]] if block.get("of") else [])]
    return {block["kind"]}.union(*map(_kinds, parts))


def estimate(config, shards, rates=RATES):
    """Estimate what making and labelling the configurations costs.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.config.validate`.
    shards : dict of dict
        By data set, what is in its shards, by their names: lists of trajectories of a recipe
        (`vibentropy.sampling.shards`), the rows of an archive (`vibentropy.archive.shards`), the size of what is in
        files (`vibentropy.ingest.sizes`), or None. Data sets that are not in it are left out.
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


def feature_seconds(block, rates=RATES):
    """Seconds that the features of an atom take.

    Parameters
    ----------
    block : dict
        Of a descriptor in the configuration.
    rates : Rates

    Returns
    -------
    float
        NaN for a class of one's own.
    """
    if block["kind"] in ("union", "quadratic"):
        parts = block["parts"].values() if block["kind"] == "union" else [block["of"]]
        return sum(feature_seconds(part, rates) for part in parts)
    return rates.features.get(block["kind"], nan)


def _archived(block):
    """Table of an archive, of the classes that a data set takes from it."""
    with open_file(block["archive"], archive.KIND) as file:
        table = read_table(file["table"])
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
            pd.concat([start + atoms * feature_seconds(block, rates) / 3600 for block in descriptors.values()]),
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
