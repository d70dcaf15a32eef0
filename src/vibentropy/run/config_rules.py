"""What is wrong with a configuration that its schema accepts: one check for each kind of contradiction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vibentropy.descriptors import REGISTRY, available
from vibentropy.errors import ConfigError, PotentialError, did_you_mean
from vibentropy.learning.registry import REGRESSORS
from vibentropy.potentials.from_config import elements_of, is_tabulated, potential_files

if TYPE_CHECKING:
    from vibentropy.run.settings import Config


def contradictions(config: Config) -> Iterator[str]:
    """Yield what is wrong with the configuration of a run that its schema accepts.

    Parameters
    ----------
    config : Config

    Yields
    ------
    str
        With the place in the configuration.
    """
    for check in _CHECKS:
        yield from check(config)


def _no_training_set(config: Config) -> Iterator[str]:
    if not config.with_role("train"):
        yield "datasets: none has the role train"


def _unusable_sources(config: Config) -> Iterator[str]:
    for source in config.sources.values():
        yield from source.problems(config.labels.max_force)


def _shared_files(config: Config) -> Iterator[str]:
    """Find what two data sets hold."""
    owners: dict[Path, dict[str | None, str]] = {}
    for name, source in config.sources.items():
        for key, file, part in source.holdings():
            path = Path(file).resolve()
            # A whole file holds every part of it.
            others = [
                other
                for other_part, other in owners.get(path, {}).items()
                if other != name and (part == other_part or None in (part, other_part))
            ]
            owners.setdefault(path, {}).setdefault(part, name)
            if others:
                what = repr(file) if part is None else f"{part} of {file!r}"
                yield (
                    f"datasets.{name}.{key}: {what} belongs to {others[0]}, too: what is tested must not be trained on"
                )


def _too_many_folds(config: Config) -> Iterator[str]:
    """More folds than trajectories, where recipes tell how many there will be."""
    planned = [source.planned() for source in config.with_role("train").values()]
    n_groups = sum(one.trajectories for one in planned if one)
    if None not in planned and 0 < n_groups < config.evaluation.folds:
        yield f"evaluation.folds: {config.evaluation.folds} folds of {n_groups} training trajectories: take fewer folds"


def _nothing_to_compute_with(config: Config) -> Iterator[str]:
    if config.generated and config.lattice is None:
        yield f"lattice: missing, but {', '.join(config.generated)} is made from a recipe"
    if config.computed and config.potential is None:
        sets = ", ".join(config.computed)
        yield (
            f"potential: missing, but the entropies of {sets} have to be computed; if files of a data set hold them, "
            "say under which key: `entropy: {key: S_f, unit: k_B, kind: formation}`"
        )


def _lattice_of_another_shape(config: Config) -> Iterator[str]:
    if config.lattice and config.lattice.c_over_a is not None and config.lattice.structure != "hcp":
        yield f"lattice.c_over_a: {config.lattice.structure} has none: take the line out, or say `structure: hcp`"


def _labels_without_effect(config: Config) -> Iterator[str]:
    if (config.labels.site_entropies or config.labels.temperatures) and not config.computed:
        yield "labels: site_entropies and temperatures are computed with labels, and all labels of this run are given"


def _unusable_potential(config: Config) -> Iterator[str]:
    if config.potential is None:
        return
    try:
        elements_of(config.potential)
    except ConfigError as error:
        yield f"potential: {error}"
        return
    try:
        potential_files(config.potential)
    except PotentialError as error:
        yield f"{'potential.file' if is_tabulated(config.potential) else 'potential'}: {error}"


def _unknown_species(config: Config) -> Iterator[str]:
    if config.potential is None:
        return
    try:
        elements = elements_of(config.potential)
    except ConfigError:
        return  # Said already.
    for source in config.sources.values():
        yield from source.problems_with(elements)


def _unknown_tests(config: Config) -> Iterator[str]:
    tested = list(config.with_role("test"))
    owners: dict[str, str] = {}
    for key in ("tests", "tested_on"):
        for owner, names in getattr(config.evaluation, key).items():
            for name in names:
                if name not in tested:
                    yield (
                        f"evaluation.{key}.{owner}: {name!r}{did_you_mean(name, tested)} is no data set of role test; "
                        f"those are {', '.join(tested) or 'none'}"
                    )
                elif key == "tests" and owners.setdefault(name, owner) != owner:
                    yield f"evaluation.tests.{owner}: {name!r} is part of {owners[name]}, too"


def _unknown_descriptors(config: Config) -> Iterator[str]:
    for key, names in (("one_in", config.evaluation.one_in), ("tested_on", config.evaluation.tested_on)):
        for name in names:
            if name not in config.descriptors:
                yield (
                    f"evaluation.{key}: {name!r}{did_you_mean(name, config.descriptors)} is no descriptor of this run, "
                    f"which has {', '.join(config.descriptors)}; name one of them or take the line out"
                )


def _unknown_training_sets(config: Config) -> Iterator[str]:
    learnt_from = list(config.with_role("train"))
    for descriptor, one_in in config.evaluation.one_in.items():
        for name in [] if isinstance(one_in, int) else one_in:
            if name not in learnt_from:
                yield (
                    f"evaluation.one_in.{descriptor}: {name!r}{did_you_mean(name, learnt_from)} is no data set of role "
                    f"train; those are {', '.join(learnt_from) or 'none'}"
                )


def _unknown_kinds(config: Config) -> Iterator[str]:
    for section, blocks, kinds in [
        ("descriptors", config.descriptors, list(REGISTRY | available())),
        ("regressors", config.regressors, list(REGRESSORS)),
    ]:
        for name, block in blocks.items():
            kind = block["kind"]
            if "." not in kind and kind not in kinds:
                yield (
                    f"{section}.{name}.kind: found {kind!r}{did_you_mean(kind, kinds)}, "
                    f"expected one of {', '.join(kinds)}, or a dotted path"
                )


#: In the order in which problems are listed.
_CHECKS = (
    _no_training_set,
    _unusable_sources,
    _shared_files,
    _too_many_folds,
    _nothing_to_compute_with,
    _lattice_of_another_shape,
    _labels_without_effect,
    _unusable_potential,
    _unknown_species,
    _unknown_tests,
    _unknown_descriptors,
    _unknown_training_sets,
    _unknown_kinds,
)
