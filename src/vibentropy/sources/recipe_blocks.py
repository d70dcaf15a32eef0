"""What a recipe says, as blocks of the configuration have it: classes of defects, and how they are annealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from vibentropy.sources.seeds import Cluster
from vibentropy.sources.species import Counts, Substitution, by_kind, total


@dataclass(frozen=True)
class ClusterKind:
    """One kind of cluster of defects that a recipe seeds.

    Attributes
    ----------
    shape, interstitials, vacancies, radius, solutes, shells
        See `vibentropy.sources.seeds.Cluster`.
    clusters : int
        Of this kind in a cell.
    """

    shape: str = "random"
    interstitials: Counts = 0
    vacancies: Counts = 0
    radius: float | None = None
    clusters: int = 1
    solutes: Mapping[str, int] = field(default_factory=dict)
    shells: tuple[int, ...] = ()

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Self:
        """Build it from its block of the configuration.

        Parameters
        ----------
        block : dict

        Returns
        -------
        ClusterKind
        """
        return cls(**{**block, "shells": tuple(block.get("shells", ()))})

    @property
    def changed(self) -> int:
        """Atoms added, removed and replaced by each cluster."""
        return total(self.interstitials) + total(self.vacancies) + total(self.solutes)

    @property
    def taken(self) -> list[tuple[str | None, int]]:
        """Sites that each cluster needs, by sublattice, None for any."""
        solutes = [(Substitution.parse(text).sublattice, number) for text, number in self.solutes.items()]
        return [*by_kind(self.vacancies), *solutes]


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
    composition : dict of str to float
        Share of the sites of the cell that solutes take besides, see `vibentropy.sources.sampling.Trajectory`.
    anneal : dict
        What this class does otherwise than the recipe says.
    """

    trajectories: int
    mixture: tuple[ClusterKind, ...] = ()
    cells: tuple[tuple[int, ...], ...] | None = None
    separation: float = 0
    melt: Melt | None = None
    composition: Mapping[str, float] = field(default_factory=dict)
    anneal: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Self:
        """Build a class of defects from its block of the configuration."""
        mixture = tuple(ClusterKind.from_block(kind) for kind in block.get("mixture", ()))
        melt = Melt(**block["melt"]) if block.get("melt") else None
        cells = tuple(map(tuple, block["cells"])) if block.get("cells") else None
        shells = tuple(block.get("shells", ()))
        return cls(**{**block, "mixture": mixture, "melt": melt, "cells": cells, "shells": shells})

    @property
    def kinds(self) -> tuple[ClusterKind, ...]:
        """Kinds of clusters of the class, those that change atoms."""
        return tuple(kind for kind in self.mixture or (self,) if kind.changed)

    @property
    def clusters_of_a_cell(self) -> tuple[Cluster, ...]:
        """All clusters of the class that are put into a cell."""
        return tuple(
            Cluster(kind.shape, kind.interstitials, kind.vacancies, kind.radius, kind.solutes, kind.shells)
            for kind in self.kinds
            for _ in range(kind.clusters)
        )

    def without_effect(self) -> list[str]:
        """Keys of the class's one kind of cluster that were set: without effect where it has a mixture."""
        kind = ClusterKind()
        return [key.name for key in fields(ClusterKind) if getattr(self, key.name) != getattr(kind, key.name)]


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
    swaps : dict or None
        Of `vibentropy.potentials.swaps.Swaps`.
    """

    temperature: float
    steps_between: int
    snapshots: int
    time_step: float = 0.001
    quench_seed: bool = True
    swaps: Mapping[str, int] | None = None
