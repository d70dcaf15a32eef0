"""Data sets that are made: which trajectories a recipe has, and what is wrong with one that cannot be made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import ConfigError
from vibentropy.files.progress import Done, ignore
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.from_config import load_potential, start_engine
from vibentropy.sources.made_cells import RANDOM_CELLS, REFERENCES, beside
from vibentropy.sources.perfect import filled
from vibentropy.sources.random_alloys import RandomCells, make_random_cells
from vibentropy.sources.recipe_blocks import Anneal, Defect
from vibentropy.sources.recipe_rules import problems_of, problems_of_species
from vibentropy.sources.sampling import Trajectory, sample
from vibentropy.sources.source import Amount, Planned, Source, Workshop

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.source import Perfect


@dataclass(frozen=True, kw_only=True)
class Recipe(Source):
    """A data set that is made from the lattice with the potential.

    Attributes
    ----------
    cells : tuple of tuple of 3 int
        Sizes of the perfect cells, in unit cells of the lattice along each vector.
    defects : dict of str to Defect
        By class.
    anneal : Anneal or None
        Jobs that make nothing are told neither this nor cells and defects.
    strain : float
        Largest component of the random strain of a cell.
    max_force : float
        At the end of the quench, eV/Å.
    lattice : Lattice or None
        None where the configuration has none, and in jobs.
    compared : bool
        Whether there are cells of `Lattice.references`, in a file beside that of the crystal.
    random : bool
        Whether the crystal is a random alloy, whose cells are in another file beside it.
    """

    cells: tuple[tuple[int, ...], ...] = ()
    defects: Mapping[str, Defect] = field(default_factory=dict)
    anneal: Anneal | None = None
    strain: float = 0.0
    max_force: float = 1e-6
    lattice: Lattice | None = None
    compared: bool = False
    random: bool = False

    generated: ClassVar[bool] = True
    knows_sites: ClassVar[bool] = True
    minutes: ClassVar[int] = 120

    @classmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Recipe:
        """See `Source.from_block`."""
        recipe = dict(block["recipe"])
        quench = recipe.pop("quench", {})
        compared = recipe.pop("references", False) or bool(lattice and lattice.references)
        random = recipe.pop("random", False) or bool(lattice and lattice.random)
        return cls(
            name=name,
            role=block.get("role", "train"),
            lattice=lattice,
            compared=compared,
            random=random,
            **recipe
            | {
                "cells": tuple(tuple(cell) for cell in recipe.get("cells", ())),
                "defects": {label: Defect.from_block(defect) for label, defect in recipe.get("defects", {}).items()},
                "anneal": Anneal(**recipe["anneal"]) if "anneal" in recipe else None,
            },
            **({"max_force": quench["max_force"]} if "max_force" in quench else {}),
        )

    def about(self) -> dict[str, Any]:
        """See `Source.about`."""
        told = {"references": self.compared, "random": self.random}
        return {"recipe": {key: True for key, value in told.items() if value}}

    def about_smallest(self) -> dict[str, Any]:
        """See `Source.about_smallest`."""
        return {"recipe": {**self.about()["recipe"], "cells": [list(min(self.cells, key=math.prod))]}}

    def references(self, lattice: str) -> list[str]:
        """See `Source.references`."""
        made = {REFERENCES: self.compared, RANDOM_CELLS: self.random}
        return [lattice, *(str(beside(lattice, name)) for name, there_is_one in made.items() if there_is_one)]

    def others(self, lattice: Path | str | None = None) -> list[Atoms]:
        """See `Source.others`."""
        if not self.compared:
            return []
        if lattice is None:
            raise TypeError("solutes are compared with cells at rest: give the file of the crystal beside them")
        return ConfigurationSet.load(beside(lattice, REFERENCES)).frames

    @property
    def computed(self) -> bool:
        """See `Source.computed`."""
        return True

    def limited(self, limit: int | None) -> Recipe:
        """Recipe with at most so many trajectories of each class and cell, or as many as it has."""
        if limit is None:
            return self
        fewer = {name: replace(d, trajectories=min(limit, d.trajectories)) for name, d in self.defects.items()}
        return replace(self, defects=fewer)

    def trajectories(self) -> list[Trajectory]:
        """All trajectories of the recipe, in a fixed order."""
        planned = []
        for repetitions in self.cells:
            size = "x".join(str(n) for n in repetitions)
            for defect_class, defect in self.defects.items():
                if defect.cells is not None and repetitions not in defect.cells:
                    continue
                planned += [
                    Trajectory(
                        dataset=self.name,
                        name=f"{size}-{defect_class}-{index:04d}",
                        defect_class=defect_class,
                        repetitions=repetitions,
                        clusters=defect.clusters_of_a_cell,
                        separation=defect.separation,
                        strain=self.strain,
                        melt_radius=defect.melt.radius if defect.melt else 0.0,
                        melt_temperature=defect.melt.temperature if defect.melt else 0.0,
                        composition=defect.composition,
                        max_force=self.max_force,
                        **{**(asdict(self.anneal) if self.anneal else {}), **defect.anneal},
                    )
                    for index in range(defect.trajectories)
                ]
        return planned

    def planned(self) -> Planned:
        """See `Source.planned`."""
        trajectories = self.trajectories()
        return Planned(len(trajectories), sum(trajectory.minima for trajectory in trajectories))

    def shards(self, size: int) -> dict[str, list[dict[str, Any]]]:
        """See `Source.shards`: at least one trajectory each.

        All trajectories of a shard are of one class in one cell size: more trajectories of a class add shards and leave
        full ones as they are.
        """
        named = {}
        planned = self.trajectories()
        for (repetitions, defect_class), group in groupby(planned, key=lambda t: (t.repetitions, t.defect_class)):
            members = list(group)
            step = max(size // members[0].minima, 1)
            for number, start in enumerate(range(0, len(members), step)):
                name = f"{'x'.join(map(str, repetitions))}-{defect_class}-{number:03d}"
                named[name] = [asdict(member) for member in members[start : start + step]]
        return named

    def sites_of(self, content: list[dict[str, Any]]) -> int | None:
        """See `Source.sites_of`."""
        return self.lattice.sites(content[0]["repetitions"]) if self.lattice else None

    def amounts(self, size: int) -> dict[str, Amount]:
        """See `Source.amounts`."""
        return {shard: self._amount(content) for shard, content in self.shards(size).items()}

    def _amount(self, content: list[dict[str, Any]]) -> Amount:
        planned = [Trajectory(**trajectory) for trajectory in content]
        sites, minima = self.sites_of(content) or nan, sum(trajectory.minima for trajectory in planned)
        return Amount(
            sites=sites,
            configurations=minima,
            atoms=minima * sites,
            steps=sum(t.snapshots * (t.steps_between + t.attempts) for t in planned),
            quenched=minima,
            # A strained cell has a perfect crystal of its own.
            labels=minima + sum(bool(t.strain) for t in planned),
        )

    def read(
        self,
        content: list[dict[str, Any]] | None = None,
        workshop: Workshop | None = None,
        done: Done = ignore,
    ) -> ConfigurationSet:
        """See `Source.read`; `done` is called with the name of each trajectory that is done."""
        planned = self.trajectories() if content is None else [Trajectory(**trajectory) for trajectory in content]
        if workshop is None:
            raise TypeError("a recipe is made in a workshop: potential, lattice, table and seed")
        potential = load_potential(**workshop.potential)
        perfect = RandomCells.beside(workshop.lattice) if self.random else None
        with start_engine(workshop.potential, workshop.table) as engine:
            crystal = Crystal.load(workshop.lattice)
            return sample(planned, crystal, potential, engine, workshop.seed, done, perfect)

    def generate(self, potential: Mapping[str, Any], seed: int, done: Done = ignore) -> ConfigurationSet:
        """Make all configurations of the recipe in this process, from nothing but the lattice: without the workflow.

        The configurations are those that the workflow makes.

        Parameters
        ----------
        potential : dict
            Block of the configuration.
        seed : int
            Of the run.
        done : callable
            Called with the name of each trajectory that is done.

        Returns
        -------
        ConfigurationSet
            The attributes say which crystal it is, at its relaxed lattice constant.

        Raises
        ------
        ConfigError, PotentialError
            If the potential cannot be built, or has no such crystal.
        """
        interaction = load_potential(**potential)
        with TemporaryDirectory() as folder:
            lattice, table = Path(folder) / "lattice.json", Path(folder) / "table.eam.alloy"
            if self.lattice is None:
                raise ConfigError(f"datasets.{self.name}: a recipe starts from a `lattice`, which is missing")
            crystal = self.lattice.at_rest(interaction)
            crystal.save(lattice)
            if self.lattice.random:
                cells = make_random_cells(self.lattice.random, self.cells, crystal, interaction)
                cells.save(beside(lattice, RANDOM_CELLS))
            if isinstance(interaction, Potential):
                interaction.write_setfl(table)
            return self.read(None, Workshop(potential, lattice, table, seed), done)

    def alloyed(self) -> tuple[str, ...]:
        """See `Source.alloyed`."""
        return self.lattice.all_elements if self.lattice and self.compared else ()

    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """See `Source.perfect`."""
        return RandomCells.beside(_given(lattice)) if self.random else filled(_at_rest(lattice))

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """See `Source.sizes`."""
        return self.cells

    @property
    def own_crystals(self) -> bool:
        """See `Source.own_crystals`."""
        return self.random

    def unstrained(self, lattice: Path | str | None = None) -> Atoms:
        """See `Source.unstrained`."""
        return RandomCells.beside(_given(lattice)).smallest if self.random else super().unstrained(lattice)

    def smallest(self, lattice: Path | str | None = None) -> Atoms:
        """See `Source.smallest`."""
        if self.random:
            return self.unstrained(lattice)
        return _at_rest(lattice).cell(min(self.cells, key=math.prod))

    def problems(self, max_force: float) -> Iterator[str]:
        """See `Source.problems`."""
        yield from problems_of(self, max_force)

    def problems_with(self, elements: Sequence[str]) -> Iterator[str]:
        """See `Source.problems_with`."""
        yield from problems_of_species(self, elements)


def _at_rest(lattice: Path | str | None) -> Crystal:
    """Crystal that the workflow has relaxed."""
    return Crystal.load(_given(lattice))


def _given(lattice: Path | str | None) -> Path | str:
    if lattice is None:
        raise TypeError("a recipe is compared with the crystal at rest: give the file of it")
    return lattice
