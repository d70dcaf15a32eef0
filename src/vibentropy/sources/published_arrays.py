"""The arrays published with the reference work (Lapointe et al., Phys. Rev. Materials 4, 063802 (2020)).

They are files of numpy in the public repository `SOURCE`:

``configs_EAM.npz``, ``configs_MEAM.npz``
    ``I2_EAM`` ... ``V4_EAM``, positions of shape (n, N, 3) in Å, one array per class of defects, and ``lattice``
    (3, 3) in Å, one for all, its rows the cell vectors. Positions need not lie in the cell.
``entropies_EAM.npz``, ``entropies_MEAM.npz``
    ``I2`` ... ``V4`` of shape (n,) in k_B, in the order of the positions; 0 means that there is no label. They are
    taken as they are. Their convention is not stated: `vibentropy.studies.recurrence` has what minima that recur say.
    In 1024 sites it differs from labels per mode by 0.00 (I2) to 0.01 k_B (I4), and by -0.04 k_B for V4.
``config_bulk.npy``
    Perfect crystal of shape (1, N_0, 3) in Å, in the same lattice.

Neither energies nor trajectories are in them. What the labels show is used instead: in all eight arrays the gaps
between sorted labels fall into two sets, those of one minimum that was computed again (below some 1e-5 k_B; 3e-7 for
the V4 of the EAM) and those between minima (above it). Rows of a class are therefore taken for one minimum if their
labels follow each other within `repeat_tolerance`, chained; the second and later ones repeat the first
(``duplicate_of``), and all of them share one ``trajectory``, so that grouped folds keep them together. Two minima whose
labels agree by chance are taken for one, which costs a fold nothing but some balance.

That is the least that must stay together, not all. Labels of rows that follow each other in the files are correlated
even where the minima differ (r = 0.2 to 0.3 for I2 and I3, 0.55 for V4, none for I4, gone after about a hundred rows):
they are snapshots of common trajectories, which nothing in the arrays delimits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.atoms.checks import check_crystal, check_one_element
from vibentropy.atoms.neighbours import check_sites, neighbour_pairs
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.errors import DataError, VibentropyError, at
from vibentropy.files.progress import Done, ignore
from vibentropy.sources.perfect import same_for_all
from vibentropy.sources.reference_work import SOURCE
from vibentropy.sources.source import Amount, Source, Workshop
from vibentropy.sources.unit_check import check_entropies

if TYPE_CHECKING:
    from vibentropy.sources.lattice import Lattice
    from vibentropy.sources.source import Perfect

#: Labels of one class that differ by no more than this (k_B) are of one minimum.
REPEAT_TOLERANCE = 1e-5

#: Reason why a row has no label.
NO_LABEL = "no label in the published set"

#: How far distances to neighbours may differ between atoms of the perfect crystal, Å.
_CRYSTAL_TOLERANCE = 0.02

#: Cutoff of the neighbours that are compared, in units of the cube root of the volume per atom: between two shells in
#: simple cubic, bcc, fcc, hcp and diamond crystals.
_SHELLS = 1.33


@dataclass(frozen=True, kw_only=True)
class Arrays(Source):
    """A data set from the published arrays, one shard for each class of defects.

    Attributes
    ----------
    configurations, entropies, bulk : str
        Paths of the three files.
    element : str
        Chemical symbol, which the arrays do not say.
    classes : tuple of str
        That are read.
    repeat_tolerance : float
        Labels of one class that differ by no more than this are of one minimum, k_B.
    check_size : bool
        Refuse classes whose entropies are of a size that only a wrong unit explains.
    """

    configurations: str
    entropies: str
    bulk: str
    element: str
    classes: tuple[str, ...] = ("I2", "I3", "I4", "V4")
    repeat_tolerance: float = REPEAT_TOLERANCE
    check_size: bool = True

    read_first: ClassVar[bool] = True

    @classmethod
    def from_block(cls, name: str, block: Mapping[str, Any], lattice: Lattice | None = None) -> Arrays:
        """See `Source.from_block`."""
        arrays = dict(block["arrays"])
        if "classes" in arrays:
            arrays["classes"] = tuple(arrays["classes"])
        return cls(name=name, role=block.get("role", "train"), **arrays)

    def about(self) -> dict[str, Any]:
        """See `Source.about`."""
        arrays = asdict(self) | {"classes": list(self.classes)}
        del arrays["name"], arrays["role"]
        return {"arrays": arrays}

    @property
    def computed(self) -> bool:
        """See `Source.computed`."""
        return False

    def problems(self, max_force: float) -> Iterator[str]:
        """See `Source.problems`."""
        for key in _FILES:
            file = getattr(self, key)
            if not Path(file).is_file():
                yield f"datasets.{self.name}.arrays.{key}: there is no file {file!r}; it is published at {SOURCE}"

    def holdings(self) -> list[tuple[str, str, str | None]]:
        """See `Source.holdings`."""
        return [("arrays", self.configurations, defect_class) for defect_class in self.classes]

    def inputs(self) -> list[str]:
        """See `Source.inputs`."""
        return [getattr(self, key) for key in _FILES]

    def references(self, lattice: str) -> list[str]:
        """See `Source.references`."""
        return [self.bulk, self.configurations]

    def files_of(self, content: str) -> list[str]:
        """See `Source.files_of`."""
        return [self.entropies]

    def shards(self, size: int) -> dict[str, str]:
        """See `Source.shards`: one for each class, whatever its size."""
        return {defect_class: defect_class for defect_class in self.classes}

    def amounts(self, size: int) -> dict[str, Amount]:
        """See `Source.amounts`; only reading would tell."""
        return dict.fromkeys(self.classes, Amount())

    def readings(self) -> dict[str, str]:
        """See `Source.readings`: each class."""
        return {f"{self.name}, {defect_class}": defect_class for defect_class in self.classes}

    def read(
        self,
        content: str | None = None,
        workshop: Workshop | None = None,
        done: Done = ignore,
    ) -> ConfigurationSet:
        """Read the configurations of one class of defects from the published arrays.

        Parameters
        ----------
        content : str
            The class.
        workshop, done
            Not needed.

        Returns
        -------
        ConfigurationSet
            In the order of the file, which is that of the ids, too. Status ``labelled`` with the entropy as it is
            given, or ``rejected`` with the reason: there is no label, a number is not finite, two atoms are on one
            site.

        Raises
        ------
        DataError, StructureError
            For what makes a whole file doubtful, with the file: it is missing or something else, an array is missing or
            has another shape, the number of atoms is not that of the class, the bulk is no perfect crystal in the
            lattice, no row can be used.
        """
        defect_class = content
        bulk = self.perfect_crystal()
        path = self.configurations
        positions = _array(path, defect_class, (None, None, 3))
        entropies = _array(self.entropies, defect_class, (len(positions),))
        _check_class(path, defect_class, positions.shape[1], len(bulk))

        frames = [Atoms([bulk.numbers[0]] * len(one), positions=one, cell=bulk.cell, pbc=True) for one in positions]
        reasons = [_reason(atoms, entropy) for atoms, entropy in zip(frames, entropies, strict=True)]
        used = np.array([not reason for reason in reasons], dtype=bool)
        if not used.any():
            raise DataError(f"none of the {len(frames)} configurations {defect_class} can be used; {reasons[0]}", path)
        if self.check_size:
            check_entropies(
                entropies[used],
                np.full(used.sum(), positions.shape[1]),
                np.full(used.sum(), len(bulk)),
                [f"{self.entropies}: {defect_class}[{row}]" for row in np.flatnonzero(used)],
                remedy=" Convert them to k_B; if they are right as they are, say `check_size: false` beside the files",
            )
        first = np.arange(len(frames))
        first[used] = first[used][first_of_minimum(entropies[used], self.repeat_tolerance)]
        ids = np.array([f"{self.name}/{defect_class}/{row:05d}" for row in range(len(frames))], dtype=object)
        table = pd.DataFrame(
            {
                "id": ids,
                "dataset": self.name,
                "trajectory": [f"{defect_class}/{row:05d}" for row in first],
                "defect_class": defect_class,
                "n_sites": len(bulk),
                "status": np.where(used, Status.LABELLED, Status.REJECTED),
                "reason": reasons,
                "formation_entropy": np.where(used, entropies, np.nan),
                "label_source": np.where(used, "given", ""),
                "duplicate_of": np.where(first == np.arange(len(frames)), "", ids[first]),
            }
        )
        return ConfigurationSet(frames, table)

    def perfect_crystal(self) -> Atoms:
        """Read the perfect crystal of the published arrays.

        Returns
        -------
        ase.Atoms

        Raises
        ------
        DataError
            If a file is missing or something else, an array is missing or has another shape, or the atoms are no
            perfect crystal in the lattice: distances to neighbours differ between atoms.
        StructureError
            If a number is not finite, or two atoms are on one site.
        """
        positions = _array(self.bulk, None, (1, None, 3))[0]
        lattice = _array(self.configurations, "lattice", (3, 3))
        atoms = Atoms([self.element] * len(positions), positions=positions, cell=lattice, pbc=True)
        with at(f"{self.bulk} in the lattice of {self.configurations}"):
            check_crystal(atoms)
            check_one_element(atoms)
            spacing = np.cbrt(atoms.get_volume() / len(atoms))
            first, _, _, distances = neighbour_pairs(atoms, _SHELLS * spacing)
        counts = np.diff(first)
        if np.ptp(counts):
            spread = f"numbers of neighbours are from {counts.min()} to {counts.max()}"
        else:
            difference = np.ptp(np.sort(distances.reshape(len(atoms), -1), axis=1), axis=0).max(initial=0)
            spread = f"distances to neighbours differ by {difference:.3f} Å" if difference > _CRYSTAL_TOLERANCE else ""
        if spread:
            raise DataError(
                f"{self.bulk}: no perfect crystal in the lattice of {self.configurations}, {lattice.tolist()} Å: "
                f"{spread}, expected the same for all atoms to {_CRYSTAL_TOLERANCE} Å"
            )
        return atoms

    def perfect(self, lattice: Path | str | None = None) -> Perfect:
        """See `Source.perfect`."""
        return same_for_all(self.perfect_crystal())


_FILES = ("configurations", "entropies", "bulk")


def first_of_minimum(entropies: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """Find the first row of the minimum that each row is of: labels that follow each other closely, sorted and chained.

    Parameters
    ----------
    entropies : ndarray of shape (n,), k_B
        Finite.
    tolerance : float
        Largest difference of neighbours in a chain, k_B.

    Returns
    -------
    ndarray of int of shape (n,)
    """
    order = np.argsort(entropies, kind="stable")
    starts = np.diff(entropies[order], prepend=-np.inf) > tolerance
    minimum = np.empty(len(entropies), dtype=int)
    minimum[order] = np.cumsum(starts) - 1
    first = np.full(starts.sum(), len(entropies))
    np.minimum.at(first, minimum, np.arange(len(entropies)))
    return first[minimum]


def published_labels(path: str | Path, defect_class: str) -> NDArray[np.float64]:
    """Read the labels of a class of defects, those of 0 left out.

    Parameters
    ----------
    path : path-like
        File of entropies.
    defect_class : str

    Returns
    -------
    ndarray of shape (n,), k_B
        In the order of the file.

    Raises
    ------
    DataError
        If the file is missing or not as it should be, or has no such class.
    """
    labels = _array(path, defect_class, (None,))
    return labels[labels != 0]


def _reason(atoms, entropy):
    """Why a row cannot be used; empty if it can."""
    if entropy == 0:
        return NO_LABEL
    if not np.isfinite(entropy):
        return f"the entropy is {entropy}, expected a finite number"
    try:
        check_sites(atoms)
    except VibentropyError as error:
        return str(error)
    return ""


def _check_class(path, defect_class, n_atoms, n_sites):
    """Check the number of atoms of a class that is named by its net number of atoms."""
    if match := re.fullmatch(r"([IV])(\d+)", defect_class):
        expected = n_sites + (1 if match[1] == "I" else -1) * int(match[2])
        if n_atoms != expected:
            message = f"{defect_class} has {n_atoms} atoms, expected {expected} in a cell of {n_sites} sites"
            raise DataError(message, path)


def _array(path, name, shape):
    """Read one array of numbers; None stands for any length in its shape.

    Parameters
    ----------
    path : path-like
    name : str or None
        In an archive, alone or followed by an underscore and the potential; None for a file of one array.
    shape : tuple

    Returns
    -------
    ndarray of float
    """
    try:
        # What is pickled could run anything: such files are refused, whatever is in them.
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            archive = isinstance(loaded, np.lib.npyio.NpzFile)
            if archive != (name is not None):
                raise DataError(f"found {'an archive' if archive else 'one array'}, expected the other", path)
            array = loaded[_key(path, loaded.files, name)] if archive else loaded
    except FileNotFoundError:
        raise DataError(f"no such file; it is published at {SOURCE}", path) from None
    except VibentropyError:
        raise
    except Exception as error:  # What numpy, zipfile and zlib raise is anything, MemoryError included.
        raise DataError(
            "truncated, or no file of numpy arrays without pickled objects "
            f"({type(error).__name__}: {error}); it is published at {SOURCE}",
            path,
        ) from error
    with at(path, *([name] if name else [])):
        if array.dtype.kind not in "fiu":
            raise DataError(f"holds {array.dtype}, expected numbers")
        if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
            expected = ", ".join("n" if n is None else str(n) for n in shape)
            raise DataError(f"has shape {array.shape}, expected ({expected})")
    return array.astype(float)


def _key(path, names, wanted):
    """Name of an array in an archive."""
    matches = [name for name in names if name == wanted or name.startswith(f"{wanted}_")]
    if len(matches) != 1:
        message = f"found the arrays {', '.join(names)}, expected one {wanted} or {wanted}_ with a potential"
        raise DataError(message, path)
    return matches[0]
