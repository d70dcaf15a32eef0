"""What cells are compared with (`vibentropy.features.extensive.Bulk`) in HDF5: part of files of features and models.

``/bulk`` is (n_features,), or with several elements (n_elements, n_features), and then the attributes ``elements`` and
``shares`` say which these are, and how much of the perfect crystal each is. Relative to random alloys there is also
``/conditions`` (n_elements - 1, n_features).
"""

import h5py
import numpy as np
from ase.data import chemical_symbols

from vibentropy.errors import DataError
from vibentropy.features.extensive import Bulk, ElementFeatures
from vibentropy.files.hdf5 import check_array


def write_bulk(file: h5py.File, bulk: Bulk) -> None:
    """Write what cells are compared with.

    Parameters
    ----------
    file : h5py.File
        Gets ``/bulk`` and, with several elements, the attributes ``elements`` and ``shares``; for random alloys also
        ``/conditions``.
    bulk : ndarray of shape (n_features,) or ElementFeatures
    """
    if not isinstance(bulk, ElementFeatures):
        file["bulk"] = bulk
        return
    file["bulk"] = bulk.values
    file.attrs["elements"], file.attrs["shares"] = list(bulk.elements), bulk.shares
    if bulk.conditions is not None:
        file["conditions"] = bulk.conditions


def read_bulk(file: h5py.File, n_features: int) -> Bulk:
    """Read what `write_bulk` wrote.

    Parameters
    ----------
    file : h5py.File
    n_features : int

    Returns
    -------
    ndarray of shape (n_features,) or ElementFeatures

    Raises
    ------
    DataError
        If shapes differ, a number is not finite, or the elements are none.
    """
    values = file["bulk"][:]
    if "elements" not in file.attrs:
        check_array("/bulk", values, (n_features,))
        return values
    elements, shares = tuple(map(str, file.attrs["elements"])), np.asarray(file.attrs["shares"], dtype=float)
    check_array("/bulk", values, (len(elements), n_features))
    check_array("shares", shares, (len(elements),))
    if len(set(elements)) < len(elements) or not set(elements) <= set(chemical_symbols[1:]):
        raise DataError(f"its elements are {', '.join(elements)}, expected chemical symbols, each once")
    conditions = None
    if "conditions" in file:
        conditions = file["conditions"][:]
        check_array("/conditions", conditions, (len(elements) - 1, n_features))
    return ElementFeatures(elements, values, shares, conditions)
