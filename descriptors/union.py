"""Several descriptors side by side."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from vibentropy.descriptors import create
from vibentropy.descriptors.base import Descriptor, Summary
from vibentropy.descriptors.parameters import SPECIES, Parameter, Parts
from vibentropy.errors import ConfigError
from vibentropy.files.progress import Within, ignore

#: Pairs of neighbours, and triples of them.
DEFAULT = {"afs": {"kind": "afs"}, "snap": {"kind": "snap"}}


class Union(Descriptor):
    """The features of several descriptors, one after the other.

    Parameters
    ----------
    parts : dict of str to dict, optional
        Kind and parameters of each descriptor, under a name that its features begin with. Their order is that of the
        names in the alphabet, because a mapping in YAML has none. By default Angular Fourier Series and bispectrum.
    species : list of str, optional
        Elements to tell apart, for all parts; by default all atoms must be of one element.
    """

    parameters: ClassVar[dict[str, Parameter]] = {
        "parts": Parts("descriptors without species, by name", null="afs and snap as they are by default"),
        "species": SPECIES,
    }
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "parts": {
                "b": {"kind": "afs", "n_max": 2, "l_max": 3, "r_cut": 4.0},
                "a": {"kind": "snap", "twojmax": 2, "r_cut": 3.0},
            },
        },
        {
            "parts": {
                "pairs": {"kind": "acsf", "r_cut": 4.0, "g4": []},
                "more": {"kind": "union", "parts": {"x": {"kind": "afs", "n_max": 1, "l_max": 2, "r_cut": 3.5}}},
            },
            "species": ["Fe", "Cr"],
        },
    )

    def __init__(self, parts: dict[str, dict[str, Any]] | None = None, species: list[str] | None = None) -> None:
        self.parts = parts
        self.species = species

    def check_parameters(self) -> None:
        """Check the parameters; see `Descriptor.check_parameters`."""
        super().check_parameters()
        _build(self._recipe)

    @property
    def feature_names(self) -> list[str]:
        """``name.A_n1_l0``: the name of the part, and that of the feature in it."""
        return [f"{name}.{feature}" for name, part in self._parts.items() for feature in part.feature_names]

    def in_words(self, names: Sequence[str] | None = None) -> list[str]:
        """Say what each feature of an atom is, as the parts do; see `Descriptor.in_words`."""
        left = list(names or self.feature_names)
        words = []
        for part in self._parts.values():
            words += part.in_words(left[: part.n_features])
            left = left[part.n_features :]
        return words

    @property
    def feature_blocks(self) -> list[str]:
        """Each part is a block, ``pairs.all``; a union in it has a block for each of its own parts."""
        return [f"{name}.{block}" for name, part in self._parts.items() for block in part.feature_blocks]

    @property
    def has_local(self) -> bool:  # type: ignore[override]
        """Whether all parts have local values."""
        return all(part.has_local for part in self._parts.values())

    @property
    def needs_potential(self) -> bool:
        """Whether any part asks a potential."""
        return any(part.needs_potential for part in self._parts.values())

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """Largest tolerance of the parts."""
        return max(part.tolerance for part in self._parts.values())

    @property
    def continuous(self) -> bool:  # type: ignore[override]
        """Whether all parts are continuous."""
        return all(part.continuous for part in self._parts.values())

    @property
    def everywhere(self) -> bool:  # type: ignore[override]
        """Whether all parts are defined everywhere."""
        return all(part.everywhere for part in self._parts.values())

    @property
    def reach(self) -> float | None:
        """Longest reach of the parts; None if there is a part without."""
        reaches = [part.reach for part in self._parts.values()]
        return None if None in reaches else max(reaches)

    @property
    def seconds_per_atom(self) -> float:  # type: ignore[override]
        """Cost of all parts together."""
        return sum(part.seconds_per_atom for part in self._parts.values())

    def summary(self, atoms: Atoms, weights: NDArray[np.float64] | None = None, within: Within = ignore) -> Summary:
        """Describe a cell by all parts; see `Descriptor.summary`."""
        self._check(atoms)
        of_parts: list[NDArray[np.float64] | None] = [None] * len(self._parts)
        if weights is not None:
            self._check_local()
            ends = np.cumsum([part.n_features for part in self._parts.values()])
            of_parts = list(np.split(weights, ends[:-1]))
        arguments = zip(self._parts.values(), of_parts, self._watch(within), strict=True)
        totals, limits, projected = zip(*(part.summary(atoms, *of_part) for part, *of_part in arguments), strict=True)
        return Summary(
            np.concatenate(totals),
            np.hstack(limits) if self.has_local else None,
            None if weights is None else sum(projected),
        )

    def local(self, atoms: Atoms) -> NDArray[np.float64]:
        """Descriptor of each atom; see `LocalDescriptor.local`.

        Raises
        ------
        ConfigError
            If a parameter is not valid, or a part has no local values.
        """
        self._check(atoms)
        self._check_local()
        return np.hstack([part.local(atoms) for part in self._parts.values()])

    def _check_local(self):
        for name, part in self._parts.items():
            if not part.has_local:
                raise ConfigError(f"part {name!r} has no values per atom: use total() instead")

    def _watch(self, within):
        """Progress of each part, all of which are taken to last as long."""
        n = len(self._parts)
        return [lambda share, k=k: within((k + share) / n) for k in range(n)]

    @property
    def _parts(self):
        return _build(self._recipe)

    @property
    def _recipe(self):
        parts = DEFAULT if self.parts is None else self.parts
        return json.dumps({"parts": parts, "species": self.species}, sort_keys=True)

    def _total(self, atoms):
        return np.concatenate([part.total(atoms) for part in self._parts.values()])


@lru_cache
def _build(recipe):
    """Build the parts, once for each text: looking kinds up costs as much as describing a small cell."""
    recipe = json.loads(recipe)
    parts = {}
    for name, specification in recipe["parts"].items():
        try:
            parts[name] = create(**specification, species=recipe["species"])
        except ConfigError as error:
            raise ValueError(f"part {name!r}: {error}") from error
    return parts
