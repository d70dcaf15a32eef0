"""Blocks of a configuration to start from, each number with its reason; what is written is checked as a run would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ase import Atoms

from vibentropy.atoms.shells import Gap, gaps, shells, widest_gap
from vibentropy.errors import ConfigError
from vibentropy.files.atomic import atomic
from vibentropy.potentials.from_config import is_analytic
from vibentropy.run.build_check import check_build
from vibentropy.run.config import validate
from vibentropy.run.config_text import ConfigText, Verbatim
from vibentropy.run.settings import Config

#: Ranges that the cutoffs of angles and of pairs are looked for in, and where radii of stiffness end: in units of the
#: distance of nearest neighbours. Those of the models of iron that ship are 2.0, 2.6 and 2.5.
_ANGLES, _PAIRS, _STIFFNESS = (1.9, 2.4), (2.35, 2.8), 2.5
#: How many gaps between shells have a radius of stiffness.
_RADII = 4
#: Share of the distance of nearest neighbours that two atoms do not come much closer than.
_CLOSEST = 0.7


@dataclass(frozen=True)
class Start:
    """A configuration to start from.

    Attributes
    ----------
    text : str
        YAML with comments.
    config : Config
        What it says, checked.
    notes : tuple of str
        What is worth knowing before it is run.
    """

    text: str
    config: Config = field(repr=False)
    notes: tuple[str, ...] = ()

    def write(self, path: str | Path) -> None:
        """Write the text.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic(path) as temporary:
            temporary.write_text(self.text, encoding="utf-8")


@dataclass(frozen=True)
class Resolution:
    """How finely descriptors resolve, which decides how many minima they need.

    Attributes
    ----------
    n_max, l_max : int
        Of the Angular Fourier Series.
    knots : float
        Distance of the knots of pairs, in units of the distance of nearest neighbours.
    regressors : tuple of str
        Their kinds.
    """

    n_max: int
    l_max: int
    knots: float
    regressors: tuple[str, ...]


FINE = Resolution(3, 10, 0.04, ("ridge", "bayesian_ridge"))
COARSE = Resolution(2, 5, 0.2, ("ridge",))


def checked(text: str) -> Config:
    """Check a configuration as `vibentropy check` does, but for the data sets that are read.

    Parameters
    ----------
    text : str
        YAML.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        With all that a run could not use.
    """
    try:
        config = Config.from_block(validate(yaml.safe_load(text)))
        check_build(config)
    except ConfigError as error:
        # Nobody has a configuration in hand yet.
        _, *problems = error.message.splitlines()
        raise ConfigError("\n".join(["no run could use this:", *problems])) from error
    return config


def head(text: ConfigText, what: str, folder: str) -> None:
    """Begin a configuration.

    Parameters
    ----------
    text : ConfigText
    what : str
        What the run is for.
    folder : str
        That the configuration is written to.
    """
    text.remark(f"{what}. Written by `vibentropy new`; change what you like.")
    text.remark(f"  vibentropy check {folder}/run.yaml")
    text.remark(f"  snakemake --cores 2 --configfile {folder}/run.yaml")
    text.remark("Every key is described in workflow/schemas/config.schema.yaml; unknown keys are errors.")
    text.section()
    text.add(0, "results", f"{folder}/results", "folder that everything is written to")
    text.add(0, "seed", 2020, "of all random numbers")


def potential_block(text: ConfigText, potential: Mapping[str, Any]) -> None:
    """Add the potential.

    Parameters
    ----------
    text : ConfigText
    potential : dict
        Block of the configuration.
    """
    text.section()
    if is_analytic(potential):
        text.add(0, "potential", Verbatim("&potential"), "its Hessian is analytic")
    else:
        text.add(0, "potential", comment="labels by finite differences of its forces")
    for key, value in potential.items():
        text.add(1, key, value)


def descriptor_block(
    text: ConfigText,
    crystal: Atoms,
    resolution: Resolution,
    potential: Mapping[str, Any] | None,
    elements: Sequence[str] = (),
) -> None:
    """Add descriptors whose cutoffs are half way between shells of neighbours.

    Parameters
    ----------
    text : ConfigText
    crystal : ase.Atoms
        Perfect, of any size.
    resolution : Resolution
    potential : dict or None
        Block of the configuration, for the descriptor that asks the potential.
    elements : sequence of str
        That descriptors tell apart, where there are several.
    """

    def species():
        if n > 1:
            text.add(2, "species", list(elements))

    n = max(len(elements), 1)
    d = nearest(crystal)
    radii = shells(crystal, 4 * d)
    angles, pairs = widest_gap(radii, _ANGLES[0] * d, _ANGLES[1] * d), widest_gap(radii, _PAIRS[0] * d, _PAIRS[1] * d)
    afs = {"kind": "afs", "n_max": resolution.n_max, "l_max": resolution.l_max, "r_cut": _length(angles.middle)}
    text.section()
    text.add(0, "descriptors", comment="docs/descriptors.md has more")
    name = f"afs_{resolution.n_max}_{resolution.l_max}"
    # Of each element, by the pairs of those of its neighbours.
    n_features = resolution.n_max * (resolution.l_max + 1) * n * n * (n + 1) // 2
    text.add(1, name, comment=f"Angular Fourier Series of neighbours, {n_features} features")
    for key, value in afs.items():
        text.add(2, key, value, {"r_cut": f"Å, {_between(angles)}"}.get(key, ""))
    species()
    text.add(1, "pairs_afs", comment="the same beside finely resolved distances")
    text.add(2, "kind", "union")
    text.add(2, "parts")
    text.add(3, "pairs")
    text.add(4, "kind", "pair_spline")
    text.add(4, "r_min", round(_CLOSEST * d, 1), f"Å, {_CLOSEST} of the distance of nearest neighbours, {d:.3f} Å")
    text.add(4, "r_cut", _length(pairs.middle), f"Å, {_between(pairs)}")
    text.add(
        4, "spacing", round(resolution.knots * d, 2), f"Å, {resolution.knots} of the same; finer needs more minima"
    )
    text.add(3, "angles", afs)
    species()
    if potential is None or not is_analytic(potential):
        return
    wide = sorted(sorted(gaps([r for r in radii if r < _STIFFNESS * d]), key=lambda gap: -gap.width)[:_RADII])
    text.add(1, "stiffness", comment="asks the potential, at prediction time too: closer and slower")
    text.add(2, "kind", "hessian_stiffness")
    text.add(2, "potential", Verbatim("*potential"))
    shown = ", ".join(f"{gap.inner:.2f} and {gap.outer:.2f}" for gap in wide)
    text.add(
        2,
        "radii",
        [0.0, *(_length(gap.middle) for gap in wide)],
        f"Å, in the {len(wide)} widest gaps between shells: {shown}",
    )
    text.add(2, "width", round(0.16 * d, 1), "Å, of the soft rim of each")
    species()


def end(text: ConfigText, regressors: tuple[str, ...], folds: int, why: str = "") -> None:
    """Add regressors and the evaluation.

    Parameters
    ----------
    text : ConfigText
    regressors : tuple of str
        Their kinds.
    folds : int
    why : str
        Added to what is said of the folds.
    """
    text.section()
    text.add(0, "regressors", comment="linear, without intercept")
    for kind in regressors:
        text.add(1, kind, {"kind": kind})
    text.section()
    text.add(0, "evaluation")
    text.add(1, "folds", folds, f"of the cross-validation; trajectories stay together{why}")


def nearest(crystal: Atoms) -> float:
    """Distance of nearest neighbours of a perfect crystal.

    Parameters
    ----------
    crystal : ase.Atoms

    Returns
    -------
    float
        In Å.
    """
    reach = 1.5 * (crystal.cell.volume / len(crystal)) ** (1 / 3)
    return shells(crystal, reach)[0]


def _between(gap: Gap) -> str:
    number, inner, outer = gap
    return f"half way between shells {number} and {number + 1} of neighbours, at {inner:.2f} and {outer:.2f} Å"


def _length(value: float) -> float:
    return round(value, 2)
