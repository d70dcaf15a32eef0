"""A configuration to start from where there are files with configurations: read once, as a run would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from vibentropy.atoms.compositions import Compositions
from vibentropy.errors import ConfigError, DataError
from vibentropy.run.config import expand_files
from vibentropy.run.config_text import ConfigText
from vibentropy.run.data_check import inspect_configuration
from vibentropy.run.settings import Config
from vibentropy.run.start_blocks import (
    COARSE,
    FINE,
    Start,
    checked,
    descriptor_block,
    end,
    head,
    potential_block,
)
from vibentropy.sources.any_file import read_any
from vibentropy.sources.perfect import read_references
from vibentropy.sources.user_files import GivenEntropy

#: Folds where there are trajectories enough, and how few of those still make sense.
_FOLDS, _FEWEST = 5, 2
#: Names under which files say what configurations of one simulation have in common.
_GROUP_KEYS = ("trajectory", "group", "run")


def start_from_files(
    files: Sequence[str],
    references: Sequence[str],
    folder: str,
    *,
    test_files: Sequence[str] = (),
    potential: Mapping[str, Any] | None = None,
    entropy: GivenEntropy | None = None,
    group_key: str | None = None,
    quick: bool = False,
) -> Start:
    """Make a configuration that learns from files with configurations.

    Parameters
    ----------
    files : sequence of str
        Paths and patterns.
    references : sequence of str
        File of the perfect crystal; with several elements one more for each, of a relaxed cell.
    folder : str
        That the configuration is to be written to, for the results beside it.
    test_files : sequence of str
        Of configurations that are never fitted to.
    potential : dict, optional
        Block of the configuration, to compute entropies with.
    entropy : GivenEntropy, optional
        Of the files, in place of a potential.
    group_key : str, optional
        Name of what configurations of one simulation have in common in the files; by default looked for in them.
    quick : bool
        Coarse descriptors, which need fewer configurations.

    Returns
    -------
    Start

    Raises
    ------
    ConfigError, DataError, StructureError
        If a run could not use the files, or nothing says where entropies come from.
    """
    keys = set.intersection(*(_names(patterns) for patterns in (files, test_files) if patterns))
    if entropy is None and potential is None:
        raise ConfigError(
            "say where entropies come from: --entropy NAME if they are in the files, which have "
            f"{', '.join(sorted(keys)) or 'positions only'}; or --potential FILE to compute them"
        )
    group_key = group_key or next((key for key in _GROUP_KEYS if key in keys), None)
    cells = read_references(references)
    crystal, elements = cells[0], Compositions.of(cells).elements
    sets = {role: patterns for role, patterns in (("train", files), ("test", test_files)) if patterns}

    def text_with(folds: int, why: str = "") -> str:
        text, resolution = ConfigText(), COARSE if quick else FINE
        head(text, f"Models of defects in {'-'.join(elements)}, from files", folder)
        if potential:
            potential_block(text, potential)
        text.section()
        text.add(0, "datasets")
        for role, patterns in sets.items():
            _files_block(text, role, patterns, references, entropy, group_key)
        descriptor_block(text, crystal, resolution, potential, elements)
        end(text, resolution.regressors, folds, why)
        return str(text)

    text = text_with(_FOLDS)
    config = checked(text)
    trajectories, notes = _trajectories(config)
    if trajectories < _FEWEST:
        names = ", ".join(sorted(keys)) or "nothing but positions"
        raise ConfigError(
            "all training configurations count as one trajectory, which leaves none to test on: name by --group the "
            f"key that tells trajectories apart (the files have {names}), or give each trajectory a file of its own"
        )
    if trajectories < _FOLDS:
        text = text_with(trajectories, f"; as many as there are of these, at most {_FOLDS}")
        config = checked(text)
    if not test_files:
        notes.append("Nothing tests larger cells: --test names files that are never fitted to.")
    return Start(text, config, tuple(notes))


def _names(patterns: Sequence[str]) -> set[str]:
    """Names of what is known of the first configuration that patterns lead to.

    Raises
    ------
    ConfigError
        If a pattern matches nothing.
    DataError
        If there is no configuration in the file.
    """
    found = expand_files(list(patterns))
    for pattern in patterns:
        if pattern in found and any(sign in pattern for sign in "*?["):
            raise ConfigError(f"no file matches {pattern!r}")
    for atoms in islice(read_any(found[0]), 1):
        return {*atoms.info, *(atoms.calc.results if atoms.calc else ())} - {"forces", "stress"}
    raise DataError("holds no configuration", found[0])


def _trajectories(config: Config) -> tuple[int, list[str]]:
    """Count the trajectories to train on by reading all data, and say what cannot be used.

    Raises
    ------
    DataError
        If a run would stop at the files.
    """
    trajectories, notes = 0, []
    for inspection in inspect_configuration(config):
        if inspection.warning:
            notes.append(f"{inspection.name}: {inspection.warning}")
        if inspection.name not in config.sources:
            continue
        if inspection.problem:
            raise DataError(inspection.problem)
        if config.sources[inspection.name].role == "train":
            trajectories += inspection.trajectories
        if inspection.rejected:
            notes.append(f"{inspection.name}: {len(inspection.rejected)} cannot be used; {inspection.rejected[0]}")
    return trajectories, notes


def _files_block(
    text: ConfigText,
    role: str,
    patterns: Sequence[str],
    references: Sequence[str],
    entropy: GivenEntropy | None,
    group_key: str | None,
) -> None:
    text.add(1, role, comment="" if role == "train" else "never fitted to")
    text.add(2, "role", role)
    if len(patterns) == 1:
        text.add(2, "files", list(patterns))
    else:
        text.add(2, "files")
        text.items(3, list(patterns))
    if len(references) == 1:
        text.add(2, "reference", references[0], "the perfect crystal")
    else:
        text.add(2, "reference", comment="the perfect crystal, and a relaxed cell for each further element")
        text.items(3, list(references))
    if entropy:
        text.add(2, "entropy", {"key": entropy.key, "unit": entropy.unit, "kind": entropy.kind})
    else:
        text.aside(2, "No `entropy`: the potential gives it.")
    if group_key:
        text.add(2, "group_key", group_key, "configurations that share it stay in one fold")
    else:
        text.aside(2, "No `group_key`: each file counts as one trajectory, which stays in one fold.")
