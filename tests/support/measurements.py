"""Rows of measurements."""

import numpy as np
import pandas as pd

from vibentropy.studies.benchmark import measure, tables

AFS = {"kind": "afs", "n_max": 2, "l_max": 3, "r_cut": 4.0}


def rows(name, n_atoms, seconds, source="ours", features=3, package="p 1", memory=1.0, threads=1):
    """A table of one implementation."""
    n_atoms, seconds = np.array(n_atoms), np.array(seconds, dtype=float)
    table = pd.DataFrame({"n_atoms": n_atoms, "seconds": seconds, "atoms_per_second": n_atoms / seconds})
    table = table.assign(implementation=name, source=source, package=package, parameters="", n_features=features)
    table = table.assign(peak_memory_mb=memory, threads=threads, status=tables.MEASURED)
    return measure.rows_table(table.to_dict("records"))


def missing(name, status="not installed"):
    """A table of one that could not be measured."""
    row = {"implementation": name, "source": "peer", "package": "p", "parameters": "", "status": status}
    return measure.rows_table([row])
