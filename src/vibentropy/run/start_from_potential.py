"""A configuration to start from where there is a potential and nothing else: recipes for one crystal at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from vibentropy.atoms.crystal import IDEAL_C_OVER_A, NEAREST, Crystal
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.errors import ConfigError, SaddlePointError, at
from vibentropy.labels.determinants import MAX_FORCE, MIN_EIGENVALUE, stable_eigenvalues
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import is_analytic, load_potential
from vibentropy.potentials.lattice_constants import (
    CRYSTALS,
    AtRest,
    at_rest,
    compared,
    lowest,
    usual_crystal,
    usual_distance,
)
from vibentropy.potentials.melting import RATIO, Melting, rough_melting
from vibentropy.potentials.protocols import Interaction, Tabulated
from vibentropy.potentials.relaxation import relax
from vibentropy.run.config_text import ConfigText
from vibentropy.run.start_blocks import (
    COARSE,
    FINE,
    Resolution,
    Start,
    checked,
    descriptor_block,
    end,
    head,
    nearest,
    potential_block,
)

#: Sites of the cell that has to be stable, and have a vacancy with a label, before anything else is asked of it.
_TRIED = 110
#: Temperatures at which interstitials and vacancies move within picoseconds, as shares of that of melting, and what is
#: taken for the latter in K where a potential does not tell.
_MOBILE, _HOT, _ASSUMED = 0.5, 0.75, 1500
#: Time step in ps, and the mass in u below which half of it is taken.
_TIME_STEP, _LIGHT = 0.002, 20.0
#: Radius of the sphere that the seed of a cluster is drawn from, by the number of atoms that it adds (or removes, below
#: zero), in units of the distance of nearest neighbours.
_SPHERES = {1: 1.2, 2: 1.6, 3: 1.8, 4: 2.0, -1: 1.2, -2: 2.0, -3: 2.2, -4: 2.4}
_FOLDS = 5


@dataclass(frozen=True)
class _Size:
    """How large a run is.

    Attributes
    ----------
    train, tests
        Sites of the cells, about; of the tests with the clusters of each class: how many, and atoms added by each.
    trajectories
        Of the training, by the number of atoms that a cluster adds.
    snapshots, steps, test_steps
        Of a trajectory, and steps of molecular dynamics before each.
    test_trajectories
        Of each class.
    """

    train: int
    trajectories: Mapping[int, int]
    snapshots: int
    steps: int
    tests: Mapping[int, Sequence[Sequence[tuple[int, int]]]]
    test_trajectories: int
    test_steps: int
    resolution: Resolution


_FULL = _Size(
    train=250,
    trajectories={1: 3, 2: 15, 3: 15, 4: 15, -1: 2, -2: 12, -3: 15, -4: 15},
    snapshots=2,
    steps=500,
    tests={
        430: [[(1, 3)], [(1, -4)], [(2, 2)], [(2, -2)]],
        1000: [[(4, 3)], [(5, -4)], [(2, 3), (3, -4)]],
    },
    test_trajectories=3,
    test_steps=1500,
    resolution=FINE,
)
_QUICK = _Size(
    train=120,
    trajectories={2: 6, 3: 14, -3: 12, -4: 16},
    snapshots=1,
    steps=300,
    tests={250: [[(2, 3), (1, -4)]]},
    test_trajectories=6,
    test_steps=300,
    resolution=COARSE,
)


def start_from_potential(
    potential: Mapping[str, Any], folder: str, structure: str | None = None, quick: bool = False
) -> Start:
    """Make a configuration whose recipes seed, anneal, relax and label defects by a potential.

    Parameters
    ----------
    potential : dict
        Block of the configuration.
    folder : str
        That the configuration is to be written to, for the results beside it.
    structure : str, optional
        Of `vibentropy.atoms.crystal.OF_ONE_ELEMENT`. By default that of bcc, fcc, hcp and diamond which has the lowest
        energy by the potential.
    quick : bool
        Small cells and few of them, for a run of minutes.

    Returns
    -------
    Start

    Raises
    ------
    ConfigError, PotentialError, StructureError
        If no run could use the potential, or it has no such crystal, or one that is not stable.
    """
    interaction = load_potential(**potential)
    named = potential.get("file") or f"{potential['pair_style']} of LAMMPS"
    with ExitStack() as stack:
        if isinstance(interaction, FiniteDifferencePotential):
            stack.enter_context(interaction.engine)
        crystal, crystals = _crystal(interaction, structure)
        _check_stable(crystal, crystals, interaction)
        if isinstance(interaction, Tabulated):
            remedy = "`vibentropy new` takes both as --pair-style and --pair-coeff" if "file" in potential else ""
            with at(named, remedy=remedy):
                _check_tables(crystal, interaction)
        melting = rough_melting(crystals[crystal.structure].energy, interaction)
    text, size = ConfigText(), _QUICK if quick else _FULL
    head(text, f"Models of defects in {crystal.structure} {crystal.element}, by the potential {named}", folder)
    potential_block(text, potential)
    _lattice_block(text, crystal, crystals)
    _dataset_blocks(text, crystal, size, melting, interaction.masses[0])
    descriptor_block(text, crystal.cell(1), size.resolution, potential)
    end(text, size.resolution.regressors, _FOLDS)
    notes = _notes(crystal, crystals, structure)
    if not is_analytic(potential):
        notes += ("Labels by finite differences take 6N forces each: try --quick first.",)
    return Start(str(text), checked(str(text)), notes)


def _crystal(potential: Interaction, structure: str | None) -> tuple[Crystal, dict[str, AtRest]]:
    """Crystal at rest that is asked for, or else the lowest; and all crystals that there are."""
    (element,) = potential.elements
    usual, distance = usual_crystal(element), usual_distance(element)
    crystals = compared(element, distance, potential)
    if structure is None:
        structure = lowest(crystals, usual) if crystals else usual or "fcc"
    guess = Crystal(element, structure, distance / NEAREST[structure])
    if structure in crystals:
        guess = crystals[structure].crystal
    crystals[structure] = at_rest(guess, potential)
    return crystals[structure].crystal, crystals


def _check_stable(crystal: Crystal, crystals: Mapping[str, AtRest], potential: Interaction) -> None:
    try:
        perfect = crystal.cell(_repetitions(crystal, _TRIED))
        stable_eigenvalues(perfect, potential, MAX_FORCE, MIN_EIGENVALUE)
    except SaddlePointError as error:
        low = lowest(crystals, crystal.structure)
        instead = f": try --structure {low}, which is lower" if low != crystal.structure else ""
        raise ConfigError(
            f"{crystal.structure} {crystal.element} is not stable with this potential, so no defect in it has a "
            f"harmonic entropy ({error}){instead}"
        ) from error


def _check_tables(crystal: Crystal, potential: Interaction) -> None:
    """Check that tables leave little open in the label of a vacancy."""
    perfect = crystal.cell(_repetitions(crystal, _TRIED))
    table_uncertainty(relax(perfect[1:], potential), ReferenceCells.of([perfect]), potential)


def _notes(crystal: Crystal, crystals: Mapping[str, AtRest], asked: str | None) -> tuple[str, ...]:
    """Say what the user should know of the crystal: that another one is lower, or usual."""
    structure, element, energy = crystal.structure, crystal.element, crystals[crystal.structure].energy
    low, usual = lowest(crystals, structure), usual_crystal(element)
    if low != structure:
        return (
            f"With this potential {low} {element} is {_milli(energy - crystals[low].energy)} meV per atom lower than "
            f"{structure}, which you asked for.",
        )
    if asked or usual in (None, structure):
        return ()
    above = f" is {_milli(crystals[usual].energy - energy)} meV per atom higher" if usual in crystals else " is none"
    return (
        f"With this potential {structure} is the lowest crystal of {element}; {usual}, the real one,{above}: "
        f"take it with --structure {usual}.",
    )


def _milli(energy: float) -> str:
    return f"{1000 * energy:.0f}" if abs(energy) > 0.1 else f"{1000 * energy:.3g}"


def _repetitions(crystal: Crystal, sites: int) -> list[int]:
    """Count the unit cells along each axis of a cell of about so many sites, with edges as equal as they may be."""
    unit = crystal.cell(1)
    edge = (sites * unit.cell.volume / len(unit)) ** (1 / 3)
    return [max(round(edge / length), 1) for length in crystal.edges]


def _lattice_block(text: ConfigText, crystal: Crystal, crystals: Mapping[str, AtRest]) -> None:
    energy = crystals[crystal.structure].energy
    others = [
        f"{other} {_milli(crystals[other].energy - energy)}"
        for other in CRYSTALS
        if other in crystals and other != crystal.structure
    ]
    text.section()
    text.add(0, "lattice", comment="the perfect crystal")
    text.add(
        1,
        "structure",
        crystal.structure,
        f"energies above it by this potential, meV per atom: {', '.join(others)}" if others else "",
    )
    text.add(1, "a", round(crystal.a, 4), "Å, of lowest energy")
    if crystal.c_over_a is not None:
        text.add(1, "c_over_a", round(crystal.c_over_a, 4), f"likewise; ideal is {IDEAL_C_OVER_A:.4f}")
    text.add(1, "relax", True, "the run begins by finding it to 1e-6 Å")


def _dataset_blocks(text: ConfigText, crystal: Crystal, size: _Size, melting: Melting | None, mass: float) -> None:
    d = nearest(crystal.cell(1))
    melts = _two_digits(melting.temperature) if melting else _ASSUMED
    why = (
        f"{RATIO} E/k_B, as of metals, E = {melting.cohesive_energy:.2f} eV being the cohesive energy"
        if melting
        else "assumed"
    )
    temperature, hot = _two_digits(_MOBILE * melts), _two_digits(_HOT * melts)
    time_step = _TIME_STEP / 2 if mass < _LIGHT else _TIME_STEP
    text.section()
    text.add(0, "datasets")
    text.add(1, "train", comment="one cluster of defects in each cell")
    text.add(2, "role", "train")
    text.add(2, "recipe")
    _cells(text, crystal, size.train)
    text.add(3, "anneal", comment="molecular dynamics from the seed to minima")
    text.add(4, "temperature", temperature, f"K; {_MOBILE:g} of {melts} K, a rough guess of melting: {why}")
    text.add(4, "time_step", time_step, f"ps; an atom weighs {mass:.1f} u")
    text.add(4, "steps_between", size.steps, "before each quench")
    text.add(4, "snapshots", size.snapshots, "quenches of a trajectory, besides that of the seed")
    text.add(
        3, "defects", comment=f"radius: Å, of the sphere that the seed is drawn from; neighbours are {d:.3f} Å apart"
    )
    for number, trajectories in size.trajectories.items():
        if number > 0:
            text.add(4, _name(number), {**_cluster(number, d), "trajectories": trajectories})
    text.aside(4, f"Vacancies hop far less often than interstitials, so these are at {_HOT:g} of {melts} K.")
    for number, trajectories in size.trajectories.items():
        if number < 0:
            own = {"trajectories": trajectories, "anneal": {"temperature": hot}}
            text.add(4, _name(number), {**_cluster(number, d), **own})
    for sites, classes in size.tests.items():
        text.section()
        text.add(1, f"test_{len(crystal.cell(_repetitions(crystal, sites)))}", comment="larger cells, never fitted to")
        text.add(2, "role", "test")
        text.add(2, "recipe")
        _cells(text, crystal, sites)
        anneal = {"temperature": temperature, "time_step": time_step, "steps_between": size.test_steps, "snapshots": 1}
        text.add(3, "anneal", anneal)
        text.add(3, "defects")
        for clusters in classes:
            _crowd(text, clusters, d, size.test_trajectories)


def _cells(text: ConfigText, crystal: Crystal, sites: int) -> None:
    repetitions = _repetitions(crystal, sites)
    widths = [f"{width:.1f}" for width in crystal.edges * repetitions]
    wide = " x ".join(widths) if len(set(widths)) > 1 else widths[0]
    n_sites = len(crystal.cell(repetitions))
    text.add(3, "cells", [repetitions], f"unit cells along each axis: {n_sites} sites, {wide} Å wide")


def _name(number: int) -> str:
    return f"I{number}" if number > 0 else f"V{-number}"


def _cluster(number: int, d: float) -> dict[str, Any]:
    """Block of a cluster that adds so many atoms, or removes them."""
    key = "interstitials" if number > 0 else "vacancies"
    return {key: abs(number), "radius": round(_SPHERES[number] * d, 1)}


def _crowd(text: ConfigText, clusters: Sequence[tuple[int, int]], d: float, trajectories: int) -> None:
    """Add a class of cells with clusters of one kind, or of several."""
    name = "+".join(f"{count}x{_name(number)}" if count > 1 else _name(number) for count, number in clusters)
    kinds = [_cluster(number, d) | ({"clusters": count} if count > 1 else {}) for count, number in clusters]
    if len(kinds) == 1:
        text.add(4, name, kinds[0] | {"trajectories": trajectories})
        return
    text.add(4, name)
    text.add(5, "trajectories", trajectories)
    text.add(5, "mixture")
    text.items(6, kinds)


def _two_digits(temperature: float) -> int:
    return int(float(f"{temperature:.2g}"))
