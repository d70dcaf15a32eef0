"""Data sets that are made: which trajectories a recipe has, and what is wrong with one that cannot be made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import groupby
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from vibentropy.atoms.crystal import Crystal
from vibentropy.errors import ConfigError
from vibentropy.files.progress import Done, ignore
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.from_config import load_potential, start_engine
from vibentropy.sources.perfect import filled
from vibentropy.sources.sampling import Trajectory, sample
from vibentropy.sources.seeds import Cluster
from vibentropy.sources.source import Amount, Planned, Source, Workshop

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.datasets.store import ConfigurationSet
    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.source import Perfect


@dataclass(frozen=True)
class ClusterKind:
    """One kind of cluster of defects that a recipe seeds.

    Attributes
    ----------
    shape : str
        See `vibentropy.sources.seeds`.
    interstitials, vacancies : int
        Atoms added and removed by each cluster.
    radius : float or None
        Of the sphere that a random cluster is seeded in, Å; None for anywhere in the cell.
    clusters : int
        Of this kind in a cell.
    """

    shape: str = "random"
    interstitials: int = 0
    vacancies: int = 0
    radius: float | None = None
    clusters: int = 1


@dataclass(frozen=True)
class Melt:
    """A pocket of melt that a recipe makes in the crystal.

    Attributes
    ----------
    radius : float, Å
    temperature : float, K
    """

    radius: float
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Defect(ClusterKind):
    """One class of defects of a recipe: clusters of one kind, or of several.

    Attributes
    ----------
    trajectories : int
        In each of the cells.
    mixture : tuple of ClusterKind
        In place of one kind.
    cells : tuple of tuple of 3 int or None
        Those of the recipe's cells that have the class; None for all.
    separation : float
        Smallest distance between the centres of two clusters, Å.
    melt : Melt or None
    anneal : dict
        What this class does otherwise than the recipe says.
    """

    trajectories: int
    mixture: tuple[ClusterKind, ...] = ()
    cells: tuple[tuple[int, ...], ...] | None = None
    separation: float = 0
    melt: Melt | None = None
    anneal: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Defect:
        """Build a class of defects from its block of the configuration."""
        mixture = tuple(ClusterKind(**kind) for kind in block.get("mixture", ()))
        melt = Melt(**block["melt"]) if block.get("melt") else None
        cells = tuple(map(tuple, block["cells"])) if block.get("cells") else None
        return cls(**{**block, "mixture": mixture, "melt": melt, "cells": cells})

    @property
    def clusters_of_a_cell(self) -> tuple[Cluster, ...]:
        """All clusters of the class that are put into a cell."""
        return tuple(
            Cluster(kind.shape, kind.interstitials, kind.vacancies, kind.radius)
            for kind in self.mixture or [self]
            if kind.interstitials + kind.vacancies
            for _ in range(kind.clusters)
        )

    def without_effect(self) -> list[str]:
        """Keys of the class's one kind of cluster that were set: without effect where it has a mixture."""
        return [key.name for key in fields(ClusterKind) if getattr(self, key.name) != key.default]


@dataclass(frozen=True)
class Anneal:
    """Molecular dynamics of a recipe, between the seed and the minima.

    Attributes
    ----------
    temperature : float, K
    steps_between : int
        Steps before the first snapshot and between snapshots.
    snapshots : int
        Of one trajectory.
    time_step : float, ps
    quench_seed : bool
        Whether the seed is a configuration as well, quenched but not annealed.
    """

    temperature: float
    steps_between: int
    snapshots: int
    time_step: float = 0.001
    quench_seed: bool = True


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
    """

    cells: tuple[tuple[int, ...], ...] = ()
    defects: Mapping[str, Defect] = field(default_factory=dict)
    anneal: Anneal | None = None
    strain: float = 0.0
    max_force: float = 1e-6
    lattice: Lattice | None = None

    generated: ClassVar[bool] = True
    knows_sites: ClassVar[bool] = True
    minutes: ClassVar[int] = 120

    @classmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Recipe:
        """See `Source.from_block`."""
        recipe = dict(block["recipe"])
        quench = recipe.pop("quench", {})
        return cls(
            name=name,
            role=block.get("role", "train"),
            lattice=lattice,
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
        return {"recipe": {}}

    def about_smallest(self) -> dict[str, Any]:
        """See `Source.about_smallest`."""
        return {"recipe": {"cells": [list(min(self.cells, key=math.prod))]}}

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
            steps=sum(t.snapshots * t.steps_between for t in planned),
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
        with start_engine(workshop.potential, workshop.table) as engine:
            return sample(planned, Crystal.load(workshop.lattice), potential, engine, workshop.seed, done)

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
            self.lattice.at_rest(interaction).save(lattice)
            if isinstance(interaction, Potential):
                interaction.write_setfl(table)
            return self.read(None, Workshop(potential, lattice, table, seed), done)

    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """See `Source.perfect`."""
        return filled(_at_rest(lattice))

    def smallest(self, lattice: Path | str | None = None) -> Atoms:
        """See `Source.smallest`."""
        return _at_rest(lattice).cell(min(self.cells, key=math.prod))

    def problems(self, max_force: float) -> Iterator[str]:
        """See `Source.problems`."""
        place = f"datasets.{self.name}.recipe"
        for label, defect in self.defects.items():
            yield from self._problems_of(f"{place}.defects.{label}", defect)
        if self.max_force > max_force:
            yield (
                f"{place}.quench.max_force: {self.max_force:g} eV/Å leaves nothing that counts as relaxed: "
                f"labels.max_force is {max_force:g} eV/Å"
            )
        if self.strain and self.lattice and self.lattice.structure in ("diamond", "hcp"):
            yield (
                f"{place}.strain: a strained {self.lattice.structure} crystal is not at rest on its sites, as the "
                "crystal that defects are compared with has to be"
            )

    def _problems_of(self, place: str, defect: Defect) -> Iterator[str]:
        """Yield what is wrong with the clusters of a class."""
        for cell in defect.cells or ():
            if cell not in self.cells:
                yield f"{place}.cells: {list(cell)} is none of the recipe's cells, {list(map(list, self.cells))}"
        idle = defect.without_effect()
        if defect.mixture and idle:
            yield f"{place}: has a mixture, which leaves {', '.join(idle)} without effect"
        if defect.melt and not defect.mixture and not defect.interstitials + defect.vacancies:
            if idle:
                yield f"{place}: has neither interstitials nor vacancies, which leaves {', '.join(idle)} without effect"
            return
        kinds = {f"{place}.mixture[{number}]": kind for number, kind in enumerate(defect.mixture)} or {place: defect}
        for where, kind in kinds.items():
            yield from _problems_of_shape(where, kind)
            if self.lattice:
                if kind.shape == "c15" and self.lattice.structure != "bcc":
                    structure = self.lattice.structure
                    yield f"{where}.shape: c15 clusters are defined in bcc, found lattice.structure {structure}"
                if kind.shape.startswith("loop") and self.lattice.structure == "hcp":
                    yield f"{where}.shape: {kind.shape} is defined in cubic crystals, found lattice.structure hcp"
                yield from _crowding(where, kind, self.lattice)
        wanted = sum(kind.clusters * kind.vacancies for kind in kinds.values())
        if self.lattice:
            sites = min(map(self.lattice.sites, defect.cells or self.cells))
            if wanted > sites // 2:
                yield f"{place}: {wanted} vacancies in a cell of {sites} sites"


def _problems_of_shape(place: str, kind: ClusterKind) -> Iterator[str]:
    """Yield what a cluster of this shape does not go with."""
    added, removed = kind.interstitials, kind.vacancies
    match kind.shape.partition("_")[0]:
        case "random" if not added + removed:
            yield f"{place}: neither interstitials nor vacancies"
        case "void" if added or not removed:
            yield f"{place}: a void has vacancies and no interstitials, found {removed} and {added}"
        case "loop" | "c15" if removed or not added:
            yield f"{place}: shape {kind.shape} has interstitials and no vacancies, found {added} and {removed}"
        case "c15" if added in (1, 3):
            yield f"{place}.interstitials: the smallest C15 clusters are of 2 and 4 interstitials, found {added}"
    if kind.shape != "random" and kind.radius is not None:
        yield f"{place}.radius: without effect on shape {kind.shape}"


def _at_rest(lattice: Path | str | None) -> Crystal:
    """Crystal that the workflow has relaxed."""
    if lattice is None:
        raise TypeError("a recipe is compared with the crystal at rest: give the file of it")
    return Crystal.load(lattice)


def _crowding(place: str, kind: ClusterKind, lattice: Lattice) -> Iterator[str]:
    """Yield why a sphere does not have the room that a random cluster needs."""
    if kind.radius is not None:
        # A sphere holds its volume's worth of sites, give or take those at its surface.
        sites = 4 / 3 * math.pi * kind.radius**3 / lattice.volume_per_site
        if kind.vacancies > sites:
            yield (
                f"{place}.radius: a sphere of {kind.radius} Å holds {sites:.1f} sites on average, too few for "
                f"{kind.vacancies} vacancies"
            )
