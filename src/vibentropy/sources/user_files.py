"""Data sets from files that other programs wrote: anything that ASE reads.

What a specification may say stands in the schema of the configuration (a data set with ``files``). Faults come in two
sizes. What makes a whole file doubtful stops the run with the file, the frame (counted from 0), what was found and
what was expected: files that are missing, truncated or of an unknown format, other elements than the reference's,
cells that are not periodic, cells that differ from the reference's where entropies are compared with it, and files
of which no frame can be used. What spoils one frame (an entropy that is missing or no number, positions that are not
finite, two atoms on one site, forces above the gate) leaves that frame in the set as ``rejected``, with the reason.
Entropies of a size that only a wrong unit explains stop the run, too (`vibentropy.sources.unit_check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from vibentropy.atoms.checks import check_crystal, element_indices
from vibentropy.atoms.compositions import Compositions
from vibentropy.atoms.neighbours import check_sites
from vibentropy.atoms.reading import read_frames
from vibentropy.atoms.reference import count_reference_sites
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.errors import DataError, NotConvergedError, StructureError, VibentropyError, at
from vibentropy.files.progress import Done, ignore
from vibentropy.labels.determinants import MAX_FORCE
from vibentropy.sources.file_shards import configurations_in, counted, file_shards, pieces_of_shard, trajectories_of
from vibentropy.sources.perfect import read_references, same_for_all
from vibentropy.sources.source import Amount, Source, Workshop
from vibentropy.sources.unit_check import check_entropies
from vibentropy.units import KB_PER_ENTROPY_UNIT

if TYPE_CHECKING:
    from ase import Atoms

    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.source import Perfect


@dataclass(frozen=True)
class GivenEntropy:
    """Which numbers in files of the user are entropies, and in which unit.

    Attributes
    ----------
    key : str
        Their name.
    unit : str
        See `vibentropy.units.KB_PER_ENTROPY_UNIT`.
    kind : str
        ``formation`` for entropies of formation; ``total`` for those of the whole cell, from which those of the
        reference under the same key are subtracted.
    check_size : bool
        Refuse sets whose entropies are of a size that only a wrong unit or kind explains.
    """

    key: str
    unit: str
    kind: str
    check_size: bool = True


@dataclass(frozen=True, kw_only=True)
class Files(Source):
    """A data set from files of the user.

    Attributes
    ----------
    files : tuple of str
        Paths, patterns expanded; empty in jobs, which read pieces of them.
    reference : tuple of str
        File with the perfect crystal alone; with several elements one more file for each, with a relaxed cell.
    format : str or None
        ASE's name of the format of files and reference; None to let ASE recognise it.
    entropy : GivenEntropy or None
        None to have entropies computed.
    energy_key, group_key, class_key : str or None
        Names of the energy (eV), of what configurations that are not independent have in common, and of the class of
        defects, where configurations have them.
    max_force : float
        Largest stored force with which a configuration counts as relaxed, eV/Å.
    relax : bool
        Relax configurations with the potential of the run, in cells that stay as they are; stored forces are no gate.
    """

    files: tuple[str, ...]
    reference: tuple[str, ...]
    format: str | None = None
    entropy: GivenEntropy | None = None
    energy_key: str | None = None
    group_key: str | None = None
    class_key: str | None = None
    max_force: float = MAX_FORCE
    relax: bool = False

    checked_as_a_whole: ClassVar[bool] = True
    read_first: ClassVar[bool] = True

    @classmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Files:
        """See `Source.from_block`."""
        entropy = GivenEntropy(**block["entropy"]) if block.get("entropy") else None
        reference = block["reference"]
        reference = (reference,) if isinstance(reference, str) else tuple(reference)
        return cls(name=name, **{**block, "files": tuple(block["files"]), "reference": reference, "entropy": entropy})

    def about(self) -> dict[str, Any]:
        """See `Source.about`."""
        # As a configuration has it: what is said of one file does not change because several may be given.
        reference = self.reference[0] if len(self.reference) == 1 else list(self.reference)
        block = asdict(self) | {"files": [], "reference": reference}
        del block["name"], block["role"]
        return block

    @property
    def computed(self) -> bool:
        """See `Source.computed`."""
        return self.entropy is None

    @property
    def relaxes(self) -> bool:
        """See `Source.relaxes`."""
        return self.relax

    @property
    def compares_cells(self) -> bool:
        """Whether configurations have to be in the cell of the reference: where entropies are compared with its own."""
        return self.entropy is None or self.entropy.kind == "total"

    def problems(self, max_force: float) -> Iterator[str]:
        """See `Source.problems`."""
        for file in self.files:
            if not Path(file).is_file():
                yield f"datasets.{self.name}.files: no file matches {file!r}"
        for file in self.reference:
            if not Path(file).is_file():
                yield f"datasets.{self.name}.reference: there is no file {file!r}"
        if self.relax and not self.computed:
            yield (
                f"datasets.{self.name}.relax: its entropies are given, for the positions in the files; leave out "
                "`entropy` to have them computed, or `relax`"
            )

    def problems_inside(self, elements: Sequence[str] = ()) -> Iterator[str]:
        """See `Source.problems_inside`: those of the references, whose elements the potential has to have."""
        place = f"datasets.{self.name}.reference"
        try:
            cells = self.reference_cells(elements[0] if len(elements) == 1 else None)
        except VibentropyError as error:
            yield f"{place}: {error}"
            return
        if elements and self.computed:
            for file, cell in zip(self.reference, cells, strict=True):
                try:
                    element_indices(cell, elements)
                except StructureError as error:
                    yield f"{place}: {file}: {error} by `potential`"

    def holdings(self) -> list[tuple[str, str, str | None]]:
        """See `Source.holdings`."""
        return [("files", file, None) for file in self.files]

    def inputs(self) -> list[str]:
        """See `Source.inputs`."""
        return [*self.files, *self.reference]

    def references(self, lattice: str) -> list[str]:
        """See `Source.references`."""
        return list(self.reference)

    def files_of(self, content: Sequence[Sequence[Any]]) -> list[str]:
        """See `Source.files_of`."""
        return [path for path, *_ in content]

    def shards(self, size: int) -> dict[str, list[list[Any]]]:
        """See `Source.shards` and `vibentropy.sources.file_shards`."""
        return file_shards(self.files, self.format, size)

    def content(self, shard: str, size: int) -> list[list[Any]]:
        """See `Source.content`."""
        return pieces_of_shard(self.files, self.format, size, shard)

    def amounts(self, size: int) -> dict[str, Amount]:
        """See `Source.amounts`.

        Sites are those of the reference where cells have to be its cell, else as many as the first configuration of the
        first file has atoms.

        Raises
        ------
        DataError
            As `shards`, and if that configuration or the reference cannot be read.
        """
        sites = self._typical_sites()
        amounts = {}
        for shard, pieces in self.shards(size).items():
            number = configurations_in(pieces, self.format)
            if number is None or sites is None:
                amounts[shard] = Amount(sites=nan, configurations=nan, labels=nan if self.computed else 0.0)
            else:
                labels = number if self.computed else 0.0
                amounts[shard] = Amount(sites=sites, configurations=number, atoms=number * sites, labels=labels)
        return amounts

    def _typical_sites(self) -> int | None:
        """Sites of a cell, see `amounts`."""
        cells = self.reference_cells()
        if self.compares_cells:
            return len(cells[0])
        first = next(iter(trajectories_of(self.files)))
        if counted(first, self.format) is None:
            return None
        return len(next(read_frames(first, self.format, stop=1, element=_only(cells))))

    def reference_cells(self, element: str | None = None) -> list[Atoms]:
        """Read the references of the files, the perfect crystal first.

        Parameters
        ----------
        element : str, optional
            Chemical symbol of all atoms of a file of LAMMPS that says their types only.

        Returns
        -------
        list of ase.Atoms

        Raises
        ------
        DataError, StructureError
            As `vibentropy.sources.perfect.read_references`.
        """
        return read_references(self.reference, self.format, element)

    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """See `Source.perfect`."""
        return same_for_all(self.reference_cells()[0])

    def others(self, lattice: Path | str | None = None) -> list[Atoms]:
        """See `Source.others`."""
        return self.reference_cells()[1:]

    def alloyed(self) -> tuple[str, ...]:
        """See `Source.alloyed`."""
        return Compositions.of(self.reference_cells()).elements if len(self.reference) > 1 else ()

    def read(
        self,
        content: Sequence[Sequence[Any]] | None = None,
        workshop: Workshop | None = None,
        done: Done = ignore,
    ) -> ConfigurationSet:
        """Read configurations from files of the user.

        Parameters
        ----------
        content : list of list, optional
            What to read, from `shards`. By default everything, which `check_whole` then checks.
        workshop, done
            Not needed.

        Returns
        -------
        ConfigurationSet
            Status ``labelled`` with the given entropy (k_B), ``relaxed`` where entropies are still to be computed, or
            ``rejected`` with the reason. Ids are ``<dataset>/<file>/<frame>``, whatever the trajectory.

        Raises
        ------
        DataError, StructureError
            For faults of whole files, see the module; naming the file and the frame.
        """
        cells = self.reference_cells()
        references, element = ReferenceCells.of(cells), _only(cells)
        frames, rows = [], []
        pieces = trajectories_of(self.files).items() if content is None else content
        for path, trajectory, *part in pieces:
            start, stop = part or (0, None)
            for number, atoms in enumerate(read_frames(path, self.format, start, stop, element), start):
                with at(path, f"frame {number}"):
                    row = self._row(atoms, references)
                frames.append(atoms)
                name = f"{self.name}/{trajectory}/{number:04d}"
                rows.append({"id": name, "dataset": self.name, "trajectory": trajectory} | row)
        configurations = ConfigurationSet(frames, pd.DataFrame(rows))
        if content is None:
            self.check_whole(configurations.table)
        return configurations

    def check_whole(self, table: pd.DataFrame) -> pd.DataFrame:
        """Check a data set of files for faults that only all its configurations together show.

        Parameters
        ----------
        table : pandas.DataFrame
            Of all configurations of the data set, in any order.

        Returns
        -------
        pandas.DataFrame
            One row per file: its name (file), the number of configurations in it, and of those that are rejected.

        Raises
        ------
        DataError
            If no configuration of a file can be used, or the entropies tell of a wrong unit.
        """
        names = {trajectory: path for path, trajectory in trajectories_of(self.files).items()}
        # <dataset>/<file>/<frame>
        places = [name.partition("/")[2].rpartition("/") for name in table["id"]]
        table = table.assign(
            file=[names[file] for file, _, _ in places], frame=[int(number) for _, _, number in places]
        )
        table = table.sort_values(["file", "frame"], ignore_index=True)
        rejected = table["status"] == Status.REJECTED
        for file, rows in table.groupby("file"):
            if rejected[rows.index].all():
                reasons = "; ".join(f"frame {row.frame}: {row.reason}" for row in rows.head(3).itertuples())
                raise DataError(f"none of its {len(rows)} configurations can be used; {reasons}", str(file))
        if self.entropy and self.entropy.check_size:
            labelled = table[table["status"] == Status.LABELLED]
            check_entropies(
                labelled["formation_entropy"].to_numpy(),
                labelled["n_atoms"].to_numpy(),
                labelled["n_sites"].to_numpy(),
                [f"{row.file}, frame {row.frame}: {self.entropy.key!r}" for row in labelled.itertuples()],
                self.entropy.unit,
                self.entropy.kind,
                " If the entropies are right as they are, say `check_size: false` beside the unit",
            )
        counts = table.assign(configurations=1, rejected=rejected.astype(int)).groupby("file", as_index=False)
        return counts[["configurations", "rejected"]].sum()

    def _row(self, atoms: Atoms, references: ReferenceCells) -> dict[str, Any]:
        """Columns of one frame; raises what is wrong with the whole file."""
        cells, compositions = references.cells, references.compositions
        element_indices(atoms, compositions.elements)
        crystal = cells[0]
        properties = _properties(atoms)
        row = {
            column: _text(properties, key)
            for column, key in [("trajectory", self.group_key), ("defect_class", self.class_key)]
            if key is not None
        }
        try:
            check_sites(atoms)
        except VibentropyError as error:
            return row | {"status": Status.REJECTED, "reason": str(error)}
        check_crystal(atoms)
        if self.compares_cells or references.random:
            references.around(atoms)  # Which checks that it is this cell.
        n_sites = count_reference_sites(atoms, crystal)
        row = {"n_sites": n_sites, "defect_class": _net_class(atoms, n_sites, crystal)} | row
        try:
            row["max_force"] = _largest_force(atoms, np.inf if self.relax else self.max_force)
            row |= _energies(atoms, cells, compositions, self.energy_key)
            if self.entropy is None:
                return row | {"status": Status.RELAXED}
            return row | {
                "formation_entropy": _formation_entropy(atoms, cells, compositions, self.entropy),
                "status": Status.LABELLED,
                "label_source": "given",
            }
        except VibentropyError as error:
            return row | {"status": Status.REJECTED, "reason": str(error)}


def _only(cells):
    """Element of all atoms of files that do not say it; None where there are several."""
    symbols = {symbol for cell in cells for symbol in cell.get_chemical_symbols()}
    return symbols.pop() if len(symbols) == 1 else None


def _properties(atoms):
    """Everything by name that ASE read beside the atoms, from wherever it put it."""
    results = atoms.calc.results if atoms.calc else {}
    info = atoms.info
    return results | atoms.arrays | info.get("data", {}) | info.get("key_value_pairs", {}) | info


def _net_class(atoms, n_sites, crystal):
    """Class of a defect by the net number of atoms, ``I2``, ``V4``, ``net 0``, and solutes, ``V1+P2``; or empty."""
    if n_sites < 0:
        return ""
    n_atoms = len(atoms)
    net = f"I{n_atoms - n_sites}" if n_atoms > n_sites else f"V{n_sites - n_atoms}" if n_atoms < n_sites else "net 0"
    counts = atoms.symbols.formula.count()
    solutes = [f"{symbol}{counts[symbol]}" for symbol in sorted(counts) if symbol not in crystal.symbols]
    return "+".join([net, *solutes] if n_atoms != n_sites or not solutes else solutes)


def _largest_force(atoms, max_force):
    """Largest stored force in eV/Å, NaN if there are none; raises if it exceeds the gate."""
    forces = atoms.calc.results.get("forces") if atoms.calc else None
    if forces is None:
        return np.nan
    largest = float(np.linalg.norm(forces, axis=1).max())
    if not largest <= max_force:
        raise NotConvergedError(
            f"the largest force is {largest:.2e} eV/Å, expected at most {max_force:.2e}, as stored in the file: relax "
            "it (`relax: true` where entropies are computed here)"
        )
    return largest


def _energies(atoms, references, compositions, key):
    """Energy and energy of formation in eV, NaN where unknown; an energy that has a key must be there."""
    name = key or "energy"
    properties = _properties(atoms)
    energy = _number(properties, name) if key or name in properties else np.nan
    told = [_number(one, name) if name in one else np.nan for one in map(_properties, references)]
    return {"energy": energy, "formation_energy": float(compositions.formed(compositions.count(atoms), energy, told))}


def _formation_entropy(atoms, references, compositions, given):
    """Entropy of formation in k_B: as given, or from totals, mode by mode (docs/theory.md, "Formation entropy")."""
    entropy = _number(_properties(atoms), given.key)
    if given.kind == "total":
        with at("the reference"):
            perfect = [_number(_properties(cell), given.key) for cell in references]
        entropy = float(compositions.formed_of_modes(compositions.count(atoms), entropy, perfect))
    return entropy * KB_PER_ENTROPY_UNIT[given.unit]


def _found(properties, key):
    """One property by name."""
    if key not in properties:
        names = sorted(set(properties) - {"numbers", "positions", "key_value_pairs", "data"})
        raise DataError(f"no {key!r} in it; there are {', '.join(names) or 'only atoms'}")
    return properties[key]


def _number(properties, key):
    """One finite number by name."""
    value = _found(properties, key)
    if np.ndim(value):
        raise DataError(f"{key!r} has shape {np.shape(value)}, expected one number")
    if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(float(value)):
        raise DataError(f"{key!r} is {value}, expected a finite number")
    return float(value)


def _text(properties, key):
    """One name by name; numbers become text."""
    value = _found(properties, key)
    if np.ndim(value):
        raise DataError(f"{key!r} has shape {np.shape(value)}, expected text or one number")
    return str(value)
