"""The configuration of a run after it was checked: one class for each section that the code asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vibentropy.labels.determinants import MAX_FORCE, MIN_EIGENVALUE
from vibentropy.sources.lattice import Lattice
from vibentropy.sources.source import Source, source_of


@dataclass(frozen=True)
class Duplicates:
    """Which labelled minima of one number of atoms and of sites repeat each other.

    Attributes
    ----------
    energy : float
        Energies agree within this, eV.
    entropy : float
        Entropies agree within this, k_B.
    exclude : bool
        Leave duplicates out of fit and evaluation.
    """

    energy: float = 1e-4
    entropy: float = 1e-3
    exclude: bool = True

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that decide which minima are marked, without what becomes of those."""
        return {"energy": self.energy, "entropy": self.entropy}


@dataclass(frozen=True)
class Labels:
    """Settings of the labels: what a configuration has to pass, and what is computed of it.

    Attributes
    ----------
    max_force : float
        Largest force with which a configuration counts as relaxed, eV/Å.
    min_eigenvalue : float
        Smallest eigenvalue of the Hessian with which it counts as a minimum, eV/Å²: ``minimum_eigenvalue`` in YAML.
    site_entropies : bool
        Resolve each computed entropy by atoms.
    temperatures : tuple of float
        At which quantum harmonic entropies are added, K.
    duplicates : Duplicates
    """

    max_force: float = MAX_FORCE
    min_eigenvalue: float = MIN_EIGENVALUE
    site_entropies: bool = False
    temperatures: tuple[float, ...] = ()
    duplicates: Duplicates = field(default_factory=Duplicates)

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Labels:
        """Build the settings of labels from their block of the configuration.

        This is the only place where the two names of the smallest eigenvalue meet.

        Parameters
        ----------
        block : dict
            What it leaves out takes its default.

        Returns
        -------
        Labels
        """
        values = {"min_eigenvalue" if key == "minimum_eigenvalue" else key: value for key, value in block.items()}
        if "temperatures" in values:
            values["temperatures"] = tuple(values["temperatures"])
        return cls(**values | {"duplicates": Duplicates(**values.get("duplicates", {}))})

    @property
    def gates(self) -> dict[str, float]:
        """What a configuration has to pass to get its label, as arguments of functions that label."""
        return {"max_force": self.max_force, "min_eigenvalue": self.min_eigenvalue}

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that labels depend on, as arguments of `vibentropy.labels.labelling.Labeller`."""
        return self.gates | {"site_entropies": self.site_entropies, "temperatures": list(self.temperatures)}


@dataclass(frozen=True)
class Evaluation:
    """Settings of the evaluation: how errors are measured.

    Attributes
    ----------
    folds : int
    split : tuple of str
        Ways to divide training rows into folds.
    tests : dict of str to tuple of str
        Data sets by the name of the test that they are given together as.
    one_in : dict of str to (int or dict of str to int)
        By descriptor, learn from one training configuration in so many; of all data sets, or by data set.
    tested_on : dict of str to tuple of str
        By descriptor, the only data sets of role test that it is tested on.
    """

    folds: int = 5
    split: tuple[str, ...] = ("groups",)
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one_in: Mapping[str, int | Mapping[str, int]] = field(default_factory=dict)
    tested_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Evaluation:
        """Build the settings of the evaluation from their block of the configuration.

        Parameters
        ----------
        block : dict
            One way to divide rows needs no list. What it leaves out takes its default.

        Returns
        -------
        Evaluation
        """
        values = dict(block)
        if "split" in values:
            values["split"] = (values["split"],) if isinstance(values["split"], str) else tuple(values["split"])
        for key in ("tests", "tested_on"):
            values[key] = {name: tuple(sets) for name, sets in values.get(key, {}).items()}
        return cls(**values)


@dataclass(frozen=True)
class Config:
    """The configuration of a run, checked: its data sets, potential, descriptors and regressors.

    Attributes
    ----------
    sources : dict of str to Source
        Data sets.
    descriptors, regressors : dict of str to dict
        Their blocks, for `vibentropy.descriptors.create` and `vibentropy.learning.registry.create_regressor`.
    potential : dict or None
        Its block, for `vibentropy.potentials.from_config.load_potential`.
    lattice : Lattice or None
    labels : Labels
    evaluation : Evaluation
    results : str
        Folder that everything is written to.
    reference_work : str or None
        Potential of the reference work that models are compared with.
    seed : int
        Of all random numbers.
    shard_size : int
        Largest number of configurations that one job works on.
    resolved : int
        Training minima whose entropies `snakemake data` resolves by atoms.
    block : dict
        The configuration as `validate` returned it, for hashes, for records and for what targets on demand are told.
    """

    sources: Mapping[str, Source]
    descriptors: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    regressors: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    potential: Mapping[str, Any] | None = None
    lattice: Lattice | None = None
    labels: Labels = field(default_factory=Labels)
    evaluation: Evaluation = field(default_factory=Evaluation)
    results: str = "results"
    reference_work: str | None = None
    seed: int = 2020
    shard_size: int = 150
    resolved: int = 0
    block: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_block(cls, block: Mapping[str, Any]) -> Config:
        """Build the settings of a run from a configuration that was checked.

        Parameters
        ----------
        block : dict
            From `vibentropy.run.config.validate`.

        Returns
        -------
        Config
        """
        potential = block.get("potential") or {}
        host = next(iter(potential.get("elements") or ()), potential.get("element"))
        lattice = Lattice.from_block(block["lattice"], host) if block.get("lattice") else None
        plain = ("descriptors", "regressors", "potential", "results", "reference_work", "seed", "shard_size")
        return cls(
            sources={name: source_of(name, dataset, lattice) for name, dataset in block["datasets"].items()},
            lattice=lattice,
            labels=Labels.from_block(block.get("labels", {})),
            evaluation=Evaluation.from_block(block.get("evaluation", {})),
            resolved=block.get("data", {}).get("resolved", 0),
            block=block,
            **{key: block[key] for key in plain if key in block},
        )

    def with_role(self, role: str) -> dict[str, Source]:
        """Select the data sets of a role.

        Parameters
        ----------
        role : str
            ``train`` or ``test``.

        Returns
        -------
        dict of str to Source
            By name.
        """
        return {name: source for name, source in self.sources.items() if source.role == role}

    def one_in(self, descriptor: str, dataset: str) -> int:
        """Tell of how many configurations of a data set one is described.

        Parameters
        ----------
        descriptor, dataset : str
            Their names in the configuration.

        Returns
        -------
        int
            1 for data sets of role test.
        """
        if self.sources[dataset].role != "train":
            return 1
        one_in = self.evaluation.one_in.get(descriptor, 1)
        return one_in if isinstance(one_in, int) else one_in.get(dataset, 1)

    def described_by(self, descriptor: str) -> list[str]:
        """List the data sets that a descriptor has features of.

        Parameters
        ----------
        descriptor : str
            Its name in the configuration.

        Returns
        -------
        list of str
            Those to learn from, and those that it is tested on.
        """
        tested = self.evaluation.tested_on.get(descriptor, tuple(self.sources))
        return [name for name, source in self.sources.items() if source.role == "train" or name in tested]

    @property
    def generated(self) -> list[str]:
        """Data sets of the run that are made from a recipe."""
        return [name for name, source in self.sources.items() if source.generated]

    @property
    def computed(self) -> list[str]:
        """Data sets of the run whose entropies are computed."""
        return [name for name, source in self.sources.items() if source.computed]
