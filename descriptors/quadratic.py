"""Products of the features of each atom."""

import json
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from ase.build import bulk

from vibentropy.descriptors import create
from vibentropy.descriptors.base import LocalDescriptor
from vibentropy.descriptors.parameters import SPECIES, Choice, Number, Parameter, Part, Record
from vibentropy.errors import ConfigError

#: Numbers that are held at a time.
MAX_NUMBERS = 2**22


class Quadratic(LocalDescriptor):
    """The features of another descriptor and all products of two of them, atom by atom; twice its body order.

    With x_i the n features of atom i, those of a cell are ``Σ_i x_ia`` and, for a ≤ b,
    ``Σ_i (x_ia - c_a)(x_ib - c_b)``: n (n + 3) / 2 in all. A linear model of them is a quadratic form of the
    surroundings of each atom, summed over atoms.

    These products are extensive, because they are formed before the sum: a cell repeated m times has m times of each,
    and distant defects add up. Products of the sums, ``X_a X_b`` of the extensive features of a cell, are not: they
    grow with the square of the number of defects, and a cell with two distant ones has, besides those of each, a mixed
    term that says nothing but that they are in one cell. They are not offered. Dividing them by the number of atoms
    does not help: the mixed term stays, and a defect would count less in a larger cell.

    c is zero, or what an atom of a perfect crystal has. A model can say the same with either: centred products are
    plain ones minus c times linear features, which is why the linear ones are there, and a constant for each atom,
    which goes when the perfect crystal is subtracted. Numerically they differ. In a crystal x is near c, and plain
    products repeat the linear features up to terms of second order, which a penalty on the weights then suppresses
    first; centred products are these terms of second order. The crystal has to be named, because a descriptor sees one
    cell at a time.

    Parameters
    ----------
    of : dict, optional
        Kind and parameters of the descriptor, without species. It has local values. By default Angular Fourier Series.
    crystal : dict, optional
        ``structure`` (sc, bcc, fcc or diamond) and ``a``, the edge of its cubic cell in Å, of the perfect crystal with
        one element that products are centred on; by default they are not centred.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "of": Part("descriptor without species that has values for each atom", null="afs as it is by default"),
        "crystal": Record(
            "perfect crystal whose features the products are centred on",
            null="products that are not",
            fields={
                "structure": Choice("crystal structure", among=("sc", "bcc", "fcc", "diamond")),
                "a": Number("edge of the cubic cell", unit="Å", above=0),
            },
        ),
        "species": SPECIES,
    }
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"of": {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}, "crystal": {"structure": "bcc", "a": 2.87}},
        {"of": {"kind": "two_body", "n_max": 2, "r_cut": 4.0}, "species": ["Fe", "Cr"]},
    )

    def __init__(
        self, of: dict[str, Any] | None = None, crystal: dict[str, Any] | None = None, species: list[str] | None = None
    ) -> None:
        self.of = of
        self.crystal = crystal
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        if self.crystal is not None and self.species is not None:
            raise ValueError(f"species == {self.species!r}, must be left out with a crystal, which has one element.")
        if not self._part.has_local:
            raise ValueError("of: has no values per atom to form products of.")

    @property
    def feature_names(self) -> list[str]:
        """Those of the descriptor, then ``A_n1_l0*A_n1_l1``."""
        names = self._part.feature_names
        return [*names, *(f"{names[a]}*{names[b]}" for a, b in zip(*np.triu_indices(len(names)), strict=True))]

    @property
    def needs_potential(self) -> bool:
        """Whether the descriptor that is multiplied asks a potential."""
        return self._part.needs_potential

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """Twice the tolerance of the descriptor: each product has two factors."""
        return 2 * self._part.tolerance

    @property
    def continuous(self) -> bool:  # type: ignore[override]
        """Whether the descriptor that is multiplied is continuous."""
        return self._part.continuous

    @property
    def everywhere(self) -> bool:  # type: ignore[override]
        """Whether the descriptor that is multiplied is defined everywhere."""
        return self._part.everywhere

    @property
    def seconds_per_atom(self) -> float:  # type: ignore[override]
        """Cost of the descriptor that is multiplied: products add little to it."""
        return self._part.seconds_per_atom

    @property
    def reach(self) -> float | None:
        """Reach of the descriptor that is multiplied."""
        return self._part.reach

    @property
    def _part(self):
        return _build(self._recipe)

    @property
    def _recipe(self):
        return json.dumps({"of": self.of or {"kind": "afs"}, "species": self.species}, sort_keys=True)

    def _blocks(self, atoms):
        part, everyone = self._part, np.arange(len(atoms))
        # Unions offer all atoms at once only.
        parts = part._blocks(atoms) if isinstance(part, LocalDescriptor) else [(everyone, part.local(atoms))]
        centre = 0.0
        if self.crystal is not None:
            centre = _of_crystal(self._recipe, json.dumps(self.crystal, sort_keys=True), str(atoms.symbols[0]))
        first, second = np.triu_indices(part.n_features)
        height = max(1, MAX_NUMBERS // (len(first) + part.n_features))
        for centres, block in parts:
            rows = everyone[centres]
            for start in range(0, len(rows), height):
                features = block[start : start + height]
                away = features - centre
                yield rows[start : start + height], np.hstack([features, away[:, first] * away[:, second]])


@lru_cache
def _build(recipe):
    """Build the descriptor, once for each text: looking kinds up costs as much as describing a small cell."""
    recipe = json.loads(recipe)
    try:
        return create(**recipe["of"], species=recipe["species"])
    except ConfigError as error:
        raise ValueError(f"of: {error}") from error


@lru_cache
def _of_crystal(recipe, crystal, element):
    """Features of an atom of the perfect crystal, ndarray of shape (n_features,)."""
    crystal = json.loads(crystal)
    return _build(recipe).local(bulk(element, crystal["structure"], a=crystal["a"]))[0]
