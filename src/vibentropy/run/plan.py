"""What the workflow asks for: which files and jobs a configuration leads to.

Rules of Snakemake ask a `Plan`, which knows nothing of Snakemake: its answers are names, lists and text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from vibentropy import descriptors
from vibentropy.descriptors import recipe
from vibentropy.descriptors.nesting import walk
from vibentropy.errors import ConfigError, did_you_mean
from vibentropy.learning.registry import find_regressor
from vibentropy.potentials.from_config import has_hessian, is_tabulated, potential_files
from vibentropy.run.settings import Config
from vibentropy.run.source_files import source_files
from vibentropy.sources.made_cells import RANDOM_CELLS, REFERENCES, beside
from vibentropy.sources.random_alloys import KEYS
from vibentropy.sources.reference_work import SOURCE, counterparts
from vibentropy.sources.source import Source

#: Models that come with the package: a fast one from positions alone, the best of those, and the best that asks the
#: potential.
SHIPPED = {
    "iron": {"descriptor": "pairs_afs", "regressor": "ridge"},
    "iron-law": {"descriptor": "law", "regressor": "ridge"},
    "iron-stiffness": {"descriptor": "stiffness", "regressor": "ridge"},
}

#: Options of Snakemake with which it computes nothing, and a look at the plan needs no check of what would run.
_LOOKS = {
    *("--unlock", "--lint", "--report", "--reporter", "--summary", "-S", "--detailed-summary", "-D", "--list-rules"),
    *("--list", "-l", "--list-target-rules", "--lt", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--archive"),
    *("--print-compilation", "--containerize", "--cleanup-metadata", "--cm", "--cleanup-shadow", "--list-untracked"),
    *(
        "--list-changes",
        "--lc",
        "--list-input-changes",
        "--li",
        "--list-params-changes",
        "--lp",
        "--conda-cleanup-envs",
    ),
    *("--list-conda-envs", "--conda-create-envs-only", "--container-cleanup-images", "--delete-all-output"),
    *("--delete-temp-output", "--generate-unit-tests"),
}


def only_looks(arguments: Iterable[str]) -> bool:
    """Tell whether Snakemake was called to look at, unlock or clean up a run, and not to compute or plan one.

    Snakemake itself says so only after the rules have been read.

    Parameters
    ----------
    arguments : iterable of str
        Of its command line.

    Returns
    -------
    bool
    """
    options = {argument.partition("=")[0] for argument in arguments}
    return bool(options & _LOOKS) and "--report-after-run" not in options


class Plan:
    """Answers to what the rules of the workflow ask about a run.

    Parameters
    ----------
    config : Config
    count_everything : bool
        Whether shards are cut by counting what is in all files of a data set, as the process has to that plans the run;
        jobs count no more than the files of their shard.

    Attributes
    ----------
    config : Config
    training, tested : list of str
        Data sets by their role.
    generated : list of str
        Data sets that are made from a recipe.
    computed : list of str
        Data sets whose entropies are computed.
    checked : list of str
        Data sets with faults that show only when all their configurations are there.
    read_first : list of str
        Data sets that are read before other work is begun.
    """

    def __init__(self, config: Config, count_everything: bool = True) -> None:
        self.config = config
        self.training = list(config.with_role("train"))
        self.tested = list(config.with_role("test"))
        self.generated = config.generated
        self.computed = config.computed
        self.checked = [name for name, source in config.sources.items() if source.checked_as_a_whole]
        self.read_first = [name for name, source in config.sources.items() if source.read_first]
        self._count_everything = count_everything
        self._shards: dict[str, dict[str, Any]] = {}

    # Folders and files

    @property
    def name(self) -> str:
        """What the run is called beside others: the potential that it is compared with, or its folder."""
        return self.config.reference_work or Path(self.config.results).absolute().name

    @property
    def table(self) -> str:
        """File of the fine table of an embedded-atom potential for LAMMPS."""
        return f"{self.config.results}/potential/table.eam.alloy"

    @property
    def lattice(self) -> str:
        """File of the crystal at rest that recipes start from."""
        return f"{self.config.results}/potential/lattice.json"

    @property
    def reference_cells(self) -> str:
        """File of the cells that atoms of further elements are compared with."""
        return str(beside(self.lattice, REFERENCES))

    @property
    def random_cells(self) -> str:
        """File of the cells of a random alloy that trajectories start from."""
        return str(beside(self.lattice, RANDOM_CELLS))

    @property
    def random_sizes(self) -> list[list[int]]:
        """Sizes of these, of all recipes together; none where the crystal is no random alloy."""
        if self.config.lattice is None or self.config.lattice.random is None:
            return []
        return [list(cell) for cell in sorted({cell for name in self.generated for cell in self.source(name).sizes})]

    @property
    def random_alloy(self) -> dict[str, Any]:
        """Keys of the lattice that a random alloy is made of; none where the crystal is none."""
        block = self.config.block.get("lattice") or {}
        return {key: block[key] for key in KEYS if key in block}

    @property
    def crystal(self) -> dict[str, Any] | None:
        """Block of the lattice, without reference cells and numbers of random ones, which no crystal depends on."""
        block = self.config.block.get("lattice")
        left_out = "references", "arrangements"
        return {key: value for key, value in block.items() if key not in left_out} if block else block

    @property
    def tabulated(self) -> bool:
        """Whether there is a fine table of the potential for LAMMPS, as for embedded atoms."""
        return self.config.potential is not None and is_tabulated(self.config.potential)

    @property
    def analytic(self) -> bool:
        """Whether the potential has a Hessian that no step has to be tested for."""
        return self.config.potential is not None and has_hessian(self.config.potential)

    @property
    def potential_files(self) -> list[str]:
        """Files of the potential; none where the configuration names none."""
        return [str(file) for file in potential_files(self.config.potential)] if self.config.potential else []

    # Data sets

    def source(self, dataset: str) -> Source:
        """Look up the settings of a data set of this run by its name.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        Source
        """
        return self.config.sources[dataset]

    def about(self, dataset: str) -> dict[str, Any]:
        """Tell what jobs need to know about a data set, see `Source.about`.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        dict
            A block without the content of the data set.
        """
        return self.source(dataset).about()

    def shards(self, dataset: str) -> dict[str, Any]:
        """Tell what is in the shards of a data set, by name, see `Source.shards`.

        Files are read through to count what is in them, once: ask from functions of what no shard needs.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        dict of str
            Lists and text for `Source.read`.

        Raises
        ------
        DataError
            If a file cannot be used, as far as counting shows it.
        """
        if dataset not in self._shards:
            self._shards[dataset] = self.source(dataset).shards(self.config.shard_size)
        return self._shards[dataset]

    def content(self, dataset: str, shard: str) -> Any:
        """Tell what is in one shard of a data set.

        Parameters
        ----------
        dataset, shard : str

        Returns
        -------
        list or str
            For `Source.read`.

        Raises
        ------
        DataError
            As `shards`.
        """
        if self._count_everything or dataset in self._shards:
            return self.shards(dataset)[shard]
        return self.source(dataset).content(shard, self.config.shard_size)

    def every_shard(self, datasets: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """List all shards of data sets.

        Parameters
        ----------
        datasets : iterable of str, optional
            All of the run by default.

        Returns
        -------
        list of (str, str)
            Data set and shard.
        """
        names = self.config.sources if datasets is None else datasets
        return [(dataset, shard) for dataset in names for shard in self.shards(dataset)]

    def sites(self, dataset: str, shard: str) -> int | None:
        """Count the sites of the largest cell of a shard of a recipe or an archive.

        Parameters
        ----------
        dataset, shard : str

        Returns
        -------
        int or None
            None for files, which are not opened for this.
        """
        source = self.source(dataset)
        return source.sites_of(self.content(dataset, shard)) if source.knows_sites else None

    def references(self, dataset: str) -> list[str]:
        """List the files that say which perfect crystal a data set belongs to.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        list of str
            Paths.
        """
        return self.source(dataset).references(self.lattice)

    def lattice_of(self, datasets: Iterable[str]) -> str | list[str]:
        """Name the file of the lattice where one of these data sets is made from it.

        Parameters
        ----------
        datasets : iterable of str

        Returns
        -------
        str or list
            Path; an empty list where there is none to name.
        """
        return self.lattice if any(self.source(dataset).generated for dataset in datasets) else []

    def references_of(self, datasets: Iterable[str]) -> list[str]:
        """List the files of what data sets are compared with, without that of `lattice_of`, each once.

        Parameters
        ----------
        datasets : iterable of str

        Returns
        -------
        list of str
            Paths.
        """
        files = (file for dataset in datasets for file in self.references(dataset) if file != self.lattice)
        return list(dict.fromkeys(files))

    def source_code(self, *datasets: str) -> list[str]:
        """List the source files that data sets of these kinds are made or read by.

        Parameters
        ----------
        *datasets : str

        Returns
        -------
        list of str
            Paths, as from `vibentropy.run.source_files.source_files`.
        """
        return source_files(*sorted({type(self.source(dataset)).__module__ for dataset in datasets}))

    def workshop(self, dataset: str) -> dict[str, Any]:
        """Tell what a recipe is made with beside files, see `vibentropy.sources.source.Workshop`.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        dict
            Potential and seed; empty for data sets that are read.
        """
        made = {"potential": self.config.potential, "seed": self.config.seed}
        return made if self.source(dataset).generated else {}

    # Evaluation

    @property
    def splits(self) -> list[str]:
        """Ways to divide training rows into folds."""
        return list(self.config.evaluation.split)

    @property
    def named_tests(self) -> dict[str, list[str]]:
        """Data sets by the name of the test that they are given together as, as the configuration has them."""
        return {name: list(datasets) for name, datasets in self.config.evaluation.tests.items()}

    @property
    def tests(self) -> dict[str, list[str]]:
        """Data sets of each test for tables and figures: without names, all of role test are one test, `test`."""
        return self.named_tests or ({"test": self.tested} if self.tested else {})

    @property
    def counterparts(self) -> dict[str, str]:
        """Models of this run, as descriptor/regressor, that the reference work has errors of, by descriptor.

        The regressor is Bayesian ridge as in the article, if there is one, or the first.
        """
        bayesian = [name for name, block in self.config.regressors.items() if block["kind"] == "bayesian_ridge"]
        regressor = (bayesian or list(self.config.regressors))[0]
        found = counterparts(self.config.reference_work, self.config.descriptors)
        return {name: f"{name}/{regressor}" for name in found}

    # Descriptors, regressors and models

    def descriptor_potentials(self, descriptor: str) -> list[str]:
        """List the files of the potentials that a descriptor and those that it is made of are defined with.

        Parameters
        ----------
        descriptor : str
            Its name in the configuration.

        Returns
        -------
        list of str
            Paths.
        """
        potentials = [part["potential"] for part in _parts(self.config.descriptors[descriptor]) if "potential" in part]
        return [str(file) for potential in potentials for file in potential_files(potential)]

    def descriptor_code(self, descriptor: str) -> list[str]:
        """List the source files of a descriptor and of those that it is made of.

        Parameters
        ----------
        descriptor : str
            Its name in the configuration.

        Returns
        -------
        list of str
            Paths.
        """
        return block_code(self.config.descriptors[descriptor])

    def shipped_descriptor_code(self, model: str) -> list[str]:
        """List the source files of the descriptor of a model that comes with the package.

        Not the model itself: a rule makes it, from a whole run.

        Parameters
        ----------
        model : str

        Returns
        -------
        list of str
            Paths.
        """
        # Models stand on scikit-learn, which hardly any process of a run loads.
        from vibentropy.model.entropy_model import EntropyModel

        described = recipe(EntropyModel.load(model).descriptor)
        return block_code({"kind": described["kind"], **described["parameters"]})

    def regressor_code(self, regressor: str) -> list[str]:
        """List the source files of a regressor.

        Parameters
        ----------
        regressor : str
            Its name in the configuration.

        Returns
        -------
        list of str
            Paths.
        """
        return source_files(find_regressor(self.config.regressors[regressor]["kind"]).__module__)

    def n_features(self, descriptor: str) -> int:
        """Count the features of a descriptor of this run.

        Parameters
        ----------
        descriptor : str
            Its name in the configuration.

        Returns
        -------
        int
        """
        return int(descriptors.create(**self.config.descriptors[descriptor]).n_features)

    @cached_property
    def local_descriptors(self) -> list[str]:
        """Descriptors of this run that have values of atoms."""
        return [name for name, block in self.config.descriptors.items() if descriptors.create(**block).has_local]

    def local_descriptor(self) -> str:
        """Choose the descriptor whose values of atoms `nonlinear` sums a kernel over: the first that has some.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if not self.local_descriptors:
            raise ConfigError(
                "no descriptor of this configuration has values per atom, which the kernel of `nonlinear` needs"
            )
        return self.local_descriptors[0]

    def models_by_atoms(self) -> list[str]:
        """Choose the models, as descriptor/regressor, whose shares of atoms are shown.

        None without values of atoms.

        Raises
        ------
        ConfigError
            If the configuration asks for a model that has none or is not of this run.
        """
        models = [f"{one}/{regressor}" for regressor in self.config.regressors for one in self.local_descriptors]
        wanted = self.config.block["maps"]["models"]
        for model in wanted:
            if model not in models:
                raise ConfigError(f"{model!r}, of `models` under `maps`, is none of {', '.join(models)}")
        return wanted or models[: min(2, len(self.local_descriptors))]

    def mapped_models(self) -> list[str]:
        """Choose the models that `maps` draws, as descriptor/regressor.

        Raises
        ------
        ConfigError
            If no label is resolved by atoms, no descriptor has values of atoms, or a model is not of this run.
        """
        resolved = self.computed and self.config.labels.site_entropies
        if not (resolved or any(source.archived for source in self.config.sources.values())):
            raise ConfigError(
                "`maps` needs labels per atom: take an archive that has them or, if labels are computed, set "
                "`site_entropies: true` under `labels`"
            )
        if not self.local_descriptors:
            raise ConfigError("no descriptor of this configuration has values per atom, which `maps` draws")
        return self.models_by_atoms()

    def choosing_descriptor(self) -> str:
        """Name the descriptor by whose features `chosen` chooses.

        Raises
        ------
        ConfigError
            If the run has no descriptor of that name.
        """
        name = self.config.block["data"]["chosen"]["descriptor"] or next(iter(self.config.descriptors))
        if name not in self.config.descriptors:
            raise ConfigError(
                f"descriptor == {name!r} under `chosen`{did_you_mean(name, self.config.descriptors)}, expected one of "
                f"{', '.join(self.config.descriptors)}"
            )
        return name

    def published_labels(self) -> str:
        """Name the file of published labels that `recurrence` looks into.

        Raises
        ------
        ConfigError
            If the run has none.
        """
        path = self.config.block["recurrence"]["entropies"]
        if path is None:
            raise ConfigError(
                "`recurrence` needs published labels: put entropies_MEAM.npz (or entropies_EAM.npz) of "
                f"{SOURCE} into published/, and say `recurrence: {{entropies: published/entropies_MEAM.npz}}`"
            )
        return str(path)

    def shipped(self, model: str) -> dict[str, str]:
        """Name the descriptor and the regressor of a model to ship.

        Parameters
        ----------
        model : str
            Its name in `vibentropy.data`.

        Returns
        -------
        dict of str to str

        Raises
        ------
        ConfigError
            If the run has no such model, or does not train on an archive.
        """
        names = SHIPPED[model]
        for key, section in (("descriptor", self.config.descriptors), ("regressor", self.config.regressors)):
            if names[key] not in section:
                raise ConfigError(
                    f"the model {model} that ships is of {names[key]}, which is not among the {key}s of this run"
                )
        if not self.source(self.training[0]).archived:
            raise ConfigError("models that ship are of archives, which say what their potential is")
        return names

    def of_benchmark(self, key: str, source: str) -> Any:
        """Look up a setting of the benchmark for one kind of what it measures.

        Parameters
        ----------
        key : str
            ``cells`` (sizes of what is measured), ``max_seconds`` or ``max_memory``.
        source : str
            ``ours`` and ``peer`` (descriptors), ``labels``, ``large_labels``, ``hessians``, ``predictions`` or
            ``fits``.

        Returns
        -------
        list of int, float or int
            As in the configuration.
        """
        block = self.config.block["benchmark"]
        if source == "large_labels":
            return block[source][key]
        special = {
            ("cells", "labels"): "label_cells",
            ("cells", "hessians"): "label_cells",
            ("cells", "predictions"): "prediction_cells",
            ("max_seconds", "predictions"): "max_prediction_seconds",
            ("cells", "fits"): "fit_rows",
            ("max_seconds", "fits"): "max_fit_seconds",
        }
        return block[special.get((key, source), key)]

    def packed(self) -> list[str]:
        """List the data sets that `data` writes as archives.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if not self.generated:
            raise ConfigError("`data` writes what recipes make, and no data set of this configuration has a recipe")
        return self.generated

    def in_equilibrium(self) -> list[str]:
        """List the data sets whose lowest minima have concentrations: those of training.

        Raises
        ------
        ConfigError
            If the crystal is a random alloy.
        """
        if any(self.source(name).own_crystals for name in self.training):
            raise ConfigError(
                "`thermodynamics` is of defects whose lowest minimum is the same everywhere in the crystal; in a "
                "random alloy each site has another one: take energies and entropies from configurations.csv"
            )
        return self.training


def _parts(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks of a descriptor and of those that it is made of."""
    # A parameter of somebody's own may have a `kind` without being a descriptor.
    registered = descriptors.available()
    return [part for part in walk(block) if part["kind"] in registered or "." in part["kind"]]


def block_code(block: dict[str, Any]) -> list[str]:
    """List the source files of a descriptor, by its block, and of those that it is made of.

    Parameters
    ----------
    block : dict
        Kind and parameters, as in the configuration.

    Returns
    -------
    list of str
        Paths.
    """
    return source_files(
        *(descriptors.find(kind).__module__ for kind in sorted({part["kind"] for part in _parts(block)}))
    )
