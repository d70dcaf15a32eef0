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
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vibentropy import descriptors
from vibentropy.errors import VibentropyError
from vibentropy.files.progress import ignore
from vibentropy.studies.benchmark.cells import crystal, crystal_file
from vibentropy.studies.benchmark.peers import ALL, complete
from vibentropy.studies.benchmark.programs import load_program
from vibentropy.studies.benchmark.rows import draw_rows
from vibentropy.studies.benchmark.tables import ABSENT, COLUMNS, MEASURED


class Subject(NamedTuple):
    """What programs are measured on.

    Attributes
    ----------
    make : callable
        From a size to what a program takes.
    count : callable
        From a size to the number of atoms or rows.
    unit : str
        What is counted.
    warm_up : int
        Size with which everything is compiled and loaded before a measurement.
    """

    make: Callable[[int], Any]
    count: Callable[[int], int]
    unit: str
    warm_up: int


def _atoms(n_cells):
    return 2 * n_cells**3


#: Subjects by what a program takes; cells of a size are so many cubic cells along each axis, large enough to warm up
#: that a sparse factor has several fronts.
SUBJECTS = {
    "cell": Subject(crystal, _atoms, "atoms", 4),
    "file": Subject(crystal_file, _atoms, "atoms", 4),
    "rows": Subject(draw_rows, int, "rows", 100),
}

#: A measurement is repeated until so many seconds are spent or so many repetitions made; the fastest counts. One that
#: takes less than so many seconds is repeated at least once: large cells may run code that the warm-up did not compile.
REPEAT_SECONDS, REPETITIONS, ONCE_SECONDS = 1.0, 5, 30.0

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
    """Measure the speed of one implementation on cells of growing size, or on more and more rows.

    Parameters
    ----------
    name : str
        Of a peer, a label or a prediction, or any where there is a specification.
    specification : dict or None
        Kind and parameters of a descriptor of this package; None for what `PEERS`, `LABELS`, `PREDICTIONS` and `FITS`
        hold.
    sizes : list of int
        Cubic cells along each axis, or numbers of rows.
    max_seconds, max_memory : float
        No cell is begun whose predicted time (s) or memory (MB) exceeds these.
    note : callable
        Called with a line of text after each cell.
    threads : iterable of int
        Numbers of threads with which all cells are measured.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`, rows counted as atoms; for each number of threads one row per size that was computed, and one
        that says why others were not.
    """
    is_ours = specification or ALL[name].package == "vibentropy"
    common: dict[str, Any] = {"implementation": name, "source": "ours" if is_ours else "peer"}
    if specification:
        package, parameters = "vibentropy", complete(specification)
    else:
        peer = ALL[name]
        package, parameters = peer.package, peer.parameters
        if importlib.util.find_spec(peer.module) is None:
            return rows_table([common | {"package": package, "parameters": _text(parameters), "status": ABSENT}])
    common |= {"package": _package(package), "parameters": _text(parameters)}
    measured: list[dict[str, Any]] = []
    subject, sizes = _subject(name, specification), sorted(sizes)
    for n_threads in threads:
        smaller: list[dict[str, Any]] = []
        for size in sizes:
            row = common | {"n_atoms": subject.count(size), "threads": n_threads}
            status = _too_large(smaller, row["n_atoms"], max_seconds, max_memory)
            order = {"name": name, "specification": specification, "size": size}
            result = {"status": status} if status else _in_a_process(order, n_threads, PATIENCE * max_seconds)
            smaller.append(row | result)
            note(f"{name}, {row['n_atoms']} {subject.unit}, {_threads(n_threads)}: {_outcome(result)}")
            if result["status"] != MEASURED:
                break
        measured += smaller
    return rows_table(measured)


def _subject(name, specification):
    return SUBJECTS["cell" if specification else ALL[name].takes]


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


def run(name: str, specification: Mapping[str, Any] | None, size: int) -> dict[str, Any]:
    """Measure the speed of one implementation on one cell or on so many rows, in this process.

    Parameters
    ----------
    name : str
        As for `measure`.
    specification : dict or None
        As for `measure`.
    size : int

    Returns
    -------
    dict
        ``n_features``; ``seconds`` of the fastest repetition, from an `ase.Atoms` (a file, for predictions) to summed
        features, or from rows to weights; ``atoms_per_second``; ``peak_memory_mb`` beyond what the process held after a
        small computation, so that the atoms or rows count and loaded libraries do not.
    """
    subject = _subject(name, specification)
    compute = descriptors.create(**specification).total if specification else load_program(ALL[name])
    compute(subject.make(subject.warm_up))
    baseline = _memory("VmRSS")
    made = subject.make(size)
    # Forgets the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    seconds: list[float] = []
    while not _is_enough(seconds):
        start = time.perf_counter()
        features = compute(made)
        seconds.append(time.perf_counter() - start)
    return {
        "n_features": len(features),
        "seconds": min(seconds),
        "atoms_per_second": subject.count(size) / min(seconds),
        "peak_memory_mb": max(_memory("VmHWM") - baseline, 0.0),
    }


def _is_enough(seconds):
    """Whether so many repetitions, which took so long, are enough."""
    if len(seconds) < 2:
        return sum(seconds) >= ONCE_SECONDS
    return len(seconds) >= REPETITIONS or sum(seconds) >= REPEAT_SECONDS


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
