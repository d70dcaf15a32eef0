"""Measurements, each a process of its own (``python -m vibentropy.studies.benchmark.measure``).

So its memory is its own and a crash is a row of the table. Cells are bcc iron with small random displacements. Each
implementation climbs from small cells to large ones and stops before the first whose predicted time or memory exceeds
a limit; it then has a row that says so, as has one that is not installed or fails.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vibentropy import descriptors
from vibentropy.errors import VibentropyError
from vibentropy.files.progress import ignore
from vibentropy.studies.benchmark.cells import crystal, crystal_file
from vibentropy.studies.benchmark.peers import ALL, PREDICTIONS, complete
from vibentropy.studies.benchmark.programs import load_program
from vibentropy.studies.benchmark.tables import ABSENT, COLUMNS, MEASURED, OUR_LABEL

#: Cubic cells along each axis of the cell on which everything is compiled and loaded before a measurement: large enough
#: that a sparse factor has several fronts.
WARM_UP = 4

#: A measurement is repeated until so many seconds are spent or so many repetitions made; the fastest counts.
REPEAT_SECONDS, REPETITIONS = 1.0, 5

#: What the process of a measurement may take beyond the predicted limit, as a factor: predictions can be wrong.
PATIENCE = 10

#: Where libraries look up how many threads they may have.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def measure(
    name: str,
    specification: Mapping[str, Any] | None,
    sizes: Iterable[int],
    max_seconds: float,
    max_memory: float,
    note: Callable[[str], object] = ignore,
    threads: Iterable[int] = (1,),
) -> pd.DataFrame:
    """Measure the speed of one implementation on cells of growing size.

    Parameters
    ----------
    name : str
        Of a peer, a label or a prediction, or any where there is a specification.
    specification : dict or None
        Kind and parameters of a descriptor of this package; None for what `PEERS`, `LABELS` and `PREDICTIONS`
        hold.
    sizes : list of int
        Cubic cells along each axis.
    max_seconds, max_memory : float
        No cell is begun whose predicted time (s) or memory (MB) exceeds these.
    note : callable
        Called with a line of text after each cell.
    threads : iterable of int
        Numbers of threads with which all cells are measured.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`; for each number of threads one row per cell that was computed, and one that says why others
        were not.
    """
    is_ours = specification or name == OUR_LABEL or name in PREDICTIONS
    common: dict[str, Any] = {"implementation": name, "source": "ours" if is_ours else "peer"}
    if specification:
        package, parameters = "vibentropy", complete(specification)
    else:
        peer = ALL[name]
        package, parameters = peer.package, peer.parameters
        if importlib.util.find_spec(peer.module) is None:
            return rows_table([common | {"package": package, "parameters": _text(parameters), "status": ABSENT}])
    common |= {"package": _package(package), "parameters": _text(parameters)}
    rows: list[dict[str, Any]] = []
    sizes = sorted(sizes)
    for n_threads in threads:
        smaller: list[dict[str, Any]] = []
        for n_cells in sizes:
            row = common | {"n_atoms": 2 * n_cells**3, "threads": n_threads}
            status = _too_large(smaller, row["n_atoms"], max_seconds, max_memory)
            order = {"name": name, "specification": specification, "n_cells": n_cells}
            result = {"status": status} if status else _in_a_process(order, n_threads, PATIENCE * max_seconds)
            smaller.append(row | result)
            note(f"{name}, {row['n_atoms']} atoms, {_threads(n_threads)}: {_outcome(result)}")
            if result["status"] != MEASURED:
                break
        rows += smaller
    return rows_table(rows)


def _package(name):
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _text(parameters):
    """``kind=afs l_max=10``: one line, as much of it as is not None."""
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    return " ".join(f"{key}={value}" for key, value in values.items() if value != "null")


def rows_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a table of the measurements of the benchmark.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    pandas.DataFrame
        With all of `COLUMNS`.
    """
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return table.astype({"n_features": "Int64", "n_atoms": "Int64", "threads": "Int64"})


def _threads(number):
    return f"{number} thread{'s' * (number != 1)}"


def _outcome(result):
    return f"{result['seconds']:.3g} s" if result["status"] == MEASURED else result["status"]


def _too_large(rows, n_atoms, max_seconds, max_memory):
    """Say why a cell is not computed; empty if it is."""
    if not rows:
        return ""
    for column, limit, unit in (("seconds", max_seconds, "s"), ("peak_memory_mb", max_memory, "MB")):
        predicted = _extrapolate([(row["n_atoms"], row[column]) for row in rows[-2:]], n_atoms)
        if predicted > limit:
            return f"stopped: {predicted:.0f} {unit} predicted, limit {limit:g} {unit}"
    return ""


def _extrapolate(points, n_atoms):
    """Continue one or two points (number of atoms, cost) by a power law with an exponent between 1 and 3."""
    n_last, last = points[-1]
    exponent = 1.0
    if len(points) > 1 and min(cost for _, cost in points) > 0:
        (n_first, first), _ = points
        exponent = np.clip(np.log(last / first) / np.log(n_last / n_first), 1, 3)
    return last * (n_atoms / n_last) ** exponent


def _in_a_process(order, n_threads, patience):
    """Measure one cell, the arguments of `run`, in a fresh interpreter; what goes wrong becomes the status."""
    # The folder stays importable: descriptors of one's own are often modules in it.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        process = subprocess.run(
            [sys.executable, "-m", "vibentropy.studies.benchmark.measure", json.dumps(order)],
            capture_output=True,
            text=True,
            timeout=patience,
            env=os.environ | dict.fromkeys(THREADS, str(n_threads)) | {"PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return {"status": f"failed: no result after {patience:g} s"}
    if process.returncode < 0:
        return {"status": f"failed: {signal.Signals(-process.returncode).name}"}
    if process.returncode:
        lines = process.stderr.strip().splitlines() or ["no message"]
        return {"status": f"failed: {lines[-1]}"}
    # Libraries may print before.
    return json.loads(process.stdout.splitlines()[-1]) | {"status": MEASURED}


def run(name: str, specification: Mapping[str, Any] | None, n_cells: int) -> dict[str, Any]:
    """Measure the speed of one implementation on one cell, in this process.

    Parameters
    ----------
    name : str
        As for `measure`.
    specification : dict or None
        As for `measure`.
    n_cells : int

    Returns
    -------
    dict
        ``n_features``; ``seconds`` of the fastest repetition, from an `ase.Atoms` (a file, for predictions) to summed
        features; ``atoms_per_second``; ``peak_memory_mb`` beyond what the process held after a computation of a small
        cell, so that the atoms count and loaded libraries do not.
    """
    cell: Callable[[int], Any] = crystal
    if specification:
        compute = descriptors.create(**specification).total
    else:
        compute = load_program(ALL[name])
        if ALL[name].of_files:
            cell = crystal_file
    compute(cell(WARM_UP))
    baseline = _memory("VmRSS")
    atoms = cell(n_cells)
    # Forgets the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    seconds: list[float] = []
    while len(seconds) < REPETITIONS and sum(seconds) < REPEAT_SECONDS:
        start = time.perf_counter()
        features = compute(atoms)
        seconds.append(time.perf_counter() - start)
    return {
        "n_features": len(features),
        "seconds": min(seconds),
        "atoms_per_second": 2 * n_cells**3 / min(seconds),
        "peak_memory_mb": max(_memory("VmHWM") - baseline, 0.0),
    }


def _memory(field):
    """Memory of this process in MB: VmRSS is what it holds, VmHWM the most it held.

    The maximum that getrusage knows is inherited from the process that started this one, and cannot be forgotten.
    """
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field + ":")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    try:
        print(json.dumps(run(**json.loads(sys.argv[1]))))
    except VibentropyError as error:
        sys.exit(str(error).replace("\n", " "))
