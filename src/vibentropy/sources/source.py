"""The data sets of a run: where their configurations come from.

There is one class for each kind of data set: a recipe (`vibentropy.sources.recipes`), files of the user
(`vibentropy.sources.user_files`), an archive (`vibentropy.sources.archived`) and the arrays of the reference work
(`vibentropy.sources.published_arrays`). `source_of` is the only place that looks which kind a block of the
configuration is of; everything else asks a `Source`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from vibentropy.errors import ConfigError
from vibentropy.files.progress import Done, ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

    from vibentropy.atoms.crystal import Crystal
    from vibentropy.datasets.store import ConfigurationSet
    from vibentropy.sources.lattice import Lattice

#: Module and class by the key that only blocks of this kind have. Text, so that a job that needs one kind does not
#: depend on the code of the others.
KINDS = {
    "recipe": ("vibentropy.sources.recipes", "Recipe"),
    "files": ("vibentropy.sources.user_files", "Files"),
    "archive": ("vibentropy.sources.archived", "Archive"),
    "arrays": ("vibentropy.sources.published_arrays", "Arrays"),
}

#: From a row of the table of configurations, and optionally the cell of that configuration (3, 3) in Å, to the perfect
#: crystal in it.
Perfect = Callable[..., "Atoms"]


class Planned(NamedTuple):
    """How many trajectories and configurations a recipe makes."""

    trajectories: int
    configurations: int


@dataclass(frozen=True)
class Amount:
    """How much work is in a shard of a data set; NaN where only reading would tell.

    Attributes
    ----------
    sites : float
        Of its largest cell.
    configurations, atoms : float
        Atoms are those of all configurations together.
    steps : int
        Of molecular dynamics, each of one cell.
    quenched : int
        Configurations that are relaxed.
    labels : float
        Entropies that are computed, those of perfect crystals in strained cells included.
    """

    sites: float = nan
    configurations: float = nan
    atoms: float = nan
    steps: int = 0
    quenched: int = 0
    labels: float = 0.0


@dataclass(frozen=True)
class Workshop:
    """What the configurations of recipes are made with; those that are only read need none.

    Attributes
    ----------
    potential : dict
        Block of the configuration.
    lattice : path-like
        File of the `Crystal` at rest.
    table : path-like or None
        Fine table of an analytic potential for LAMMPS; None for potentials of other kinds.
    seed : int
        Of the run.
    """

    potential: Mapping[str, Any]
    lattice: Path | str
    table: Path | str | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A data set of a run.

    Attributes
    ----------
    name : str
    role : str
        ``train`` or ``test``.
    """

    name: str
    role: str = "train"

    #: Whether configurations are made from the lattice with the potential, and not read.
    generated: ClassVar[bool] = False
    #: Whether labels come with the potential that they were computed with, and perhaps resolved by atoms.
    archived: ClassVar[bool] = False
    #: Whether the sizes of its cells are known before files of the user are opened; see `sites_of`.
    knows_sites: ClassVar[bool] = False
    #: Whether some faults show only when all configurations are there; see `check_whole`.
    checked_as_a_whole: ClassVar[bool] = False
    #: Whether reading comes before other work: faults in files of the user should show before hours are spent.
    read_first: ClassVar[bool] = False
    #: Minutes that a shard takes at most.
    minutes: ClassVar[int] = 60

    @classmethod
    @abstractmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Source:
        """Build a data set from its block of the configuration; what is left out takes its default."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Block of this data set without its content and its role.

        It is what a job is told that needs the kind of a data set and its perfect crystal: if more were said, adding a
        file or a trajectory, or testing on what was trained on, would run all jobs again. The table of all
        configurations gets the roles from the configuration of the run.
        """

    @property
    @abstractmethod
    def computed(self) -> bool:
        """Whether the entropies of the data set are computed in this run, and not given."""

    @property
    def relaxes(self) -> bool:
        """Whether cells are relaxed with the potential of the run before their entropies are computed."""
        return False

    @property
    def own_crystals(self) -> bool:
        """Whether cells of one size are compared with different crystals, as those of a random alloy are."""
        return False

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Sizes of the cells that configurations are made from, in unit cells along each vector."""
        return ()

    def planned(self) -> Planned | None:
        """Count what a recipe makes; None for data sets that are read."""
        return None

    @abstractmethod
    def problems(self, max_force: float) -> Iterator[str]:
        """Yield what is wrong with the block of a data set that the schema accepts, without opening files.

        Parameters
        ----------
        max_force : float
            With which a configuration counts as relaxed, eV/Å.

        Yields
        ------
        str
            A message that begins with the key that is wrong.
        """

    def problems_with(self, elements: Sequence[str]) -> Iterator[str]:
        """Yield what is wrong with the elements and sublattices that the block of a data set names.

        Parameters
        ----------
        elements : sequence of str
            Of the potential of the run.

        Yields
        ------
        str
            A message that begins with the key that is wrong.
        """
        yield from ()

    def problems_inside(self, elements: Sequence[str] = ()) -> Iterator[str]:
        """Yield what a short look into the files of a data set shows to be wrong.

        Parameters
        ----------
        elements : sequence of str
            Of the potential of the run; none where it has none.

        Yields
        ------
        str
            A message.
        """
        yield from ()

    def holdings(self) -> Iterable[tuple[str, str, str | None]]:
        """List what belongs to this data set only: key of its block, file, and which part of it, None for all."""
        return ()

    def inputs(self) -> list[str]:
        """List the files that the block of the data set names."""
        return []

    def references(self, lattice: str) -> list[str]:
        """List the files that say which perfect crystal the data set belongs to.

        Parameters
        ----------
        lattice : str
            The file of the crystal that recipes start from.

        Returns
        -------
        list of str
            Paths.
        """
        return [lattice]

    def files_of(self, content: Any) -> list[str]:
        """List the files that a shard of the data set is read from, beside those of `references`."""
        return []

    @abstractmethod
    def shards(self, size: int) -> dict[str, Any]:
        """Divide the data set into shards, one for each job.

        Parameters
        ----------
        size : int
            Largest number of configurations in a shard, as far as they can be told apart.

        Returns
        -------
        dict of str
            What is in each shard, by its name: lists and text, for `read`.

        Raises
        ------
        DataError
            If a file cannot be used, as far as counting shows it.
        """

    def content(self, shard: str, size: int) -> Any:
        """Tell what is in one shard of the data set, as `shards`, and count no more than that needs."""
        return self.shards(size)[shard]

    def sites_of(self, content: Any) -> int | None:
        """Count the sites of the largest cell of a shard; None where a file would have to be opened for it."""
        return None

    @abstractmethod
    def amounts(self, size: int) -> dict[str, Amount]:
        """Estimate the work in each shard of the data set, without reading more than two configurations."""

    @abstractmethod
    def read(self, content: Any = None, workshop: Workshop | None = None, done: Done = ignore) -> ConfigurationSet:
        """Make or read the configurations of a shard of the data set.

        Parameters
        ----------
        content
            From `shards`; everything by default.
        workshop : Workshop, optional
            For recipes only.
        done : callable
            Called with the name of what is done.

        Returns
        -------
        ConfigurationSet

        Raises
        ------
        DataError
            If a file cannot be used.
        """

    def readings(self) -> dict[str, Any]:
        """List what to `read` to see all of the data set, by a name for people."""
        return {self.name: None}

    @abstractmethod
    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """Find the perfect crystal that belongs to a configuration of the data set.

        Parameters
        ----------
        lattice : path-like, optional
            File of the `Crystal` that recipes start from; no other data set reads it.

        Returns
        -------
        callable
            From a row of the table of configurations, and optionally a strained cell, to the perfect crystal in that
            cell (ase.Atoms). Files have one reference, whatever the cell.
        """

    def others(self, lattice: Path | str | None = None) -> list[Atoms]:
        """Find the relaxed cells, of any size, that atoms of further elements are compared with.

        Parameters
        ----------
        lattice : path-like, optional
            See `perfect`.

        Returns
        -------
        list of ase.Atoms
            One for each element but the first, without strain; see `vibentropy.atoms.reference_cells`.
        """
        return []

    def alloyed(self) -> tuple[str, ...]:
        """List the elements of the data set as far as its references tell; none where there is one.

        Returns
        -------
        tuple of str

        Raises
        ------
        DataError, StructureError
            If a file cannot be used.
        """
        return ()

    def unstrained(self, lattice: Path | str | None = None) -> Atoms:
        """Find the perfect crystal that a model of this data set is relative to.

        Parameters
        ----------
        lattice : path-like, optional
            See `perfect`.

        Returns
        -------
        ase.Atoms
            Of one size for all data sets that are not files: descriptors on a grid depend on it.
        """
        return self.perfect(lattice)({"repetitions": "4x4x4"})

    def smallest(self, lattice: Path | str | None = None) -> Atoms:
        """Find the perfect crystal of the smallest cell of the data set, as `unstrained`."""
        return self.unstrained(lattice)

    def about_smallest(self) -> dict[str, Any]:
        """Block of this data set that says as much as `smallest` needs, and no more."""
        return self.about()

    def identity(self) -> tuple[Crystal, str] | None:
        """Tell the crystal and the potential of labels that come with both, and None for others."""
        return None


def source_of(name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Source:
    """Build a data set from its block of the configuration.

    Parameters
    ----------
    name : str
        The first part of every id.
    block : dict
        As the schema of the configuration describes it; what is left out takes its default.
    lattice : Lattice, optional
        That recipes start from.

    Returns
    -------
    Source

    Raises
    ------
    ConfigError
        If the block is of no kind, or of two.
    """
    module, kind = KINDS[kind_of(name, block)]
    source: Source = getattr(import_module(module), kind).from_block(name, block, lattice)
    return source


def kind_of(name: str, block: Mapping[str, Any]) -> str:
    """Tell which kind of data set a block of the configuration describes: it has exactly one key of `KINDS`.

    Parameters
    ----------
    name : str
        Of the data set, for messages.
    block : dict

    Returns
    -------
    str
        The key.

    Raises
    ------
    ConfigError
        If it has none of the keys, or several.
    """
    keys = [key for key in KINDS if key in block]
    if len(keys) != 1:
        raise ConfigError(f"datasets.{name}: has {' and '.join(keys) or 'none'} of the keys {', '.join(KINDS)}")
    return keys[0]
