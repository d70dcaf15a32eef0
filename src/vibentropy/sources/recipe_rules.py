"""What is wrong with a recipe that the schema of configurations accepts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from vibentropy.atoms.compositions import Compositions
from vibentropy.atoms.compounds import COMPOUNDS
from vibentropy.errors import StructureError, did_you_mean
from vibentropy.sources.species import Substitution, by_kind, total

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.atoms.crystal import Crystal
    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.random_alloys import RandomAlloy
    from vibentropy.sources.recipe_blocks import Anneal, ClusterKind, Defect

#: Crystals that are not at rest on their sites under a strain: some sites are no centres of inversion.
_RELAX_UNDER_STRAIN = ("diamond", "hcp", "DO3")


class Recipe(Protocol):
    """What is looked at of a `vibentropy.sources.recipes.Recipe`, where its attributes are documented."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def compared(self) -> bool: ...  # noqa: D102

    @property
    def cells(self) -> tuple[tuple[int, ...], ...]: ...  # noqa: D102

    @property
    def defects(self) -> Mapping[str, Defect]: ...  # noqa: D102

    @property
    def anneal(self) -> Anneal | None: ...  # noqa: D102

    @property
    def strain(self) -> float: ...  # noqa: D102

    @property
    def max_force(self) -> float: ...  # noqa: D102

    @property
    def lattice(self) -> Lattice | None: ...  # noqa: D102


def problems_of(recipe: Recipe, max_force: float) -> Iterator[str]:
    """Yield what is wrong with a recipe, whatever the elements.

    Parameters
    ----------
    recipe : Recipe
    max_force : float
        With which a configuration counts as relaxed, eV/Å.

    Yields
    ------
    str
        A message that begins with the key that is wrong.
    """
    place = f"datasets.{recipe.name}.recipe"
    for label, defect in recipe.defects.items():
        yield from _problems_of_class(f"{place}.defects.{label}", defect, recipe)
    if recipe.max_force > max_force:
        yield (
            f"{place}.quench.max_force: {recipe.max_force:g} eV/Å leaves nothing that counts as relaxed: "
            f"labels.max_force is {max_force:g} eV/Å"
        )
    if recipe.strain and recipe.lattice and recipe.lattice.structure in _RELAX_UNDER_STRAIN:
        yield (
            f"{place}.strain: a strained {recipe.lattice.structure} crystal is not at rest on its sites, as the "
            "crystal that defects are compared with has to be"
        )
    if recipe.strain and recipe.compared:
        yield (
            f"{place}.strain: the cells of lattice.references are at rest, and each strained cell would need its own; "
            "take strain out, or the references"
        )


def _kinds(place: str, defect: Defect) -> dict[str, ClusterKind]:
    """Kinds of clusters of a class by their place in the configuration."""
    return {f"{place}.mixture[{number}]": kind for number, kind in enumerate(defect.mixture)} or {place: defect}


def _problems_of_class(place: str, defect: Defect, recipe: Recipe) -> Iterator[str]:
    """Yield what is wrong with the clusters of a class."""
    for cell in defect.cells or ():
        if cell not in recipe.cells:
            yield f"{place}.cells: {list(cell)} is none of the recipe's cells, {list(map(list, recipe.cells))}"
    idle = defect.without_effect()
    if defect.mixture and idle:
        yield f"{place}: has a mixture, which leaves {', '.join(idle)} without effect"
    if recipe.anneal:
        anneal = replace(recipe.anneal, **defect.anneal)
        if anneal.swaps and anneal.swaps["every"] > anneal.steps_between:
            yield (
                f"{place}: no atoms are exchanged: anneal.swaps.every is {anneal.swaps['every']} steps, and snapshots "
                f"are {anneal.steps_between} apart, expected at most that"
            )
    shares = sum(defect.composition.values())
    if shares > 1 + 1e-9:
        yield f"{place}.composition: adds up to {shares:g} of the sites, expected at most 1"
    if (defect.melt or defect.composition) and not defect.mixture and not defect.changed:
        if idle:
            yield f"{place}: has neither interstitials nor vacancies, which leaves {', '.join(idle)} without effect"
        return
    kinds = _kinds(place, defect)
    for where, kind in kinds.items():
        yield from _problems_of_shape(where, kind)
        if recipe.lattice:
            yield from _problems_of_crystal(where, kind, recipe.lattice)
    wanted = sum(kind.clusters * total(kind.vacancies) for kind in kinds.values())
    if recipe.lattice:
        sites = min(map(recipe.lattice.sites, defect.cells or recipe.cells))
        if wanted > sites // 2:
            yield f"{place}: {wanted} vacancies in a cell of {sites} sites"


def _problems_of_shape(place: str, kind: ClusterKind) -> Iterator[str]:
    """Yield what a cluster of this shape does not go with."""
    added, removed, replaced = total(kind.interstitials), total(kind.vacancies), total(kind.solutes)
    shape = kind.shape.partition("_")[0]
    match shape:
        case "random" if not added + removed + replaced:
            yield f"{place}: neither interstitials nor vacancies, nor solutes"
        case "void" if added or not removed:
            yield f"{place}: a void has vacancies and no interstitials, found {removed} and {added}"
        case "loop" | "c15" | "dumbbell" if removed or not added:
            yield f"{place}: shape {kind.shape} has interstitials and no vacancies, found {added} and {removed}"
        case "c15" if added in (1, 3):
            yield f"{place}.interstitials: the smallest C15 clusters are of 2 and 4 interstitials, found {added}"
        case "dumbbell" if added > 1:
            yield f"{place}.interstitials: a dumbbell is of one interstitial and an atom of the crystal, found {added}"
    if shape == "void" and not isinstance(kind.vacancies, int):
        yield f"{place}.vacancies: a void takes the sites next to a point, whatever they are: give their number"
    if kind.shape != "random" and kind.radius is not None:
        yield f"{place}.radius: without effect on shape {kind.shape}"
    if kind.solutes and shape not in ("random", "void"):
        yield f"{place}.solutes: go with the shapes random and void, found {kind.shape}; `composition` goes with all"
    if kind.shells and (not replaced or (not removed and replaced == 1)):
        yield (
            f"{place}.shells: solutes are on shells of neighbours of the cluster's vacancies, or of its first solute; "
            f"there are {replaced} solutes and {removed} vacancies"
        )
    if kind.solutes and shape == "void" and not kind.shells:
        yield f"{place}.solutes: say on which shells of neighbours of the void's sites, such as `shells: [1]`"


def _problems_of_crystal(place: str, kind: ClusterKind, lattice: Lattice) -> Iterator[str]:
    """Yield what a kind of cluster does not find in a crystal."""
    structure = lattice.structure
    if kind.shape == "c15" and structure != "bcc":
        yield f"{place}.shape: c15 clusters are defined in bcc, found lattice.structure {structure}"
    if kind.shape.startswith(("loop", "dumbbell")) and structure == "hcp":
        yield f"{place}.shape: {kind.shape} is defined in cubic crystals, found lattice.structure hcp"
    if kind.shape.startswith("loop") and structure in COMPOUNDS:
        yield f"{place}.shape: {kind.shape} is defined in crystals of one element, found lattice.structure {structure}"
    if kind.radius is not None:
        # A sphere holds its volume's worth of sites, give or take those at its surface.
        sites = 4 / 3 * math.pi * kind.radius**3 / lattice.volume_per_site
        solutes = 0 if kind.shells else total(kind.solutes)
        wanted = total(kind.vacancies) + solutes
        if wanted > sites:
            what = f"{total(kind.vacancies)} vacancies" + (f" and {solutes} solutes" if solutes else "")
            yield (
                f"{place}.radius: a sphere of {kind.radius} Å holds {sites:.1f} sites on average, too few for {what}"
            )


def problems_of_species(recipe: Recipe, elements: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the elements and sublattices that a recipe names.

    Parameters
    ----------
    recipe : Recipe
        With a lattice.
    elements : sequence of str
        Of the potential of the run.

    Yields
    ------
    str
        A message that begins with the key that is wrong.
    """
    lattice = recipe.lattice
    if lattice is None:
        return
    wrong = list(_problems_of_random(lattice, recipe, elements)) if lattice.random else []
    if lattice.structure in COMPOUNDS:
        wrong += _problems_of_compound(lattice, elements)
    if wrong:
        yield from wrong
        return
    if lattice.structure not in COMPOUNDS and lattice.elements:
        yield (
            f"lattice.elements: {lattice.structure} is a crystal of one element, the first of the potential "
            f"({elements[0]}): take the line out, or say one of the structures {', '.join(COMPOUNDS)}"
        )
    crystal = _Crystal.of(lattice, elements[0])
    place, named = f"datasets.{recipe.name}.recipe", Counter(crystal.elements)
    if recipe.anneal and recipe.anneal.swaps and len(elements) == 1:
        wrong.append(
            f"{place}.anneal.swaps: exchanges atoms of different elements, and the potential is of {elements[0]}"
        )
    for label, defect in recipe.defects.items():
        at = f"{place}.defects.{label}"
        for where, kind in _kinds(at, defect).items():
            wrong += _problems_of_kind(where, kind, crystal, elements)
            named.update(element for element, _ in by_kind(kind.interstitials) if element)
            named.update(Substitution.parse(text).element for text in kind.solutes)
        for text in defect.composition:
            wrong += _problems_of_substitution(f"{at}.composition", text, crystal, elements)
            named[Substitution.parse(text).element] += 1
        wrong += [] if wrong else _problems_of_room(at, defect, recipe, crystal)
    yield from wrong
    if not wrong:
        yield from _problems_of_references(lattice, crystal, elements, list(named), min(recipe.cells, key=math.prod))


def _problems_of_compound(lattice: Lattice, elements: Sequence[str]) -> Iterator[str]:
    if len(lattice.elements) != 2:
        formula = COMPOUNDS[lattice.structure].formula.format("A", "B")
        yield (
            f"lattice.elements: {lattice.structure} is a compound {formula}, expected its two elements in that order, "
            f"such as [Fe, Al], found {list(lattice.elements) or 'none'}"
        )
    for element in lattice.elements:
        yield from _unknown_element("lattice.elements", element, elements)


def _unknown_element(place: str, element: str, elements: Sequence[str]) -> Iterator[str]:
    if element not in elements:
        yield (
            f"{place}: {element!r}{did_you_mean(element, elements)} is no element of the potential, which has "
            f"{', '.join(elements)}; name it in potential.elements, too, if its file has it"
        )


def _unknown_sublattice(place: str, sublattice: str, crystal: _Crystal) -> Iterator[str]:
    names = crystal.sublattices
    if sublattice not in names:
        yield (
            f"{place}: {sublattice!r}{did_you_mean(sublattice, names)} is no sublattice of {crystal.name}, which has "
            f"{', '.join(names)}"
        )


def _problems_of_substitution(place: str, text: str, crystal: _Crystal, elements: Sequence[str]) -> Iterator[str]:
    element, sublattice = Substitution.parse(text)
    yield from _unknown_element(place, element, elements)
    if sublattice is not None:
        yield from _unknown_sublattice(place, sublattice, crystal)
    if crystal.elements_on(sublattice) == {element}:
        yield f"{place}: {text!r} replaces {element} by itself"


def _problems_of_kind(place: str, kind: ClusterKind, crystal: _Crystal, elements: Sequence[str]) -> Iterator[str]:
    for sublattice, _ in by_kind(kind.vacancies):
        if sublattice is not None:
            yield from _unknown_sublattice(f"{place}.vacancies", sublattice, crystal)
    for element, number in by_kind(kind.interstitials):
        if element is not None:
            yield from _unknown_element(f"{place}.interstitials", element, elements)
        elif number and len(crystal.elements) > 1:
            example = f"{{{crystal.elements[0]}: {number}}}"
            yield f"{place}.interstitials: say of which element in {crystal.name}, such as {example}, found {number}"
    for text in kind.solutes:
        yield from _problems_of_substitution(f"{place}.solutes", text, crystal, elements)


def _problems_of_room(place: str, defect: Defect, recipe: Recipe, crystal: _Crystal) -> Iterator[str]:
    """Yield which sublattices of its smallest cell have not the sites for all that goes there."""
    if sum(defect.composition.values()) > 1:
        return  # Said already.
    n_sites = min(math.prod(cell) for cell in defect.cells or recipe.cells) * crystal.sites_per_cell
    wanted: Counter[str | None] = Counter()
    for kind in defect.kinds:
        for sublattice, number in kind.taken:
            wanted[sublattice] += number * kind.clusters
    for text, share in defect.composition.items():
        number = round(share * n_sites)
        if not number:
            yield f"{place}.composition: {share:g} of {n_sites} sites is no atom of {text}"
        wanted[Substitution.parse(text).sublattice] += number
    full = False
    for sublattice, number in wanted.items():
        sites = crystal.sites_on(sublattice, n_sites)
        if number > sites:
            full = True
            of = f" of {sublattice}" if sublattice else ""
            yield f"{place}: takes {number} sites{of}, of which a cell of {n_sites} has {sites}"
    if not full and sum(wanted.values()) > n_sites:
        yield f"{place}: takes {sum(wanted.values())} sites of a cell that has {n_sites}"


def _problems_of_references(
    lattice: Lattice, crystal: _Crystal, elements: Sequence[str], named: Sequence[str], cell: Sequence[int]
) -> Iterator[str]:
    """Yield why the reference cells do not say what an atom of each element counts."""
    place = "lattice.references"
    wrong: list[str] = []
    for reference in lattice.references:
        if reference.defect:
            wrong += _problems_of_substitution(place, reference.defect, crystal, elements)
        else:
            wrong += _unknown_element(place, reference.element, elements)
    yield from wrong
    if wrong:
        return
    covered = list(dict.fromkeys([*crystal.elements, *(reference.element for reference in lattice.references)]))
    lacking = [element for element in named if element not in covered]
    if not lacking and not lattice.references:
        lacking = list(crystal.elements[1:])
    if lacking:
        a = f"structure: {lattice.structure}, element: {crystal.elements[0]}, a: {lattice.a:g}"
        example = a if lattice.random else f"defect: {lacking[0]}_{crystal.elements[0]}"
        yield (
            f"{place}: nothing says what an atom of {' and '.join(lacking)} counts beside {crystal.name}: add a cell, "
            f"such as `- {{{example}, cell: [8, 8, 8]}}`"
        )
        return
    try:
        Compositions.of([crystal.cell(cell), *(reference.atoms(crystal.host) for reference in lattice.references)])
    except StructureError as error:
        yield f"{place}: {error}"


def _problems_of_random(lattice: Lattice, recipe: Recipe, elements: Sequence[str]) -> Iterator[str]:
    """Yield what does not go with a random alloy as the crystal."""
    alloy = lattice.random
    if alloy is None or not alloy.composition:
        yield "lattice.composition: missing; arrangements and seed are those of a random alloy"
        return
    place = "lattice.composition"
    if lattice.structure in COMPOUNDS:
        yield f"{place}: {lattice.structure} is an ordered compound: take the line out, or say fcc or bcc"
    for element in alloy.composition:
        yield from _unknown_element(place, element, elements)
    if elements[0] in alloy.composition:
        yield f"{place}: {elements[0]}, the first element of the potential, has the sites that are left: leave it out"
    shares = sum(alloy.composition.values())
    if shares >= 1:
        yield f"{place}: adds up to {shares:g} of the sites, expected less than 1: {elements[0]} has the rest"
    for cell in recipe.cells:
        for element, number in alloy.counts(lattice.sites(cell)).items():
            if not number:
                share, sites = alloy.composition[element], lattice.sites(cell)
                yield f"{place}: {share:g} of the {sites} sites of a cell {list(cell)} is no atom of {element}"
    for reference in lattice.references:
        if reference.defect:
            yield (
                f"lattice.references: in a random alloy no site is like another, so that {reference.defect} has no "
                "entropy of its own in it: give a crystal of one element (structure, element, a) in place of it"
            )
    at = f"datasets.{recipe.name}.recipe"
    if recipe.anneal and recipe.anneal.swaps:
        yield f"{at}.anneal.swaps: exchanged atoms make another arrangement, not the one compared with: leave it out"
    for label, defect in recipe.defects.items():
        if defect.composition:
            yield f"{at}.defects.{label}.composition: lattice.composition says it for all cells: take it out"
        if defect.anneal.get("swaps"):
            yield f"{at}.defects.{label}.anneal.swaps: exchanged atoms make another arrangement: take it out"
        for where, kind in _kinds(f"{at}.defects.{label}", defect).items():
            if kind.shape.startswith(("loop", "c15")):
                yield f"{where}.shape: {kind.shape} is defined in crystals of one element, found a random alloy"


@dataclass(frozen=True)
class _Crystal:
    """What is on the sites of the crystal of a run: one element, sublattices of a compound, or a random alloy."""

    host: Crystal
    alloy: RandomAlloy | None

    @classmethod
    def of(cls, lattice: Lattice, element: str) -> _Crystal:
        return cls(lattice.crystal(element), lattice.random)

    @property
    def elements(self) -> tuple[str, ...]:
        return (*self.host.elements, *(self.alloy.composition if self.alloy else ()))

    @property
    def sublattices(self) -> list[str]:
        """Names that sites may be called by."""
        return list(dict.fromkeys([*self.host.sublattices, *self.elements]))

    @property
    def sites_per_cell(self) -> int:
        return len(self.host.sublattices)

    @property
    def name(self) -> str:
        return f"a random alloy of {' and '.join(self.elements)}" if self.alloy else self.host.name

    def cell(self, repetitions: int | Sequence[int]) -> Atoms:
        return self.alloy.atoms(self.host, repetitions) if self.alloy else self.host.cell(repetitions)

    def elements_on(self, sublattice: str | None) -> set[str]:
        """Elements on a sublattice, or anywhere."""
        if self.alloy:
            return {sublattice} if sublattice else set(self.elements)
        unit = self.host.cell(1)
        return set(unit.symbols[self.host.on(sublattice, len(unit))] if sublattice else unit.symbols)

    def sites_on(self, sublattice: str | None, n_sites: int) -> int:
        """Count the sites of a sublattice, or all, in a cell."""
        if sublattice is None:
            return n_sites
        if not self.alloy:
            return int(self.host.on(sublattice, n_sites).sum())
        counts = self.alloy.counts(n_sites)
        return counts.get(sublattice, n_sites - sum(counts.values()))
