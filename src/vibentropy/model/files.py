"""Files of fitted models.

In HDF5 (kind ``entropy model``, schema 2):

=================== =============================== ===================================================================
data set            shape                           meaning
=================== =============================== ===================================================================
``/coef``           (n_features,)                   weights w in k_B per unit of the feature; S_f = w · X
``/bulk``           (n_features,)                   descriptor of the perfect crystal per atom; X = total - N · bulk
``/scale``          (n_features,)                   root mean square of each feature over the training cells
``/covariance``     (n_features, n_features)        of the weights of the scaled features z = X / scale, k_B²; absent
                                                    where the model has no standard deviation
``/noise_variance`` scalar                          σ² of the variance σ² m + zᵀ covariance z, k_B², m being the root
                                                    mean square of z; absent with the covariance
``/feature_names``  (n_features,)                   text
=================== =============================== ===================================================================

Models with intervals and a domain have the group ``/uncertainty``, which comes from the errors of held-out rows
(`vibentropy.learning.uncertainty.Uncertainty`):

========================= ======================= ======================================================================
data set                  shape                   meaning
========================= ======================= ======================================================================
``calibration/scores``    (n_rows,)               |error| / s of these rows, ascending, k_B; the quantile q at 68 %
                                                  makes ``low_68`` and ``high_68`` the prediction ∓ q s
``own_crystal/scores``    (n_own,)                the same of rows with a perfect crystal of their own, as where it is
                                                  strained, which those before then leave out; absent where few
``scale/factor``          (n_features, n_axes)    L, so that s = |Lᵀz|
``pointwise/axes``        (n_features, n_axes)    principal axes of the corrections by pointwise optimal fits
``.../low``, ``.../high`` (n_axes,)               ends of the box around them, k_B
``domain/factor``         (n_features,            L, so that the leverage of z is |Lᵀz|²
                          n_features)
``.../lowest, highest``   (n_features,)           range of features over training atoms; empty without values per atom
``.../lattice``           (n_features,)           descriptor per atom of the perfect crystal of the training; likewise
``.../direction_limit``   scalar                  of |Lᵀz| / m; further on ``atoms_limit`` and ``lattice_limit``
========================= ======================= ======================================================================

Models of several elements have ``/bulk`` of the shape (n_elements, n_features), for an atom of each by the reference
cells; X = total - Σ_X n_X bulk_X. Models of random alloys also have ``/conditions`` (n_elements - 1, n_features), the
descriptor per atom of the reference cells after the first.

Attributes of the root are ``descriptor`` (JSON: kind and parameters), ``element`` and ``volume_per_atom`` of the
perfect crystal (Å³), with several elements also ``elements`` and ``shares``, those in the perfect crystal; further
``entropy_range`` (smallest and largest training entropy, k_B), ``entropy_convention``, ``units``, ``regressor`` and
``provenance`` (JSON: what the caller gave, and the versions of the libraries that fitted; in models of the workflow
``trained_on``, the number of configurations from each data set, and what `vibentropy.run.provenance` says).
"""

import copy
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ase.data import atomic_numbers

from vibentropy import descriptors
from vibentropy.descriptors import Descriptor, recipe
from vibentropy.descriptors.nesting import walk
from vibentropy.errors import ConfigError, DataError
from vibentropy.features.bulk_files import read_bulk, write_bulk
from vibentropy.files.hdf5 import check_array, create, open_file
from vibentropy.learning.uncertainty import Uncertainty

KIND = "entropy model"

#: Layout of the files that are written, and those of earlier versions that are read as well: schema 1 had another scale
#: of the errors (`Uncertainty.from_arrays`).
SCHEMA, EARLIER_SCHEMAS = 2, (1,)

#: What the entropies of this package are compared by (docs/theory.md, "Formation entropy").
ENTROPY_CONVENTION = "per mode"


def write_model(path: str | Path, contents: Mapping[str, Any], **attributes: Any) -> None:
    """Write a model.

    Parameters
    ----------
    path : path-like
    contents : dict
        Attributes of `vibentropy.model.entropy_model.EntropyModel` by their names.
    **attributes
        Provenance, as for `vibentropy.files.hdf5.create`.
    """
    descriptor: Descriptor = contents["descriptor"]
    described = copy.deepcopy(recipe(descriptor))
    for parameters, name in _files_in(described):
        parameters[name] = os.path.relpath(parameters[name], Path(path).parent)
    with create(
        path,
        KIND,
        SCHEMA,
        descriptor=json.dumps(described),
        entropy_convention=ENTROPY_CONVENTION,
        units="entropies in k_B, volumes in Å³",
        provenance=json.dumps(contents["provenance"]),
        **{name: contents[name] for name in ("element", "volume_per_atom", "entropy_range", "regressor")},
        **attributes,
    ) as file:
        file["coef"], file["scale"] = contents["coef"], contents["scale"]
        write_bulk(file, contents["bulk"])
        if contents["covariance"] is not None:
            file["covariance"], file["noise_variance"] = contents["covariance"], contents["noise_variance"]
        if contents["uncertainty"] is not None:
            for name, values in contents["uncertainty"].arrays().items():
                file[f"uncertainty/{name}"] = values
        names = np.array(descriptor.feature_names, dtype=object)
        file.create_dataset("feature_names", data=names, dtype=h5py.string_dtype())


def read_model(path: str | Path) -> dict[str, Any]:
    """Read what `write_model` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict
        As `contents` of `write_model`.

    Raises
    ------
    DataError
        If the file is missing, truncated, of another kind or schema, or inconsistent, or its descriptor is not
        installed or, being a class of one's own, not imported, or reads a file that is neither where it was, as seen
        from the model, nor beside the model.
    """
    with open_file(path, KIND, SCHEMA, EARLIER_SCHEMAS) as file:
        descriptor = _read_descriptor(file, path)
        n_features = descriptor.n_features
        arrays = {name: file[name][:] for name in ("coef", "scale")}
        for name, array in arrays.items():
            check_array(f"/{name}", array, (n_features,))
        if not (arrays["scale"] > 0).all():
            raise DataError(f"/scale holds {arrays['scale'].min()}, expected positive numbers")
        noise_variance = covariance = None
        if "covariance" in file:
            noise_variance, covariance = float(file["noise_variance"][()]), file["covariance"][:]
            check_array("/covariance", covariance, (n_features, n_features))
        volume, element = float(file.attrs["volume_per_atom"]), str(file.attrs["element"])
        if not 0 < volume < np.inf or element not in atomic_numbers:
            raise DataError(f"a crystal of {element!r} with {volume} Å³ per atom, expected an element and a volume")
        uncertainty: dict[str, Any] = {}
        if "uncertainty" in file:
            file["uncertainty"].visititems(
                lambda name, item: uncertainty.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
            )
        return {
            "descriptor": descriptor,
            **arrays,
            "bulk": read_bulk(file, n_features),
            "noise_variance": noise_variance,
            "covariance": covariance,
            "element": element,
            "volume_per_atom": volume,
            "entropy_range": tuple(file.attrs["entropy_range"].tolist()),
            "regressor": file.attrs["regressor"],
            "provenance": json.loads(file.attrs["provenance"]),
            "uncertainty": Uncertainty.from_arrays(uncertainty) if uncertainty else None,
        }


def _read_descriptor(file, path):
    """Build the descriptor of a model, which must have the features that the file names."""
    described = json.loads(file.attrs["descriptor"])
    _check_imported(described)
    for parameters, name in _files_in(described):
        parameters[name] = _beside(path, parameters[name])
    try:
        descriptor = descriptors.create(described["kind"], **described["parameters"])
    except ConfigError as error:
        raise DataError(f"the descriptor of the model cannot be built: {error}", path) from error
    names = file["feature_names"].asstr()[:].tolist()
    if names != list(descriptor.feature_names):
        raise DataError(
            f"the features of the installed descriptor {described['kind']!r} begin with "
            f"{', '.join(descriptor.feature_names[:3])}, those of the model with {', '.join(names[:3])}",
            path,
        )
    return descriptor


def _files_in(described):
    """Find the parameters of a descriptor and its parts that are paths of files: pairs of a mapping and a key."""
    pairs = []
    for part in walk(described):
        try:
            names = descriptors.find(part["kind"]).files
        except ConfigError:  # Said where the descriptor is built.
            continue
        parameters = part.get("parameters", part)
        pairs += [(parameters, name) for name in names if isinstance(parameters.get(name), str)]
    return pairs


def _beside(model, path):
    """Where a file is that a model names: as seen from the folder of the model, or in that folder."""
    folder = Path(model).absolute().parent
    places = folder / path, folder / Path(path).name
    for place in places:
        if place.is_file():
            return str(place)
    raise DataError(
        f"the descriptor of the model reads {path}, which is not there; copy {places[1].name} into the folder of the "
        "model",
        model,
    )


def _check_imported(described):
    """Refuse classes that only an import on the word of a file would reach, however deep they stand in a recipe."""
    # Classes of this package that files may name by an old path are as good as registered.
    registered = {*descriptors.available(), *descriptors.MOVED, *descriptors.MOVED.values()}
    for kind in (part["kind"] for part in walk(described)):
        # A name without a module is looked up among the registered ones and nowhere else.
        if kind not in registered and {".", ":"} & set(kind):
            module = kind.partition(":")[0] if ":" in kind else kind.rpartition(".")[0]
            if module not in sys.modules:
                raise DataError(
                    f"the descriptor of the model is of kind {kind!r}, which is not part of this package; "
                    f"reading a model executes nothing: if you trust it, `import {module}` first"
                )
