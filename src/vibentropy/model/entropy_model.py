"""Fitted models, which predict formation entropies of relaxed cells."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from numpy.typing import ArrayLike, NDArray

from vibentropy.atoms.checks import check_crystal, check_one_element
from vibentropy.atoms.reference import count_reference_sites, count_sites
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.data import DEFAULT, SHIPPED
from vibentropy.descriptors import Descriptor, kind_of, recipe, recipe_in_words
from vibentropy.errors import ConfigError, DataError, StructureError, VibentropyError, at
from vibentropy.features.extensive import (
    Bulk,
    DescribedCrystal,
    ElementFeatures,
    above_bulk,
    crystal_features,
    reference_shares,
)
from vibentropy.files.facts import as_table
from vibentropy.files.progress import Within, ignore
from vibentropy.learning.base import predict_linear
from vibentropy.learning.domain import verdict
from vibentropy.learning.uncertainty import Uncertainty
from vibentropy.model.files import read_model, write_model

#: Share of the sites of a cell that defects can leave empty, or atoms be too many.
MAX_VACANT = 0.1
#: How many times as large as in the crystal of the model distances may be before another unit is likelier than another
#: crystal: 1 Å are 1.9 Bohr and 0.1 nm.
MAX_SCALE = 1.6


@dataclass(frozen=True, eq=False, repr=False)
class EntropyModel:
    """Linear model of the vibrational formation entropy of defects in one crystal.

    Built by `from_fit` or `load`; the arrays are those of the file.

    Attributes
    ----------
    descriptor : Descriptor
    coef, scale : ndarray of shape (n_features,)
    bulk : ndarray of shape (n_features,) or vibentropy.features.extensive.ElementFeatures
    noise_variance : float or None, k_B²
    covariance : ndarray of shape (n_features, n_features) or None, k_B²
    element : str
        Of the perfect crystal, where it has several the first.
    volume_per_atom : float, Å³
    entropy_range : tuple of two floats, k_B
    regressor : str
    provenance : dict
    uncertainty : Uncertainty or None
    """

    descriptor: Descriptor
    coef: NDArray[np.float64]
    bulk: Bulk
    scale: NDArray[np.float64]
    noise_variance: float | None
    covariance: NDArray[np.float64] | None
    element: str
    volume_per_atom: float
    entropy_range: tuple[float, float]
    regressor: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    uncertainty: Uncertainty | None = None

    @classmethod
    def from_fit(
        cls,
        descriptor: Descriptor,
        regressor: Any,
        bulk: Bulk,
        *,
        element: str,
        volume_per_atom: float,
        entropy_range: tuple[float, float],
        uncertainty: Uncertainty | None = None,
        **provenance: Any,
    ) -> "EntropyModel":
        """Make a model of a fitted regressor.

        Parameters
        ----------
        descriptor : Descriptor
            The one that computed the features.
        regressor : estimator
            Fitted, with the protocol of `vibentropy.learning.base`.
        bulk : ndarray of shape (n_features,) or ElementFeatures
            Descriptor of the perfect crystal per atom; with several elements of an atom of each, as from
            `vibentropy.features.extensive.describe_references`.
        element : str
            Chemical symbol of the perfect crystal, where it has several the first.
        volume_per_atom : float
            Of the perfect crystal, Å³.
        entropy_range : sequence of two floats
            Smallest and largest training entropy, k_B.
        uncertainty : Uncertainty, optional
            Of `regressor`, for intervals and the domain.
        **provenance
            Numbers and text: hash of the configuration, seed, name of the data set.

        Returns
        -------
        EntropyModel

        Raises
        ------
        DataError
            If descriptor, regressor and bulk do not have the same number of features.
        """
        sizes = (descriptor.n_features, len(regressor.coef_), len(bulk))
        if len(set(sizes)) > 1:
            raise DataError("the descriptor has {} features, the regressor {}, the bulk reference {}".format(*sizes))
        smallest, largest = entropy_range
        return cls(
            descriptor=descriptor,
            coef=np.asarray(regressor.coef_, dtype=float),
            bulk=bulk if isinstance(bulk, ElementFeatures) else np.asarray(bulk, dtype=float),
            scale=np.asarray(regressor.scale_, dtype=float),
            noise_variance=getattr(regressor, "noise_variance_", None),
            covariance=getattr(regressor, "covariance_", None),
            element=element,
            volume_per_atom=float(volume_per_atom),
            entropy_range=(float(smallest), float(largest)),
            regressor=repr(regressor),
            provenance=provenance | {name: version(name) for name in ("vibentropy", "numpy", "scikit-learn")},
            uncertainty=uncertainty,
        )

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements that the model has learnt from."""
        return self.bulk.elements if isinstance(self.bulk, ElementFeatures) else (self.element,)

    @property
    def reference_needed(self) -> str:
        """Why the model predicts nothing without references, and which to give; empty where it does."""
        if isinstance(self.bulk, ElementFeatures) and self.bulk.conditions is not None:
            return (
                "the model is of random alloys, each compared with a cell of its own: give the same cell without the "
                "defect, then the further reference cells that the model was fitted with,"
            )
        if not self.descriptor.has_local:
            return (
                "the descriptor of the model is defined on the grid of a cell: give the perfect crystal in the cell of "
                "the configurations"
            )
        return ""

    def predict(
        self,
        configurations: Atoms | Iterable[Atoms],
        reference: Atoms | Sequence[Atoms] | DescribedCrystal | None = None,
        within: Within = ignore,
        per_atom: bool = False,
    ) -> pd.DataFrame:
        """Predict formation entropies of relaxed cells.

        Parameters
        ----------
        configurations : ase.Atoms or iterable of ase.Atoms
            Relaxed cells of the crystal that the model was fitted to, with any defects; lengths in Å.
        reference : ase.Atoms, sequence of ase.Atoms or DescribedCrystal, optional
            Perfect crystal to compare with instead of the one of the fit: for strained cells, the crystal under the
            same strain. Any number of cells; a model of several elements needs one cell for each, the perfect crystal
            first. Or what `reference_features` made of it, once for many calls. One that is that of the fit but for
            digits of the lattice constant (a strain of 1e-4) does not put cells outside the domain.
        within : callable
            Called now and then with the share that is done, from 0 to 1; a cell of millions of atoms takes minutes.
        per_atom : bool
            Add the column site_entropies: for each configuration, what `site_entropies` returns.

        Returns
        -------
        pandas.DataFrame
            One row per configuration: formation_entropy (k_B, compared mode by mode), std (k_B, NaN where the model
            has none), n_atoms. With `uncertainty`, before n_atoms also low_68, high_68,
            low_95 and high_95, the ends of calibrated intervals, pops_low_68 and so on up to pops_high_100, those of
            pointwise optimal fits (k_B), and domain: "inside", or "outside: " and why the cell is outside what the
            model knows (`vibentropy.learning.domain`).

        Raises
        ------
        StructureError
            If one is not a periodic crystal of elements of the model or the descriptor refuses it, with its number in
            the list; or if there is no `reference` and the descriptor is no sum over atoms, so that its value for the
            perfect crystal depends on the cell; or if `reference` is another crystal than that of the cell.
        ConfigError
            With `per_atom`, if the descriptor is no sum over atoms.

        Warns
        -----
        UserWarning
            If there is no `reference` and the volume of a cell is not that of a whole number of sites of the model's
            crystal: with another lattice constant, predictions mean little.
        """
        frames = [configurations] if isinstance(configurations, Atoms) else list(configurations)
        if reference is None and self.reference_needed:
            raise StructureError(f"{self.reference_needed} as `reference`")
        described = self.reference_features(reference)
        bulk = self.bulk if described is None else described.features
        # What is described already was compared with the cells by whoever did.
        compared = isinstance(reference, DescribedCrystal)
        X, limits, shares = np.empty((len(frames), len(bulk))), np.empty((len(frames), 2, len(bulk))), []
        for index, atoms in enumerate(frames):
            # Of several, say which one.
            place = [] if isinstance(configurations, Atoms) else [f"configuration {index}"]
            with at(*place):
                self._check(atoms)
                if not compared:
                    self._check_lattice(atoms, described and described.crystal, place)
                try:
                    total, of_atoms, projected = self.descriptor.summary(
                        atoms,
                        self.coef if per_atom else None,
                        lambda share, index=index: within((index + share) / len(frames)),
                    )
                except VibentropyError as error:
                    raise StructureError(str(error)) from error
            X[index] = above_bulk(total, atoms, bulk)
            if of_atoms is not None:
                limits[index] = of_atoms
            if projected is not None:
                shares.append(projected - reference_shares(atoms, bulk, self.coef))
        mean, std = predict_linear(X, self.coef, self.scale, self.noise_variance, self.covariance)
        predicted: dict[str, Any] = {"formation_entropy": mean, "std": std}
        if self.uncertainty is not None:
            Z = X / self.scale
            ranges, crystals = (
                (limits, np.tile(crystal_features(bulk), (len(X), 1))) if self.descriptor.has_local else (None, None)
            )
            words, domain = self.descriptor.in_words(), self.uncertainty.domain
            known: ArrayLike = 0.0
            if described and crystals is not None and domain.differs(crystals).any():
                known = described.uncertainty
            intervals = self.uncertainty.intervals(Z, crystals, known)
            predicted |= {end: mean + offset for end, offset in intervals.items()}
            predicted["domain"] = [verdict(reason) for reason in domain.reasons(Z, ranges, crystals, words, known)]
        predicted["n_atoms"] = [len(atoms) for atoms in frames]
        return pd.DataFrame(predicted | ({"site_entropies": shares} if per_atom else {}))

    def reference_features(
        self, reference: Atoms | Sequence[Atoms] | DescribedCrystal | None = None
    ) -> DescribedCrystal | None:
        """Describe the perfect crystal that cells are compared with, once for many calls of `predict`.

        Parameters
        ----------
        reference : ase.Atoms, sequence of ase.Atoms or DescribedCrystal, optional
            As for `predict`.

        Returns
        -------
        DescribedCrystal or None
            None without `reference`: the crystal of the fit.

        Raises
        ------
        StructureError
            If a reference is no periodic crystal of elements of the model, that of a model of one element has a defect,
            or those of one of several do not say what an atom of each counts.
        """
        if reference is None or isinstance(reference, DescribedCrystal):
            return reference
        cells = [reference] if isinstance(reference, Atoms) else list(reference)
        with at("the reference"):
            for cell in cells:
                self._check(cell)
            if len(cells) != len(self.elements):
                raise StructureError(
                    f"{len(cells)} cell{'s' * (len(cells) != 1)} for a model of {self._named}, expected one for each "
                    "element, the perfect crystal first"
                )
            ReferenceCells.of(cells)  # Which checks them.
            described = DescribedCrystal.of(self.descriptor, cells[0], cells[1:])
            self._check_conditions(described.features)
        return described

    def site_entropies(
        self,
        atoms: Atoms,
        reference: Atoms | Sequence[Atoms] | DescribedCrystal | None = None,
        within: Within = ignore,
    ) -> NDArray[np.float64]:
        """Contribution of each atom to the formation entropy that `predict` returns.

        Parameters
        ----------
        atoms : ase.Atoms
        reference, within
            As for `predict`.

        Returns
        -------
        ndarray of shape (n_atoms,), k_B
            Relative to an atom of the perfect crystal, or of its element in the references. They add up to the
            formation entropy, compared mode by mode.

        Raises
        ------
        StructureError
            As `predict`.
        ConfigError
            If the descriptor is no sum over atoms.
        """
        self._check(atoms)
        if reference is None and self.reference_needed:
            raise StructureError(f"{self.reference_needed} as `reference`")
        described = self.reference_features(reference)
        bulk = self.bulk if described is None else described.features
        return self.descriptor.project(atoms, self.coef, within) - reference_shares(atoms, bulk, self.coef)

    def _check_conditions(self, bulk):
        """Refuse a random alloy whose further references are not those of the fit."""
        if not isinstance(self.bulk, ElementFeatures) or self.bulk.conditions is None:
            return
        found = None if not isinstance(bulk, ElementFeatures) else bulk.conditions
        expected = self.bulk.conditions
        if found is None:
            raise StructureError("a crystal, expected the cell of a random alloy, as the model was fitted to")
        if not np.allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()):
            raise StructureError(
                "the cells after the first say what an atom of each element counts: expected those that the model was "
                "fitted with"
            )

    def __repr__(self) -> str:
        kind = kind_of(type(self.descriptor))
        return f"<EntropyModel of {self._named}: {kind}, {len(self.coef)} features, {self.regressor}>"

    def facts(self) -> dict[str, Any]:
        """Say what the model is: what `vibentropy info` prints of it, and notebooks show.

        Returns
        -------
        dict of str
            Text, numbers, and ranges (k_B), by their names.
        """
        try:
            described = recipe_in_words(recipe(self.descriptor))
        except ConfigError:  # made with an object, such as a potential
            described = repr(self.descriptor)
        deviations = "standard deviations, " if self.covariance is not None else ""
        return {
            "validity": self.validity(),
            "descriptor": described,
            "features": self.descriptor.n_features,
            "per-atom shares": bool(self.descriptor.has_local),
            "regressor": self.regressor,
            "element": self._named,
            # With the digits that a million atoms need.
            "volume per atom": f"{self.volume_per_atom:.10g} Å³",
            "training entropies": list(self.entropy_range),
            "error bars": deviations + ("calibrated intervals and domain" if self.uncertainty else "none"),
        }

    def _repr_html_(self) -> str:
        """Show in a notebook what the model is."""
        return as_table(f"EntropyModel of {self._named}", self.facts())

    def with_provenance(self, **provenance: Any) -> "EntropyModel":
        """Copy the model with more said about where it comes from.

        Parameters
        ----------
        **provenance
            Added to the `provenance` of the model, in place of entries of the same name. `validity` lists those that it
            tells users of.

        Returns
        -------
        EntropyModel
        """
        return replace(self, provenance={**self.provenance, **provenance})

    def scope(self) -> str:
        """Say in words what the model is for.

        Returns
        -------
        str
            From the provenance, as for `validity`: such as "defects in bcc Fe, from positions only".
        """
        about = self.provenance
        needs = "positions and the potential" if self.descriptor.needs_potential else "positions only"
        of = about.get("crystal", self._named)
        of += f" with the potential {about['potential']}" if "potential" in about else ""
        return f"defects in {of}, from {needs}"

    def validity(self) -> str:
        """Say in words what the model was fitted to, and how large its errors are for other configurations.

        Returns
        -------
        str
            Sentences. Most of it comes from the provenance: ``crystal`` and ``potential`` (text), ``trained_on``
            (numbers of minima by data set), ``trained_classes`` and ``trained_sites`` (text), ``held_out`` (mean
            absolute error, k_B) and ``tests`` (the same by name). What it does not say is left out.
        """
        about = self.provenance
        trained_on = about.get("trained_on", {})
        trained_on = sum(trained_on.values()) if isinstance(trained_on, dict) else trained_on
        minima = f"{trained_on} minima" if trained_on else "minima"
        minima += f" ({about['trained_classes']})" if "trained_classes" in about else ""
        minima += f" in cells of {about['trained_sites']} sites" if "trained_sites" in about else ""
        low, high = self.entropy_range
        text = f"For {self.scope()}. Fitted to {minima} with entropies of {low:.1f} to {high:.1f} k_B."
        errors = [(name.replace("_", " "), error) for name, error in about.get("tests", {}).items()]
        if "held_out" in about:
            errors.insert(0, ("held-out minima", about["held_out"]))
        if errors:
            text += " Mean absolute errors: " + ", ".join(f"{name} {error:.2g}" for name, error in errors) + " k_B."
        return text

    @property
    def _named(self):
        return " and ".join(self.elements)

    def save(self, path: str | Path, **attributes: Any) -> None:
        """Write the model to HDF5; see `vibentropy.model.files` for the layout.

        Files that the descriptor reads stay where they are: their paths are written as seen from the folder of `path`.

        Parameters
        ----------
        path : path-like
        **attributes
            Provenance, as for `vibentropy.files.hdf5.create`.
        """
        write_model(path, vars(self), **attributes)

    @classmethod
    def load(cls, path: str | Path = DEFAULT) -> "EntropyModel":
        """Read a model that `save` wrote; its predictions are the same to the last bit.

        Nothing is executed on the word of a file: a descriptor that is neither of this package nor an entry point of
        an installed one must have been imported before.

        Parameters
        ----------
        path : path-like
            A file, or the name of a model of bcc iron that comes with the package: ``iron``, the default;
            ``iron-law``, from positions, too, closer and slower; or ``iron-stiffness``, closer still, which asks the
            potential. `validity` says what they know.

        Returns
        -------
        EntropyModel

        Raises
        ------
        DataError
            As `vibentropy.model.files.read_model`.
        """
        return cls(**read_model(SHIPPED.get(str(path), path)))

    def _check(self, atoms):
        """Refuse what is not a crystal of elements of the model."""
        check_crystal(atoms)
        if len(self.elements) == 1:
            check_one_element(atoms)
        others = sorted(set(atoms.get_chemical_symbols()) - set(self.elements))
        if others and len(self.elements) == 1:
            raise StructureError(f"a crystal of {others[0]}; the model is of {self.element}")
        if others:
            raise StructureError(f"the configuration holds {' and '.join(others)}; the model is of {self._named}")

    def _check_lattice(self, atoms, reference, place=()):
        """Refuse a reference that is another crystal; warn where none is given and the one of the model does not fit.

        A lattice constant that is off changes the prediction by so much per atom.
        """
        if reference is not None:
            count_reference_sites(atoms, reference)
        else:
            crystal = f"the crystal that the model was fitted to ({self.volume_per_atom:.10g} Å³ each)"
            remedy = (
                "another lattice constant, or a strained cell? The prediction is off by the difference of the two "
                "crystals: give the perfect crystal in this cell as `reference`"
            )
            size = (atoms.get_volume() / len(atoms) / self.volume_per_atom) ** (1 / 3)
            if not 1 / MAX_SCALE < size < MAX_SCALE:
                remedy = "are its lengths in Å? The prediction means nothing if they are not"
            try:
                n_sites = count_sites(atoms, self.volume_per_atom, crystal, remedy)
                if abs(n_sites - len(atoms)) > MAX_VACANT * n_sites:
                    raise StructureError(
                        f"the cell has {len(atoms)} atoms in the volume of {n_sites} sites of {crystal}: {remedy}"
                    )
            except StructureError as error:
                error.locate(*place)
                warnings.warn(str(error), stacklevel=3)
