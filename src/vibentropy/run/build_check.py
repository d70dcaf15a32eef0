"""Everything a run will build, built once before it starts: what cannot work shows before anything is computed."""

import math
import warnings
from functools import partial

import numpy as np

from vibentropy.atoms.checks import check_element
from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, PotentialError, StructureError, VibentropyError
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.wrapped import ExtensiveLinear
from vibentropy.potentials.from_config import identity, is_analytic, load_potential
from vibentropy.sources.archives import archive_shards, crystal_of, potential_of
from vibentropy.sources.file_shards import reference_crystal

#: Structure and lattice constant (Å) to try a potential on where the configuration has no lattice.
_ANY_CRYSTAL = "sc", 3.0


def check_build(config):
    """Build the descriptors, the regressors and the potential of a configuration.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.

    Raises
    ------
    ConfigError
        With all problems, each with its place in the configuration.
    """
    problems = []
    for section, build in (("descriptors", create), ("regressors", _linear)):
        for name, block in config[section].items():
            problems += _problem(f"{section}.{name}", partial(build, **block))
    for name, block in config["datasets"].items():
        if "archive" in block:
            read = partial(archive_shards, block["archive"], block["classes"], 1)
            problems += _problem(f"datasets.{name}.archive", read)
        elif "files" in block:
            problems += _problem(f"datasets.{name}.reference", partial(_reference, block, config["potential"]))
    if not problems:
        problems += _strangers(config)
    if config["potential"] is not None:
        problems += _problem("potential", partial(_potential_and_lattice, config))
    if problems:
        raise ConfigError("\n".join(["the configuration cannot be used:", *problems]))


def _linear(kind, **parameters):
    """Build a regressor; one of another package shows whether it is linear, without intercept, only when it is fitted.

    Raises
    ------
    ConfigError
        As `vibentropy.learning.registry.create_regressor`, and if it is not.
    """
    regressor = create_regressor(kind, **parameters)
    if not isinstance(regressor, ExtensiveLinear):
        return
    rng = np.random.default_rng(0)
    X = 1.0 + rng.normal(size=(60, 4))
    y = 3.0 + X @ [1.0, -2.0, 0.5, 3.0] + 0.1 * rng.normal(size=len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            regressor.fit(X, y, np.arange(len(X)) // 2)
        except ConfigError:
            raise
        except Exception:
            pass  # Whatever these few numbers lack, data may have.


def _reference(block, potential):
    """Read the perfect crystal of files whose entropies the potential has to give."""
    element = potential and potential["element"]
    crystal = reference_crystal(block, element)
    if element and block["entropy"] is None:
        try:
            check_element(crystal, element)
        except StructureError as error:
            raise StructureError(f"{block['reference']}: {error} by `potential`") from error


def _strangers(config):
    """Name the archives whose crystal or potential is not that of the others, or of what the run computes."""
    archives = {name: block["archive"] for name, block in config["datasets"].items() if "archive" in block}
    crystals = {f"datasets.{name}": crystal_of(path) for name, path in archives.items()}
    potentials = {f"datasets.{name}": potential_of(path) for name, path in archives.items()}
    if any("recipe" in block for block in config["datasets"].values()) and config["lattice"] and config["potential"]:
        lattice, element = config["lattice"], config["potential"]["element"]
        crystals = {"lattice": Crystal(element, lattice["structure"], lattice["a"])} | crystals
        potentials = {"potential": identity(config["potential"])} | potentials
    problems = []
    for found, what, tell in ((crystals, "crystal", _describe), (potentials, "potential", str)):
        first, *others = found or [None]
        problems += [
            f"{other}: its {what} is {tell(found[other])}, that of {first} {tell(found[first])}"
            for other in others
            if tell(found[other]) != tell(found[first])
        ]
    return problems


def _describe(crystal):
    """Crystal in words; a lattice that recipes begin with is a guess and left to the features to compare."""
    return f"{crystal.structure} {crystal.element}"


def _problem(place, build):
    try:
        build()
    except VibentropyError as error:
        return [f"{place}: {error}"]
    return []


def _potential_and_lattice(config):
    potential, lattice = load_potential(config["potential"]), config["lattice"]
    if not is_analytic(config["potential"]):
        # Pair styles and calculators show their faults when they first meet atoms.
        structure, a = (lattice["structure"], lattice["a"]) if lattice else _ANY_CRYSTAL
        energy, _ = potential.energy_and_forces(Crystal(potential.element, structure, a).cell(1))
        if not math.isfinite(energy):
            raise ConfigError(f"the energy of the {structure} crystal with a = {a} Å is {energy}")
    elif lattice is not None:
        try:
            potential.energy_and_forces(Crystal(potential.element, lattice["structure"], lattice["a"]).cell(1))
        except PotentialError as error:
            table = potential.table
            raise ConfigError(
                f"not represented for lattice.structure {lattice['structure']}, lattice.a {lattice['a']} Å ({error}); "
                f"the file is of {table.structure} {table.element} with a = {table.lattice_constant} Å"
            ) from error
