"""What is in a file of this package, without computing anything."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vibentropy.datasets import store
from vibentropy.datasets.table import SITE_ENTROPY, facts_of, read_columns
from vibentropy.descriptors import recipe_in_words
from vibentropy.errors import DataError
from vibentropy.features import sets
from vibentropy.features.extensive import ElementFeatures
from vibentropy.files.hdf5 import kind_of, open_file
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.model.files import KIND as MODEL
from vibentropy.sources import archives


def contents(path: Path | str) -> dict[str, Any]:
    """Say what is in a file that this package wrote, and what made it.

    Parameters
    ----------
    path : path-like
        A model, a set of configurations, an archive, features, or any other HDF5 file of this package.

    Returns
    -------
    dict of str
        Text, numbers, lists and dictionaries of these, in the order in which people want them: what kind of file it is,
        counts, ranges (k_B), and what made it.

    Raises
    ------
    DataError
        If it is missing, no HDF5 file, damaged, or of another program.
    """
    kind = kind_of(path)
    if not kind:
        raise DataError(
            "not a file of this package (models, features and sets of configurations are HDF5 files that say so); "
            "`vibentropy check` reads configurations of runs (YAML) and cells of other programs",
            path,
        )
    with h5py.File(path, "r") as file:
        schema = int(file.attrs.get("schema", 1))
    with open_file(path, kind, schema) as file:
        content = _CONTENTS.get(kind, _anything)(path, file)
        made = {name: _plain(value) for name, value in sorted(file.attrs.items()) if name not in _SAID | content.keys()}
    said = content.get("provenance", {})
    made = {name: value for name, value in made.items() if name not in said or said[name] != value}
    return {"file": str(path), "kind": kind, "schema": schema} | content | {"made by": made}


#: Attributes that say what a file is, or that `contents` says in another way.
_SAID = {
    "kind",
    "schema",
    "descriptor",
    "provenance",
    "units",
    "entropy_range",
    "volume_per_atom",
    "elements",
    "shares",
}


def _model(path, _):
    model = EntropyModel.load(path)
    return model.facts() | {"provenance": dict(model.provenance)}


def _configurations(_, file):
    resolved = 0
    if SITE_ENTROPY in file:
        first, entropies = file["first"][:], file[SITE_ENTROPY][:]
        resolved = sum(not np.isnan(entropies[a:b]).any() for a, b in pairwise(first))
    return facts_of(read_columns(file["table"]), resolved)


def _features(path, _):
    features = sets.FeatureSet.load(path)
    return {
        "configurations": len(features.ids),
        "without features": dict(features.failures),
        "descriptor": recipe_in_words(features.descriptor),
        "features": len(features.feature_names),
        **({"elements": list(features.bulk.elements)} if isinstance(features.bulk, ElementFeatures) else {}),
        "feature names": list(features.feature_names),
        "limits per atom": features.local is not None,
        "resolved by atoms": len(features.sites),
    }


def _anything(_, file):
    arrays = {}
    file.visititems(
        lambda name, item: (
            arrays.update({name: f"{item.dtype} {item.shape}"}) if isinstance(item, h5py.Dataset) else None
        )
    )
    return {"arrays": arrays}


_CONTENTS = {
    MODEL: _model,
    store.KIND: _configurations,
    archives.KIND: _configurations,
    sets.KIND: _features,
}


def _plain(value):
    """Numbers and text as Python has them, and JSON in text read."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value
    except ValueError:
        return value
