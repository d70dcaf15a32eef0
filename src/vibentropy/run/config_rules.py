"""What is wrong with a configuration that its schema accepts."""

import math
from pathlib import Path

from ase.data import atomic_numbers

from vibentropy.atoms.crystal import SITES_PER_CELL
from vibentropy.descriptors import REGISTRY, available
from vibentropy.errors import PotentialError, did_you_mean
from vibentropy.learning.registry import REGRESSORS
from vibentropy.potentials.from_config import is_analytic, potential_files
from vibentropy.sources.reference_work import SOURCE


def contradictions(config):
    """Yield what is wrong with a configuration that its schema accepts."""
    datasets = config["datasets"]
    if not any(specification["role"] == "train" for specification in datasets.values()):
        yield "datasets: none has the role train"
    for name, specification in datasets.items():
        if "recipe" in specification:
            for label, defect in specification["recipe"]["defects"].items():
                place = f"datasets.{name}.recipe.defects.{label}"
                yield from _clusters(place, defect, specification["recipe"]["cells"], config["lattice"])
        elif "files" in specification:
            for file in specification["files"]:
                if not Path(file).is_file():
                    yield f"datasets.{name}.files: no file is or matches {file!r}"
            if not Path(specification["reference"]).is_file():
                yield f"datasets.{name}.reference: there is no file {specification['reference']!r}"
        elif "archive" in specification:
            if not Path(specification["archive"]).is_file():
                yield f"datasets.{name}.archive: there is no file {specification['archive']!r}"
        else:
            for key in ("configurations", "entropies", "bulk"):
                file = specification["arrays"][key]
                if not Path(file).is_file():
                    yield f"datasets.{name}.arrays.{key}: there is no file {file!r}; it is published at {SOURCE}"

    places = {}
    for name, specification in datasets.items():
        arrays = specification.get("arrays", {"classes": []})
        held = [("files", file, None) for file in specification.get("files", [])]
        if "archive" in specification:
            held += [("archive", specification["archive"], part) for part in specification["classes"] or [None]]
        held += [("arrays", arrays["configurations"], defect_class) for defect_class in arrays["classes"]]
        for key, file, part in held:
            path = Path(file).resolve()
            # A whole file holds every part of it.
            others = [
                other
                for other_part, other in places.get(path, {}).items()
                if other != name and (part == other_part or None in (part, other_part))
            ]
            places.setdefault(path, {}).setdefault(part, name)
            if others:
                found = repr(file) if part is None else f"{part} of {file!r}"
                yield (
                    f"datasets.{name}.{key}: {found} belongs to {others[0]}, too: what is tested must not be trained on"
                )
    n_groups = sum(
        len(specification["recipe"]["cells"])
        * sum(d["trajectories"] for d in specification["recipe"]["defects"].values())
        for specification in datasets.values()
        if "recipe" in specification and specification["role"] == "train"
    )
    recipes_only = all("recipe" in s for s in datasets.values() if s["role"] == "train")
    if recipes_only and 0 < n_groups < config["evaluation"]["folds"]:
        yield f"evaluation.folds: {config['evaluation']['folds']} folds of {n_groups} training trajectories"

    generated = [name for name, specification in datasets.items() if "recipe" in specification]
    labelled = "arrays", "archive"
    unlabelled = [
        name for name, s in datasets.items() if s.get("entropy") is None and not any(k in s for k in labelled)
    ]
    if generated and config["lattice"] is None:
        yield f"lattice: missing, but {', '.join(generated)} is made from a recipe"
    if unlabelled and config["potential"] is None:
        yield f"potential: missing, but the entropies of {', '.join(unlabelled)} have to be computed"
    labels = config["labels"]
    if (labels["site_entropies"] or labels["temperatures"]) and not (generated or unlabelled):
        yield "labels: site_entropies and temperatures are computed with labels, and all labels of this run are given"
    for name in generated:
        reached = datasets[name]["recipe"]["quench"]["max_force"]
        if reached > labels["max_force"]:
            yield (
                f"datasets.{name}.recipe.quench.max_force: {reached:g} eV/Å leaves nothing that counts as relaxed: "
                f"labels.max_force is {labels['max_force']:g} eV/Å"
            )
        if datasets[name]["recipe"]["strain"] and config["lattice"] and config["lattice"]["structure"] == "diamond":
            yield (
                f"datasets.{name}.recipe.strain: a strained diamond crystal is not at rest on its sites, as the "
                "crystal that defects are compared with has to be"
            )
    if config["potential"] is not None:
        if config["potential"]["element"] not in atomic_numbers:
            yield f"potential.element: {config['potential']['element']!r} is no chemical element"
        try:
            potential_files(config["potential"])
        except PotentialError as error:
            yield f"{'potential.file' if is_analytic(config['potential']) else 'potential'}: {error}"

    tested = [name for name, specification in datasets.items() if specification["role"] == "test"]
    owners = {}
    for test, names in config["evaluation"]["tests"].items():
        for name in names:
            if name not in tested:
                known = ", ".join(tested) or "none"
                yield (
                    f"evaluation.tests.{test}: {name!r}{did_you_mean(name, tested)} is no data set of role test; "
                    f"those are {known}"
                )
            elif owners.setdefault(name, test) != test:
                yield f"evaluation.tests.{test}: {name!r} is part of {owners[name]}, too"

    for section, known in [("descriptors", list(REGISTRY | available())), ("regressors", list(REGRESSORS))]:
        for name, block in config[section].items():
            kind = block["kind"]
            if "." not in kind and kind not in known:
                yield (
                    f"{section}.{name}.kind: found {kind!r}{did_you_mean(kind, known)}, "
                    f"expected one of {', '.join(known)}, or a dotted path"
                )


def _clusters(place, defect, cells, lattice):
    """Yield what is wrong with the clusters of a class."""
    kinds = {f"{place}.mixture[{number}]": kind for number, kind in enumerate(defect["mixture"])} or {place: defect}
    without = {"shape": "random", "interstitials": 0, "vacancies": 0, "radius": None, "clusters": 1}
    own = {key: defect[key] for key, default in without.items() if defect[key] != default}
    if defect["mixture"] and own:
        yield f"{place}: has a mixture, which leaves {', '.join(own)} without effect"
    if defect["melt"] and not defect["mixture"] and not defect["interstitials"] + defect["vacancies"]:
        if own:
            yield f"{place}: has neither interstitials nor vacancies, which leaves {', '.join(own)} without effect"
        return
    for where, kind in kinds.items():
        added, removed = kind["interstitials"], kind["vacancies"]
        match kind["shape"].partition("_")[0]:
            case "random" if not added + removed:
                yield f"{where}: neither interstitials nor vacancies"
            case "void" if added or not removed:
                yield f"{where}: a void has vacancies and no interstitials, found {removed} and {added}"
            case "loop" | "c15" if removed or not added:
                yield f"{where}: shape {kind['shape']} has interstitials and no vacancies, found {added} and {removed}"
            case "c15" if added in (1, 3):
                yield f"{where}.interstitials: the smallest C15 clusters are of 2 and 4 interstitials, found {added}"
        if kind["shape"] != "random" and kind["radius"] is not None:
            yield f"{where}.radius: without effect on shape {kind['shape']}"
        if lattice is not None:
            if kind["shape"] == "c15" and lattice["structure"] != "bcc":
                yield f"{where}.shape: c15 clusters are defined in bcc, found lattice.structure {lattice['structure']}"
            yield from _crowding(where, kind, lattice)
    wanted = sum(kind["clusters"] * kind["vacancies"] for kind in kinds.values())
    if lattice is not None:
        sites = min(SITES_PER_CELL[lattice["structure"]] * math.prod(cell) for cell in cells)
        if wanted > sites // 2:
            yield f"{place}: {wanted} vacancies in a cell of {sites} sites"


def _crowding(place, defect, lattice):
    """Yield why a sphere does not have the room that a random cluster needs."""
    per_cell = SITES_PER_CELL[lattice["structure"]]
    if defect["radius"] is not None:
        # A sphere holds its volume's worth of sites, give or take those at its surface.
        held = 4 / 3 * math.pi * defect["radius"] ** 3 * per_cell / lattice["a"] ** 3
        if defect["vacancies"] > held:
            yield (
                f"{place}.radius: a sphere of {defect['radius']} Å holds {held:.1f} sites on average, too few for "
                f"{defect['vacancies']} vacancies"
            )
