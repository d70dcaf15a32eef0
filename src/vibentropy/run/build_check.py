"""Everything a run will build, built once before it starts: what cannot work shows before anything is computed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, PotentialError, VibentropyError
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.wrapped import ExtensiveLinear
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.from_config import elements_of, identity, load_potential
from vibentropy.sources.lattice import Lattice

if TYPE_CHECKING:
    from vibentropy.atoms.crystal import Crystal
    from vibentropy.run.settings import Config

#: To try a potential on where the configuration has no lattice.
_ANY_LATTICE = Lattice("sc", 3.0)


def check_build(config: Config) -> None:
    """Build the descriptors, the regressors and the potential of a run, and look into its data sets.

    Parameters
    ----------
    config : Config

    Raises
    ------
    ConfigError
        With all problems, each with its place in the configuration.
    """
    problems = []
    for name, block in config.descriptors.items():
        problems += _problem(f"descriptors.{name}", partial(create, **block))
    for name, block in config.regressors.items():
        problems += _problem(f"regressors.{name}", partial(_linear, **block))
    elements = elements_of(config.potential) if config.potential else ()
    for source in config.sources.values():
        problems += source.problems_inside(elements)
    if not problems:
        problems += [*_strangers(config), *_of_alloys(config)]
    if config.potential is not None:
        problems += _problem("potential", partial(_try_potential, config.potential, config.lattice))
    if problems:
        raise ConfigError("\n".join(["the configuration cannot be used:", *problems]))


def _linear(kind: str, **parameters: Any) -> None:
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


def _strangers(config: Config) -> Iterator[str]:
    """Name the archives whose crystal or potential is not that of the others, or of what the run computes."""
    crystals, potentials = {}, {}
    if config.generated and config.lattice and config.potential:
        crystals["lattice"] = config.lattice.crystal(elements_of(config.potential)[0])
        potentials["potential"] = identity(config.potential)
    for name, source in config.sources.items():
        if given := source.identity():
            crystals[f"datasets.{name}"], potentials[f"datasets.{name}"] = given
    for what, values in (("crystal", {k: _describe(v) for k, v in crystals.items()}), ("potential", potentials)):
        first, *others = values or [""]
        for other in others:
            if values[other] != values[first]:
                yield f"{other}: its {what} is {values[other]}, that of {first} {values[first]}"


def _of_alloys(config: Config) -> Iterator[str]:
    """Name the descriptors that do not tell the elements of a data set apart."""
    alloyed = {name: found for name, source in config.sources.items() if (found := source.alloyed())}
    elements = dict.fromkeys(symbol for found in alloyed.values() for symbol in found)
    for name, block in config.descriptors.items():
        if set(elements) - set(block.get("species") or ()):
            yield (
                f"descriptors.{name}.species: found {block.get('species')}, expected the elements of the data sets: "
                f"`species: [{', '.join(elements)}]`"
            )


def _describe(crystal: Crystal) -> str:
    """Crystal in words; a lattice that recipes begin with is a guess and left to the features to compare."""
    return crystal.name


def _problem(place: str, build: Callable[[], object]) -> list[str]:
    try:
        build()
    except VibentropyError as error:
        return [f"{place}: {error}"]
    return []


def _try_potential(block: Mapping[str, Any], lattice: Lattice | None) -> None:
    """Build a potential, and let it meet the crystal of the lattice, and a vacancy in it."""
    potential = load_potential(**block)
    if not isinstance(potential, Potential):
        # Pair styles and calculators show their faults when they first meet atoms.
        lattice = lattice or _ANY_LATTICE
        energy, _ = potential.energy_and_forces(lattice.crystal(potential.elements[0]).cell(1))
        if not math.isfinite(energy):
            raise ConfigError(f"the energy of the {lattice.structure} crystal with a = {lattice.a} Å is {energy}")
    elif lattice is not None:
        crystal = lattice.crystal(potential.elements[0])
        perfect = lattice.random.atoms(crystal, 3) if lattice.random else crystal.cell(3)
        try:
            potential.energy_and_forces(perfect)
        except PotentialError as error:
            table = potential.table
            raise ConfigError(
                f"not represented for lattice.structure {lattice.structure}, lattice.a {lattice.a} Å ({error}); "
                f"the file is of {table.structures[0]} {table.elements[0]} with a = {table.lattice_constants[0]} Å"
            ) from error
        others = [reference.atoms(crystal) for reference in lattice.references]
        table_uncertainty(perfect[1:], ReferenceCells.of([perfect, *others]), potential)
