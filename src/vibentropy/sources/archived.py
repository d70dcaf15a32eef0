"""Data sets of configurations from an archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from vibentropy.atoms.compositions import Compositions
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import VibentropyError
from vibentropy.files.progress import Done, ignore
from vibentropy.sources.archives import read_archive, read_header, rows_of_classes
from vibentropy.sources.perfect import filled
from vibentropy.sources.source import Amount, Source, Workshop

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.atoms.crystal import Crystal
    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.source import Perfect


@dataclass(frozen=True, kw_only=True)
class Archive(Source):
    """A data set from an archive, or from some classes of it.

    Attributes
    ----------
    archive : str
        Path of the file.
    classes : tuple of str or None
        Classes of defects that are read; None for all.
    repeats : bool
        Whether minima that others fell into again are read as often as that.
    entropy: str
        Column of its table (k_B) that is learned.
    """

    archive: str
    classes: tuple[str, ...] | None = None
    repeats: bool = False
    entropy: str = "formation_entropy"

    archived: ClassVar[bool] = True
    knows_sites: ClassVar[bool] = True
    minutes: ClassVar[int] = 10

    @classmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Archive:
        """See `Source.from_block`."""
        classes = block.get("classes")
        return cls(name=name, **{**block, "classes": None if classes is None else tuple(classes)})

    def about(self) -> dict[str, Any]:
        """See `Source.about`."""
        classes = None if self.classes is None else list(self.classes)
        return {"archive": self.archive, "classes": classes, "repeats": self.repeats, "entropy": self.entropy}

    @property
    def computed(self) -> bool:
        """See `Source.computed`."""
        return False

    @property
    def own_crystals(self) -> bool:
        """See `Source.own_crystals`."""
        return read_header(self.archive).random is not None

    @property
    def table(self) -> pd.DataFrame:
        """Table of the configurations that the data set takes from the archive."""
        table = read_header(self.archive, self.repeats).table
        return table.iloc[rows_of_classes(self.archive, table, self.classes)]

    def problems(self, max_force: float) -> Iterator[str]:
        """See `Source.problems`."""
        if not Path(self.archive).is_file():
            yield f"datasets.{self.name}.archive: there is no file {self.archive!r}"

    def problems_inside(self, elements: Sequence[str] = ()) -> Iterator[str]:
        """See `Source.problems_inside`."""
        try:
            table = self.table
        except VibentropyError as error:
            yield f"datasets.{self.name}.archive: {error}"
            return
        entropies = [
            name for name in map(str, table) if name.startswith("formation_entropy") and table[name].notna().all()
        ]
        if self.entropy not in entropies:
            yield (
                f"datasets.{self.name}.entropy: {self.archive} has no column {self.entropy!r} with an entropy for each "
                f"of its configurations; it has {', '.join(entropies)}"
            )

    def holdings(self) -> list[tuple[str, str, str | None]]:
        """See `Source.holdings`."""
        return [("archive", self.archive, part) for part in self.classes or [None]]

    def inputs(self) -> list[str]:
        """See `Source.inputs`."""
        return [self.archive]

    def references(self, lattice: str) -> list[str]:
        """See `Source.references`."""
        return [self.archive]

    def shards(self, size: int) -> dict[str, list[int]]:
        """See `Source.shards`: the rows of each for `read_archive`, of at least one trajectory."""
        table = self.table
        starts = np.flatnonzero(table["trajectory"] != table["trajectory"].shift())
        cuts = [0] if len(table) else []
        for start, stop in pairwise([*starts, len(table)]):
            if stop - cuts[-1] > size and start > cuts[-1]:
                cuts.append(int(start))
        return {f"{number:03d}": [start, stop] for number, (start, stop) in enumerate(pairwise([*cuts, len(table)]))}

    def sites_of(self, content: Sequence[int]) -> int:
        """See `Source.sites_of`."""
        return int(self.table["n_sites"].iloc[slice(*content)].max())

    def amounts(self, size: int) -> dict[str, Amount]:
        """See `Source.amounts`."""
        table = self.table
        parts = {shard: table.iloc[slice(*rows)] for shard, rows in self.shards(size).items()}
        return {
            shard: Amount(sites=part["n_sites"].max(), configurations=len(part), atoms=part["n_atoms"].sum())
            for shard, part in parts.items()
        }

    def read(
        self,
        content: Sequence[int] | None = None,
        workshop: Workshop | None = None,
        done: Done = ignore,
    ) -> ConfigurationSet:
        """See `Source.read`."""
        configurations = read_archive(self.archive, self.name, self.classes, content, repeats=self.repeats)
        if self.entropy == "formation_entropy":
            return configurations
        # What stands beside the label of the archive belongs to that one.
        others = {"formation_entropy_per_atom_convention": np.nan}
        table = configurations.table.assign(formation_entropy=configurations.table[self.entropy], **others)
        return ConfigurationSet(configurations.frames, table, configurations.attributes)

    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """See `Source.perfect`."""
        header = read_header(self.archive)
        return header.random or filled(header.crystal)

    def unstrained(self, lattice: Path | str | None = None) -> Atoms:
        """See `Source.unstrained`."""
        random = read_header(self.archive).random
        return random.smallest if random else super().unstrained(lattice)

    def others(self, lattice: Path | str | None = None) -> list[Atoms]:
        """See `Source.others`."""
        return list(read_header(self.archive).others)

    def alloyed(self) -> tuple[str, ...]:
        """See `Source.alloyed`."""
        header = read_header(self.archive)
        return Compositions.of([self.unstrained(), *header.others]).elements if header.others else ()

    def identity(self) -> tuple[Crystal, str]:
        """See `Source.identity`."""
        header = read_header(self.archive)
        return header.crystal, header.potential
