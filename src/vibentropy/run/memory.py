"""Memory that the jobs of a run ask for.

About twice what was measured for small jobs, plus what grows with cells and tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vibentropy.descriptors.nesting import walk
from vibentropy.potentials.from_config import is_analytic
from vibentropy.run.job_memory import LABELS_START

if TYPE_CHECKING:
    from vibentropy.run.settings import Config

#: Sites of the cells of files, which are not opened to ask for memory: as many as few have.
UNKNOWN_SITES = 4096

#: Bytes for each pair of sites of a Hessian, and of a factor of its packed triangle.
_DENSE, _PACKED = 72, 36


def structures_memory(config: Config, dataset: str, sites: int | None) -> int:
    """Memory that a job needs which makes or reads a shard of configurations.

    Parameters
    ----------
    config : Config
    dataset : str
        Its name in the configuration.
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    # Measured: 0.25 GB to read, up to 0.7 GB to anneal 1024 sites, 1.3 GB for 31 250, mostly the Hessian of Newton
    # steps.
    hessian = 45_000 * (sites or UNKNOWN_SITES) if config.sources[dataset].generated else 0
    return 1000 + hessian // 10**6 + _of_frames(config, sites)


def labels_memory(config: Config, sites: int | None) -> int:
    """Memory that a job needs which labels a shard of configurations.

    Parameters
    ----------
    config : Config
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    labels, sites = config.labels, sites or UNKNOWN_SITES
    analytic = not config.potential or is_analytic(config.potential)
    # For each pair of sites all of the Hessian, where eigenvalues are wanted, with eigenvectors beside it.
    size = 144 if labels.site_entropies else 72 if labels.temperatures else 0
    needed = size * sites**2 + (0 if analytic else _DENSE * sites**2) if size else determinant_memory(sites, analytic)
    return LABELS_START + needed // 10**6 + _of_frames(config, sites)


def determinant_memory(sites: int, analytic: bool = True) -> int:
    """Memory of the determinant of a Hessian.

    Parameters
    ----------
    sites : int
    analytic : bool
        Whether the Hessian is analytic, and with that sparse.

    Returns
    -------
    int, bytes
        Of the dense factor or of the fronts of the sparse one, whichever is less, with the matrix.
    """
    if not analytic:
        return (_PACKED + _DENSE) * sites**2
    # Fronts of iron take 2400 N^1.38 bytes: 0.18 GB for 3456 sites, 1.35 for 16 000, 7.9 for 54 000. Potentials of
    # longer range, such as that of copper, need half as much again.
    fronts = int(1.6 * 2400 * sites**1.38)
    return min(fronts, _PACKED * sites**2) + 15_000 * sites


def features_memory(config: Config, descriptor: str, sites: int | None) -> int:
    """Memory that a job needs which computes features of a shard.

    Parameters
    ----------
    config : Config
    descriptor : str
        Its name.
    sites : int or None
        Of the largest cell, None where it is unknown.

    Returns
    -------
    int, MB
    """
    # Measured: 0.26 to 0.4 GB, but 0.64 GB for the waves of scattering in 3456 sites.
    kinds = {part["kind"] for part in walk(config.descriptors[descriptor])}
    waves = 0.15 * (sites or UNKNOWN_SITES) if "scattering" in kinds else 0
    return int(700 + waves) + _of_frames(config, sites)


def configurations_memory(config: Config, n_shards: int) -> int:
    """Memory that the job needs which puts all shards together.

    Parameters
    ----------
    config : Config
    n_shards : int
        Of all data sets, taken as full.

    Returns
    -------
    int, MB
    """
    # Measured: 0.2 GB for 31 000 configurations, one shard and all tables.
    return 400 + _of_frames(config, None) + config.shard_size * n_shards // 200


def fit_memory(config: Config, n_shards: int, n_features: int) -> int:
    """Memory that a job needs which fits a model, with its intervals.

    Parameters
    ----------
    config : Config
    n_shards : int
        Of all data sets, taken as full.
    n_features : int

    Returns
    -------
    int, MB
    """
    rows = config.shard_size * n_shards
    # Measured for 31 000 rows: 1.1 GB with 250 features, 0.4 GB with 33. Features, their ranges and crystals are copied
    # a few times; intervals take 1024 predictions for each row.
    size = rows * (16 * 8 * n_features + 2 * 1024 * 8)
    if learns_from_sites(config):
        resolved = rows if config.labels.site_entropies else min(rows, config.resolved)
        # Measured: 0.2 GB more for 55 MB of factors.
        size += 4 * 8 * resolved * (n_features + 1) ** 2
    return 400 + size // 10**6


def learns_from_sites(config: Config) -> bool:
    """Whether a regressor of the run learns from labels resolved by atoms.

    Parameters
    ----------
    config : Config

    Returns
    -------
    bool
    """
    return any(any(block.get("site_weights") or ()) for block in config.regressors.values())


def _of_frames(config: Config, sites: int | None) -> int:
    """Memory of the configurations of a shard, MB: 33 bytes for each atom, and copies."""
    return 130 * config.shard_size * (sites or UNKNOWN_SITES) // 10**6
