"""What every descriptor offers: the interface, the checks it shares, and the sum over a cell."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from math import nan
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from vibentropy.atoms.checks import check_geometry
from vibentropy.descriptors.parameters import SPECIES, Parameter, check
from vibentropy.errors import ConfigError, StructureError
from vibentropy.files.progress import Within, ignore

#: Atoms whose local features are held at a time.
BLOCK = 512


class Summary(NamedTuple):
    """What `Descriptor.summary` says of a cell.

    Attributes
    ----------
    total : ndarray of shape (n_features,)
        To the last bit what `Descriptor.total` returns.
    limits : ndarray of shape (2, n_features) or None
        Smallest and largest value of each feature over the atoms; None for a descriptor without local values.
    projected : ndarray of shape (n_atoms,) or None
        Weighted sum of the features of each atom; None without weights.
    """

    total: NDArray[np.float64]
    limits: NDArray[np.float64] | None
    projected: NDArray[np.float64] | None


class Descriptor(BaseEstimator, ABC):
    """An extensive, invariant fingerprint of a cell.

    Parameters are those of the constructor, which only stores them (scikit-learn's contract: ``get_params``,
    ``set_params`` and ``clone`` work, and the parameters survive YAML). A subclass implements `feature_names` and
    `_total`, and may refine `check_parameters`. One that is a sum over atoms derives from `LocalDescriptor` instead.

    Attributes
    ----------
    species : list of str or None
        Parameter that every descriptor has. The elements that it tells apart; with None, all atoms of a
        configuration must be of one element, whichever.
    parameters : dict of str to Parameter
        What each argument of the constructor may be; see `vibentropy.descriptors.parameters`. What is not in it is not
        checked here. Registered descriptors have all of theirs in it: the schema of configurations is made from it.
    has_local : bool
        Whether the cell's features are sums of features of the atoms.
    tolerance : float
        How well invariance, additivity and replication hold: the error divided by the largest feature.
    continuous : bool
        Whether features change continuously when an atom comes within `reach` of another.
    everywhere : bool
        Whether every sound geometry has features. One that needs more, such as a crystal near a minimum, raises a
        `SaddlePointError` or a `PotentialError` for the others.
    seconds_per_atom : float
        What the features of an atom take one core of an AMD EPYC, about, with the parameters of
        workflow/configs/figures.yaml and scan.yaml or the defaults; NaN where nobody has measured it. The cost of a run
        is estimated with it.
    files : tuple of str
        Parameters that are paths of files: a model looks them up from the folder that it lies in.
    examples : tuple of dict
        Parameter sets that between them show all the descriptor can do; the contract tests run on each.
    """

    parameters: ClassVar[dict[str, Parameter]] = {}
    has_local: ClassVar[bool] = False
    tolerance: ClassVar[float] = 1e-10
    continuous: ClassVar[bool] = True
    everywhere: ClassVar[bool] = True
    seconds_per_atom: ClassVar[float] = nan
    files: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    @property
    @abstractmethod
    def feature_names(self) -> list[str]:
        """Name of each feature of the descriptor, list of unique str."""

    def in_words(self, names: Sequence[str] | None = None) -> list[str]:
        """Say what each feature of an atom is, for the middle of a sentence.

        Parameters
        ----------
        names : sequence of str, optional
            What the features are called where this descriptor is a part of another one.

        Returns
        -------
        list of str
            Such as ``feature A_n1_l0``.
        """
        return [f"feature {name}" for name in names or self.feature_names]

    @property
    def n_features(self) -> int:
        """Number of features of a cell, and of each of its atoms."""
        return len(self.feature_names)

    @property
    def feature_blocks(self) -> list[str]:
        """Block of each feature: features of one block have the same unit, and may share scale and penalty in a fit."""
        return ["all"] * self.n_features

    @property
    def reach(self) -> float | None:
        """Distance in Å beyond which atoms do not enter each other's features; None if there is none."""
        return self.r_cut

    @property
    def needs_potential(self) -> bool:
        """Whether the descriptor asks a potential, its parameter of that name, for more than positions tell."""
        return "potential" in self.get_params(deep=False)

    def check_parameters(self) -> None:
        """Check the parameters against `parameters`; subclasses extend it with what one parameter asks of another.

        Raises
        ------
        TypeError, ValueError
            Naming the parameter, the value found and what was expected. Users see them as `ConfigError`.
        """
        values = self.get_params(deep=False)
        for name, value in values.items():
            if isinstance(value, float) and not np.isfinite(value):
                raise ValueError(f"{name} == {value}, must be finite.")
            if isinstance(value, np.ndarray):
                raise TypeError(f"{name} is an array, must be a list: parameters are written to YAML and JSON.")
        # The table of the class: an argument of the constructor may have the same name.
        check({"species": SPECIES} | type(self).parameters, values)

    def validate(self) -> None:
        """Check the parameters of the descriptor.

        Raises
        ------
        ConfigError
            Naming the descriptor, the parameter, the value found and what was expected.
        """
        try:
            self.check_parameters()
        except (TypeError, ValueError) as error:
            from vibentropy.descriptors import kind_of  # Which imports this module.

            raise ConfigError(f"descriptor {kind_of(type(self))!r}: {error}") from error

    def total(self, atoms: Atoms) -> NDArray[np.float64]:
        """Descriptor of the whole cell, in bounded memory.

        Parameters
        ----------
        atoms : ase.Atoms
            Periodic or not, any cell; lengths in Å.

        Returns
        -------
        ndarray of shape (n_features,)
            Doubles when the cell is repeated twice. For a descriptor with local values, their sum.

        Raises
        ------
        ConfigError
            If a parameter is not valid.
        StructureError
            If a species was not declared, a number is not finite, or two atoms coincide.
        """
        self._check(atoms)
        return self._total(atoms)

    def summary(self, atoms: Atoms, weights: NDArray[np.float64] | None = None, within: Within = ignore) -> Summary:
        """Descriptor of the whole cell and what a model needs to know of its atoms, in one pass.

        Parameters
        ----------
        atoms : ase.Atoms
            Periodic or not, any cell; lengths in Å.
        weights : ndarray of shape (n_features,), optional
            Of the features, for `Summary.projected`.
        within : callable
            Called now and then with the share that is done, from 0 to 1.

        Returns
        -------
        Summary

        Raises
        ------
        ConfigError, StructureError
            As `total`; with weights, as `local`.
        """
        total = self.total(atoms)
        # With weights, `local` says what is wrong with those of a descriptor without local values.
        local = self.local(atoms) if self.has_local or weights is not None else None
        within(1.0)
        if local is None:
            return Summary(total, None, None)
        limits = np.array([local.min(axis=0), local.max(axis=0)])
        return Summary(total, limits, None if weights is None else local @ weights)

    def local(self, atoms: Atoms) -> NDArray[np.float64]:
        """Descriptor of each atom; see `LocalDescriptor.local`.

        Raises
        ------
        ConfigError
            For a descriptor without local values.
        """
        raise ConfigError(f"{self!r} describes cells as a whole and has no values per atom: use total() instead")

    def project(self, atoms: Atoms, weights: NDArray[np.float64], within: Within = ignore) -> NDArray[np.float64]:
        """Weighted sum of the features of each atom.

        Parameters
        ----------
        atoms, weights, within
            As for `summary`.

        Returns
        -------
        ndarray of shape (n_atoms,)
            ``local(atoms) @ weights``; in bounded memory for a sum over atoms.

        Raises
        ------
        ConfigError, StructureError
            As `local`.
        """
        return cast(NDArray[np.float64], self.summary(atoms, weights, within).projected)

    def species_indices(self, atoms: Atoms) -> NDArray[np.int64]:
        """Index of each atom's element in `species`, from 0.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        ndarray of shape (n_atoms,), int64

        Raises
        ------
        StructureError
            Naming the elements found and how to declare them.
        """
        present = np.unique(atoms.numbers)
        declared = present[:1] if self.species is None else [chemical_symbols.index(symbol) for symbol in self.species]
        undeclared = np.setdiff1d(present, declared)
        if len(undeclared):
            declaration = "none is declared" if self.species is None else f"declared are {', '.join(self.species)}"
            everything = [*(self.species or []), *(chemical_symbols[z] for z in present)]
            raise StructureError(
                f"the configuration holds {', '.join(chemical_symbols[z] for z in present)} and {declaration}: "
                f"give the descriptor `species: [{', '.join(dict.fromkeys(everything))}]`"
            )
        index = np.zeros(len(chemical_symbols), dtype=np.int64)
        index[declared] = np.arange(len(declared))
        return index[atoms.numbers]

    @abstractmethod
    def _total(self, atoms):
        """Features of a checked configuration, ndarray of shape (n_features,)."""

    def _check(self, atoms):
        self.validate()
        check_geometry(atoms)
        self.species_indices(atoms)


class LocalDescriptor(Descriptor):
    """A descriptor whose value for a cell is the sum of values of its atoms.

    A subclass implements `feature_names` and `_blocks`.
    """

    has_local: ClassVar[bool] = True

    def local(self, atoms: Atoms) -> NDArray[np.float64]:
        """Descriptor of each atom.

        Parameters
        ----------
        atoms : ase.Atoms
            Periodic or not, any cell; lengths in Å.

        Returns
        -------
        ndarray of shape (n_atoms, n_features)

        Raises
        ------
        ConfigError
            If a parameter is not valid.
        StructureError
            If a species was not declared, a number is not finite, or two atoms coincide.
        """
        self._check(atoms)
        features = np.empty((len(atoms), self.n_features))
        for centres, block in self._blocks(atoms):
            features[centres] = block
        return features

    @abstractmethod
    def _blocks(self, atoms):
        """Yield the features of a checked configuration, a few atoms at a time.

        Yields
        ------
        centres : slice or ndarray of int
            Atoms of the block; every atom is in one block. Blocks must not depend on the number of threads.
        features : ndarray of shape (n_centres, n_features)
        """

    def summary(self, atoms: Atoms, weights: NDArray[np.float64] | None = None, within: Within = ignore) -> Summary:
        """Describe a cell in one pass and bounded memory; see `Descriptor.summary`."""
        self._check(atoms)
        return self._summary(atoms, weights, within)

    def _total(self, atoms):
        return self._summary(atoms).total

    def _summary(self, atoms: Atoms, weights: NDArray[np.float64] | None = None, within: Within = ignore) -> Summary:
        total, n_done = np.zeros(self.n_features), 0
        limits = np.array([np.full(len(total), np.inf), np.full(len(total), -np.inf)])
        projected = None if weights is None else np.empty(len(atoms))
        for centres, block in self._blocks(atoms):
            if block.shape[1:] != total.shape:
                raise ConfigError(f"{self!r} names {len(total)} features and computes {block.shape[1]}")
            total += block.sum(axis=0)
            limits = np.array([np.minimum(limits[0], block.min(axis=0)), np.maximum(limits[1], block.max(axis=0))])
            if projected is not None:
                projected[centres] = block @ weights
            n_done += len(block)
            within(n_done / len(atoms))
        return Summary(total, limits, projected)


def by_central_species(values: NDArray[np.float64], species: NDArray[np.int64], n_species: int) -> NDArray[np.float64]:
    """Give the atoms of each species features of their own, which are zero for the atoms of others.

    Parameters
    ----------
    values : ndarray of shape (n_atoms, n_values)
    species : ndarray of shape (n_atoms,), int64
        Index of that of each atom.
    n_species : int

    Returns
    -------
    ndarray of shape (n_atoms, n_species * n_values)
    """
    features = np.zeros((len(values), n_species, values.shape[1]))
    features[np.arange(len(values)), species] = values
    return features.reshape(len(values), -1)


def blocks(n_atoms: int) -> Iterator[slice]:
    """Yield slices of at most `BLOCK` atoms that cover a cell: descriptors work through large cells piece by piece.

    Parameters
    ----------
    n_atoms : int

    Yields
    ------
    slice
    """
    for start in range(0, n_atoms, BLOCK):
        yield slice(start, min(start + BLOCK, n_atoms))
