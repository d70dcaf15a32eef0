"""Sets of extensive features (`vibentropy.features.extensive`), what is kept of single atoms, and their files.

In HDF5 (kind ``features``, schema 1): ``/X`` (n, n_features), ``/ids`` (n,), ``/feature_names`` (n_features,),
``/bulk`` (n_features,) per atom, ``/failures/ids`` and ``/failures/reasons``, and the attribute ``descriptor``, JSON
text with ``kind`` and ``parameters``. Where labels resolved by atoms are learnt from, ``/sites/ids``, the
configurations that have them, and ``/sites/factors`` (sum of rows, n_features + 1), their triangular factors
(`vibentropy.features.atom_labels`) one after the other, those of configuration i from ``/sites/first[i]`` to
``/sites/first[i + 1]``; features as the descriptor gives them, the last column in k_B. Where the descriptor has values
per atom, also ``/local/limits`` (n, 2, n_features), the smallest and the largest of each cell, and ``/local/crystals``
(n, n_features), the descriptor per atom of the perfect crystal that the cell is compared with (`LocalValues`). The
attributes ``dataset``, ``element`` and ``volume_per_atom`` (Å³) say which data set of a run the configurations are of,
and what crystal ``/bulk`` is of; older files lack them. Where there are several elements, ``/bulk`` is (n_elements,
n_features) for an atom of each, and the attributes ``elements`` and ``shares`` say which, and how much of the crystal
each is. Relative to random alloys, ``/bulk`` is by one of them, and ``/conditions`` (n_elements - 1, n_features) is the
descriptor per atom of the further references, which all have in common.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.descriptors import create as create_descriptor
from vibentropy.descriptors import recipe
from vibentropy.errors import DataError, VibentropyError
from vibentropy.features.atom_labels import site_factor
from vibentropy.features.bulk_files import read_bulk, write_bulk
from vibentropy.features.extensive import (
    Bulk,
    ElementFeatures,
    above_bulk,
    above_reference_atoms,
    crystal_features,
)
from vibentropy.files.hdf5 import check_array, create, open_file, slices
from vibentropy.files.progress import Done, ignore

if TYPE_CHECKING:
    from vibentropy.descriptors import Descriptor

KIND = "features"


@dataclass(frozen=True, eq=False)
class LocalValues:
    """What is kept of the atoms of cells beyond their sums, all as the descriptor gives it.

    Parameters
    ----------
    limits : ndarray of shape (n, 2, n_features)
        Smallest and largest value of each feature over the atoms of each cell.
    crystals : ndarray of shape (n, n_features)
        Descriptor per atom of the perfect crystal that each cell is compared with.
    """

    limits: NDArray[np.float64]
    crystals: NDArray[np.float64]

    def __getitem__(self, rows: Any) -> LocalValues:
        return LocalValues(self.limits[rows], self.crystals[rows])

    @classmethod
    def join(cls, parts: Iterable[LocalValues | None]) -> LocalValues | None:
        """Put the values of atoms of several cells together, in the order given.

        Parameters
        ----------
        parts : iterable of (LocalValues or None)

        Returns
        -------
        LocalValues or None
            None if a part is.
        """
        parts = list(parts)
        values = [part for part in parts if part is not None]
        if len(values) < len(parts):
            return None
        return cls(np.concatenate([p.limits for p in values]), np.concatenate([p.crystals for p in values]))


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of the configurations that have them, and why the others have none.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Extensive features.
    ids : tuple of str
        Of the configurations, one per row.
    feature_names : tuple of str
    bulk : ndarray of shape (n_features,) or ElementFeatures
        Descriptor of the perfect crystal per atom, or with several elements of an atom of each.
    descriptor : dict
        ``kind`` and ``parameters``, as `vibentropy.descriptors.create` takes them.
    failures : dict
        Reason by id, of configurations that the descriptor refuses.
    sites : dict of ndarray
        By id, the factor of each configuration that is resolved by atoms; see
        `vibentropy.features.atom_labels.site_factor`.
    local : LocalValues or None
        One row per configuration; None if the descriptor has no values per atom.
    dataset : str
        Name of the data set in the configuration of the run; empty where there is none.
    element : str
        Of the perfect crystal, where it has several the first; empty where it is not known.
    volume_per_atom : float
        Of the perfect crystal, Å³; NaN where it is not known.
    """

    X: NDArray[np.float64]
    ids: tuple[str, ...]
    feature_names: tuple[str, ...]
    bulk: Bulk
    descriptor: dict[str, Any]
    failures: dict[str, str] = field(default_factory=dict)
    sites: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    local: LocalValues | None = None
    dataset: str = ""
    element: str = ""
    volume_per_atom: float = nan

    @property
    def feature_blocks(self) -> list[str]:
        """Block of each feature; see `vibentropy.descriptors.base.Descriptor.feature_blocks`."""
        return create_descriptor(self.descriptor["kind"], **self.descriptor["parameters"]).feature_blocks

    @classmethod
    def compute(
        cls,
        descriptor: Descriptor,
        ids: Sequence[str],
        frames: Sequence[Atoms],
        bulk: Bulk,
        reference: Callable[[int], Bulk] | None = None,
        site_labels: Mapping[str, NDArray[np.float64]] | None = None,
        done: Done = ignore,
        **about: Any,
    ) -> FeatureSet:
        """Compute features of configurations; those that the descriptor refuses become entries of `failures`.

        Only errors of this package set a configuration aside. Others are faults of the descriptor: models would be
        compared on different cells.

        Parameters
        ----------
        descriptor : Descriptor
        ids : sequence of str
        frames : sequence of ase.Atoms
        bulk : ndarray of shape (n_features,) or ElementFeatures
        reference : callable, optional
            From the number of a frame to what it is compared with in place of `bulk`: the descriptor per atom of the
            crystal under the same strain, see `CrystalFeatures`.
        site_labels : dict of ndarray of shape (n_atoms,), optional
            Entropy of each atom in k_B, by id, of some configurations; as from
            `vibentropy.features.atom_labels.site_labels`. A descriptor without local values has no use for them.
        done : callable
            Called with the id of each configuration that is done.
        **about
            ``dataset``, ``element`` and ``volume_per_atom``, see the class.

        Returns
        -------
        FeatureSet

        Raises
        ------
        Exception
            Whatever else the descriptor raises, with a note that names the configuration.
        """
        rows, kept, limits, crystals = [], [], [], []
        failures: dict[str, str] = {}
        sites: dict[str, NDArray[np.float64]] = {}
        site_labels = site_labels if site_labels and descriptor.has_local else {}
        for index, (name, atoms) in enumerate(zip(ids, frames, strict=True)):
            try:
                crystal = bulk if reference is None else reference(index)
                row, of_atoms = _features_of(descriptor, atoms, crystal)
                if name in site_labels:
                    # Labels of atoms come from eigenvectors: features of all atoms are small beside them.
                    of_each = above_reference_atoms(descriptor.local(atoms), atoms, crystal)
                    sites[str(name)] = site_factor(of_each, site_labels[name])
            except VibentropyError as error:
                failures[str(name)] = str(error)
            except Exception as error:
                error.add_note(
                    f"{name}: {descriptor!r} failed. To set such configurations aside, let it raise a "
                    "vibentropy.errors.StructureError; other errors are taken for faults of the descriptor"
                )
                raise
            else:
                rows.append(row)
                kept.append(str(name))
                limits.append(of_atoms)
                crystals.append(crystal_features(crystal))
            done(name)
        shape = len(rows), len(bulk)
        local = None
        if descriptor.has_local:
            of_crystals = np.array(crystals, dtype=float).reshape(shape)
            local = LocalValues(np.array(limits).reshape(shape[0], 2, shape[1]), of_crystals)
        return cls(
            X=np.array(rows).reshape(shape),
            ids=tuple(kept),
            feature_names=tuple(descriptor.feature_names),
            bulk=bulk if isinstance(bulk, ElementFeatures) else np.asarray(bulk, dtype=float),
            descriptor=recipe(descriptor),
            failures=failures,
            sites=sites,
            local=local,
            **about,
        )

    def save(self, path: str | Path, **attributes: Any) -> None:
        """Write the features to HDF5; see the module for the layout.

        Parameters
        ----------
        path : path-like
        **attributes
            Provenance, as for `vibentropy.files.hdf5.create`.
        """
        about = {"dataset": self.dataset, "element": self.element, "volume_per_atom": float(self.volume_per_atom)}
        # `value == value` is False for NaN only.
        attributes |= {name: value for name, value in about.items() if value and value == value}
        with create(path, KIND, descriptor=json.dumps(self.descriptor), **attributes) as file:
            file["X"] = self.X
            write_bulk(file, self.bulk)
            if self.local is not None:
                file["local/limits"], file["local/crystals"] = self.local.limits, self.local.crystals
            if self.sites:
                factors = list(self.sites.values())
                # Half of a triangular matrix is zeros.
                file.create_dataset("sites/factors", data=np.concatenate(factors), compression="gzip", shuffle=True)
                file["sites/first"] = np.cumsum([0, *map(len, factors)])
            for name, strings in [
                ("ids", self.ids),
                ("feature_names", self.feature_names),
                ("failures/ids", list(self.failures)),
                ("failures/reasons", list(self.failures.values())),
                *([("sites/ids", list(self.sites))] if self.sites else []),
            ]:
                file.create_dataset(name, data=np.array(strings, dtype=object), dtype=h5py.string_dtype())

    @classmethod
    def load(cls, path: str | Path) -> FeatureSet:
        """Read the features that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        FeatureSet

        Raises
        ------
        DataError
            If the file is missing, truncated or something else, or a number in it is not finite.
        """
        with open_file(path, KIND) as file:
            failed, reasons = file["failures/ids"].asstr()[:], file["failures/reasons"].asstr()[:]
            ids, names = file["ids"].asstr()[:], file["feature_names"].asstr()[:]
            shape = len(ids), len(names)
            X, bulk = file["X"][:], read_bulk(file, shape[1])
            check_array("/X", X, shape)
            if len(set(ids)) < len(ids):
                raise DataError(f"/ids holds {len(ids)} names of which {len(set(ids))} differ; expected unique ids")
            local, sites = None, {}
            if "local" in file:
                local = LocalValues(file["local/limits"][:], file["local/crystals"][:])
                check_array("/local/limits", local.limits, (shape[0], 2, shape[1]))
                check_array("/local/crystals", local.crystals, shape)
            if "sites" in file:
                factors = file["sites/factors"][:]
                check_array("/sites/factors", factors, (len(factors), shape[1] + 1))
                parts = slices(file["sites/first"][:], len(factors), "/sites/first")
                sites = {name: factors[part] for name, part in zip(file["sites/ids"].asstr()[:], parts, strict=True)}
            return cls(
                X=X,
                ids=tuple(ids),
                feature_names=tuple(names),
                bulk=bulk,
                descriptor=json.loads(file.attrs["descriptor"]),
                failures=dict(zip(failed, reasons, strict=True)),
                sites=sites,
                local=local,
                dataset=str(file.attrs.get("dataset", "")),
                element=str(file.attrs.get("element", "")),
                volume_per_atom=float(file.attrs.get("volume_per_atom", nan)),
            )


def _features_of(descriptor, atoms, crystal):
    """Compute extensive features of a configuration, and the limits of its atoms where these have values."""
    total, of_atoms, _ = descriptor.summary(atoms)
    row = above_bulk(total, atoms, crystal)
    if not np.isfinite(row).all():
        raise DataError(f"feature {descriptor.feature_names[np.isfinite(row).argmin()]} is not finite")
    return row, of_atoms


def load_outcomes(path: str | Path) -> tuple[str, int, dict[str, str]]:
    """Read from a file of features which configurations have none and why, and no features.

    Parameters
    ----------
    path : path-like
        As written by `FeatureSet.save`.

    Returns
    -------
    dataset : str
        Its name; empty if the file has none.
    n_described : int
        Number of configurations that have features.
    failures : dict of str to str
        Why the others have none, by id.

    Raises
    ------
    DataError
        As `FeatureSet.load`.
    """
    with open_file(path, KIND) as file:
        refused = zip(file["failures/ids"].asstr()[:], file["failures/reasons"].asstr()[:], strict=True)
        return str(file.attrs.get("dataset", "")), len(file["ids"]), dict(refused)


def load_by_dataset(paths: Iterable[str | Path]) -> dict[str, FeatureSet]:
    """Read the features of several data sets.

    Parameters
    ----------
    paths : iterable of path-like
        Of files that name their data set, or lie in a folder that is named after it.

    Returns
    -------
    dict of FeatureSet
        By data set, the files of each put together in the order given.

    Raises
    ------
    DataError
        As `FeatureSet.load` and `concatenate`.
    """
    sets: dict[str, list[FeatureSet]] = {}
    for path in map(Path, paths):
        features = FeatureSet.load(path)
        sets.setdefault(features.dataset or path.parent.name, []).append(features)
    return {dataset: concatenate(of_dataset) for dataset, of_dataset in sets.items()}


def concatenate(sets: Iterable[FeatureSet]) -> FeatureSet:
    """Features of several sets as one, in the order given.

    Parameters
    ----------
    sets : iterable of FeatureSet
        Of one descriptor and one crystal.

    Returns
    -------
    FeatureSet
        With the bulk reference of the first, and what is known of it and of its data set.

    Raises
    ------
    DataError
        If there are none, an id occurs in two of them, or descriptors or bulk references differ.
    """
    sets = list(sets)
    bulk = common_bulk(sets)
    times = Counter(name for one in sets for name in (*one.ids, *one.failures))
    repeated = [name for name, number in times.items() if number > 1]
    if repeated:
        raise DataError(f"{repeated[0]} has features in more than one set")
    return FeatureSet(
        X=np.concatenate([one.X for one in sets]),
        ids=tuple(name for one in sets for name in one.ids),
        feature_names=sets[0].feature_names,
        bulk=bulk,
        descriptor=sets[0].descriptor,
        failures={name: reason for one in sets for name, reason in one.failures.items()},
        local=LocalValues.join(one.local for one in sets),
        sites={name: factor for one in sets for name, factor in one.sites.items()},
        dataset=sets[0].dataset,
        element=sets[0].element,
        volume_per_atom=sets[0].volume_per_atom,
    )


def common_bulk(sets: Sequence[FeatureSet]) -> Bulk:
    """Find what sets of features are relative to in common.

    Parameters
    ----------
    sets : sequence of FeatureSet

    Returns
    -------
    ndarray of shape (n_features,) or ElementFeatures
        That of the first.

    Raises
    ------
    DataError
        If there are no sets, or they do not belong together: descriptors or references differ.
    """
    if not sets:
        raise DataError("no sets of features to put together")
    first = sets[0]
    for other in sets[1:]:
        if (other.descriptor, other.feature_names) != (first.descriptor, first.feature_names):
            raise DataError(f"features of {other.descriptor} cannot be put together with those of {first.descriptor}")
        (values, elements, random), (reference, expected, of_first) = _parts_of(other.bulk), _parts_of(first.bulk)
        if elements != expected:
            raise DataError(
                f"features relative to reference cells of {' and '.join(elements) or 'one element'} cannot be put "
                f"together with those of {' and '.join(expected) or 'one element'}: give all data sets the same "
                "references"
            )
        if random != of_first:
            raise DataError(
                "features relative to random alloys cannot be put together with those relative to a crystal"
            )
        # Lattice constants that were relaxed from different guesses agree to 1e-8 Å.
        if not np.allclose(values, reference, rtol=1e-6, atol=1e-6 * np.abs(reference).max()):
            remedy = ": give all data sets the same cell for each solute" if elements else ""
            raise DataError(f"features relative to different perfect crystals cannot be put together{remedy}")
    return first.bulk


def _parts_of(bulk):
    """Take what sets have to agree in: values, elements, and whether they are relative to random alloys."""
    if not isinstance(bulk, ElementFeatures):
        return bulk, (), False
    return bulk.shared, bulk.elements, bulk.conditions is not None
