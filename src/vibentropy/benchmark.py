"""Speed, memory and scaling of descriptors, labels and predictions, here and elsewhere, on the same cells and one core.

Every measurement is a process of its own (``python -m vibentropy.benchmark``), so that its memory is its own and a
crash is a row of the table. Cells are bcc iron with small random displacements. Each implementation climbs from
small cells to large ones and stops before the first whose predicted time or memory exceeds a limit; it then has a row
that says so, as has one that is not installed or fails.
"""

import gzip
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
from ase.build import bulk
from scipy.linalg import eigh

from vibentropy import descriptors
from vibentropy.ase_files import read_frames
from vibentropy.engine import LammpsEngine
from vibentropy.errors import ConfigError, DataError, VibentropyError
from vibentropy.harmonic import log_determinant
from vibentropy.lammps_library import command, start_lammps
from vibentropy.model import EntropyModel
from vibentropy.neighbours import neighbour_pairs
from vibentropy.potentials import Potential

#: Lattice constant of the cells and standard deviation of the displacements, Å.
A, DISPLACEMENT = 2.8553, 0.05

#: Cutoff of all peers, Å.
R_CUT = 5.0

#: Potential of the labels.
IRON = "FeP_mm.eam.fs"

#: Cubic cells along each axis of the cell on which everything is compiled and loaded before a measurement.
WARM_UP = 3

#: A measurement is repeated until so many seconds are spent or so many repetitions made; the fastest counts.
REPEAT_SECONDS, REPETITIONS = 1.0, 5

#: Numbers of atoms between which the growth of the cost is fitted.
FITTED_SIZES = 1000, 1_024_000

#: What the process of a measurement may take beyond the predicted limit, as a factor: predictions can be wrong.
PATIENCE = 10

#: Nothing but the one thread of the interpreter.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)

#: What a row says of its measurement; other rows begin with ``stopped`` or ``failed``, and the reason.
MEASURED, ABSENT = "measured", "not installed"

COLUMNS = [
    "implementation",
    "source",
    "package",
    "parameters",
    "n_features",
    "n_atoms",
    "seconds",
    "atoms_per_second",
    "peak_memory_mb",
    "status",
]


# --- What is measured ------------------------------------------------------------------------------------------------


def ours(*blocks):
    """Descriptors of this package (and those plugged into it) that a benchmark measures.

    Parameters
    ----------
    *blocks : dict of dict
        Kind and parameters by name, as in the configuration. Names of later blocks do not replace earlier ones.

    Returns
    -------
    dict of dict
        These, and every available kind with the parameters that are the defaults of its class, under the name of the
        kind; not where that is already there.
    """
    chosen = {}
    for block in (*blocks, {kind: {"kind": kind} for kind in descriptors.available()}):
        known = [_complete(specification) for specification in chosen.values()]
        for name, specification in block.items():
            if name not in chosen and _complete(specification) not in known:
                chosen[name] = dict(specification)
    return chosen


def _complete(specification):
    """Kind and all parameters of a descriptor; where it cannot be built, those given."""
    try:
        return {"kind": specification["kind"], **descriptors.create(**specification).get_params()}
    except ConfigError:
        return dict(specification)


class Peer(NamedTuple):
    """A public implementation, or the label of this package.

    Attributes
    ----------
    package : str
        Distribution that it is in.
    module : str
        What is imported.
    build : callable
        Called with `parameters`, returns a function that takes atoms and returns features summed over them, or an array
        with the one number that is the label or the prediction.
    parameters : dict
    cell : callable
        From the number of cubic cells along each axis to what the function takes, where that is no atoms.
    """

    package: str
    module: str
    build: callable
    parameters: dict
    cell: callable = None


def numpy_afs(n_max, l_max):
    """Angular Fourier Series as they are defined: for each atom, a double sum over its neighbours, in numpy.

    A_{nl} = Σ_{j<k} g_n(r_ij) g_n(r_ik) cos(l θ_jik), g = S^(-1/2) φ (Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115
    (2013), section III.G). In double precision S^(-1/2) costs four digits of the features at n_max 8 already and means
    nothing at 20; the time is the same.
    """
    powers = np.arange(1, n_max + 1)
    norms = np.sqrt(R_CUT ** (2 * powers + 5) / (2 * powers + 5))
    overlap = np.sqrt(np.outer(5 + 2 * powers, 5 + 2 * powers)) / (5 + powers[:, None] + powers)
    values, vectors = eigh(overlap)
    orthonormalise = vectors / np.sqrt(np.abs(values)) @ vectors.T
    degrees = np.arange(l_max + 1)[:, None, None]

    def total(atoms):
        first, _, vectors, distances = neighbour_pairs(atoms, R_CUT)
        features = np.zeros((l_max + 1, n_max))
        for start, stop in pairwise(first):
            r = distances[start:stop]
            g = orthonormalise @ ((R_CUT - r) ** (powers[:, None] + 2) / norms[:, None])
            unit = vectors[start:stop] / r[:, None]
            angles = np.arccos(np.clip(unit @ unit.T, -1, 1))
            features += ((g @ np.triu(np.cos(degrees * angles), k=1)) * g).sum(axis=-1)
        return features.T.ravel()

    return total


def quippy_afs(n_max, l_max):
    """Angular Fourier Series of QUIP, summed."""
    from quippy.descriptors import Descriptor

    afs = Descriptor(f"cosnx n_max={n_max} l_max={l_max} cutoff={R_CUT} Z=26 n_species=1 species_Z={{26}} w={{1.0}}")
    return lambda atoms: afs.calc(atoms)["data"].sum(axis=0)


def dscribe_soap(n_max, l_max):
    """SOAP of dscribe, which averages it over the atoms itself: without an array for each of them."""
    from dscribe.descriptors import SOAP

    soap = SOAP(species=["Fe"], r_cut=R_CUT, n_max=n_max, l_max=l_max, sigma=0.5, periodic=True, average="outer")
    return lambda atoms: len(atoms) * soap.create(atoms)


def featomic_soap(n_max, l_max):
    """SOAP power spectrum of featomic, summed."""
    from featomic import SoapPowerSpectrum

    soap = SoapPowerSpectrum(
        cutoff={"radius": R_CUT, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
        density={"type": "Gaussian", "width": 0.5},
        basis={"type": "TensorProduct", "max_angular": l_max, "radial": {"type": "Gto", "max_radial": n_max - 1}},
    )
    return lambda atoms: soap.compute(atoms).block(0).values.sum(axis=0)


def lammps_snap(twojmax):
    """Bispectrum components of LAMMPS, summed; for cells with right angles."""
    lammps = start_lammps()

    def total(atoms):
        n_atoms, edges = len(atoms), " ".join(f"0 {edge!r}" for edge in atoms.cell.lengths().tolist())
        command(
            lammps,
            "clear",
            "units metal",
            "atom_modify map array sort 0 0",
            f"region cell block {edges}",
            "create_box 1 cell",
            "mass 1 55.845",
        )
        positions = atoms.get_positions(wrap=True).ravel().tolist()
        lammps.create_atoms(n_atoms, list(range(1, n_atoms + 1)), [1] * n_atoms, positions)
        command(
            lammps,
            f"pair_style zero {R_CUT}",
            "pair_coeff * *",
            f"compute bispectrum all sna/atom {R_CUT} 0.99363 {twojmax} 0.5 1.0",
            "run 0 post no",
        )
        return lammps.numpy.extract_compute("bispectrum", 1, 2)[:n_atoms].sum(axis=0)

    return total


def vesin_neighbours():
    """Neighbour list of vesin alone: no descriptor, but what each of them needs."""
    from vesin import NeighborList

    neighbours = NeighborList(cutoff=R_CUT, full_list=True)

    def pairs(atoms):
        neighbours.compute(points=atoms.positions, box=atoms.cell[:], periodic=True, quantities="ijDd")
        return np.empty(0)

    return pairs


def matscipy_neighbours():
    """Neighbour list of matscipy alone."""
    from matscipy.neighbours import neighbour_list

    def pairs(atoms):
        neighbour_list("ijDd", atoms, R_CUT)
        return np.empty(0)

    return pairs


def cholesky_label():
    """Label of this package, ln det' H: analytic Hessian and Cholesky factor, with the test for a minimum."""
    potential = Potential.from_setfl(IRON, "Fe")
    return lambda atoms: np.array([log_determinant(potential.hessian(atoms)).value])


def matscipy_label():
    """Label from the analytic Hessian of matscipy and its eigenvalues."""
    from matscipy.calculators.eam import EAM

    with TemporaryDirectory() as folder:
        calculator = EAM(str(_fine_table(folder)))

    def label(atoms):
        atoms.calc = calculator
        return _from_eigenvalues(calculator.get_hessian(atoms, format="sparse").toarray())

    return label


def lammps_label(step):
    """Label from the finite differences of LAMMPS (``dynamical_matrix``) and their eigenvalues."""
    folder = TemporaryDirectory()
    engine = LammpsEngine.on_table(_fine_table(folder.name), "Fe")

    def label(atoms, _folder=folder):  # LAMMPS reads the table again and again.
        return _from_eigenvalues(engine.hessian(atoms, step))

    return label


def _fine_table(folder):
    path = Path(folder) / "table.eam.alloy"
    Potential.from_setfl(IRON, "Fe").write_setfl(path)
    return path


def _from_eigenvalues(hessian):
    return np.array([np.log(np.linalg.eigvalsh(hessian)[3:]).sum()])


def predict_file():
    """Prediction of the model that comes with this package, from a file: reading, interval and domain included."""
    model = EntropyModel.load()

    def predict(file):
        (atoms,) = read_frames(file.name)
        return model.predict(atoms)["formation_entropy"].to_numpy()

    return predict


def crystal_file(n_cells):
    """Compressed extended XYZ of bcc iron with random displacements, written without ever being in memory.

    Parameters
    ----------
    n_cells : int
        Cubic cells of two atoms along each axis.

    Returns
    -------
    temporary file
        With a `name`; it goes when nothing refers to it.
    """
    file, rng = NamedTemporaryFile(suffix=".xyz.gz"), np.random.default_rng(n_cells)  # noqa: SIM115
    layer = bulk("Fe", "bcc", a=A, cubic=True) * (n_cells, n_cells, 1)
    with gzip.open(file.name, "wt", compresslevel=1) as text:
        edge = n_cells * A
        text.write(f'{2 * n_cells**3}\nLattice="{edge} 0 0 0 {edge} 0 0 0 {edge}" Properties=species:S:1:pos:R:3\n')
        for height in A * np.arange(n_cells):
            positions = layer.positions + [0, 0, height] + rng.normal(scale=DISPLACEMENT, size=layer.positions.shape)
            text.writelines("Fe {:.8f} {:.8f} {:.8f}\n".format(*row) for row in positions.tolist())
    return file


#: Ways to a label by name.
LABELS = {
    "vibentropy_cholesky": Peer("vibentropy", "vibentropy", cholesky_label, {}),
    "matscipy_eigenvalues": Peer("matscipy", "matscipy", matscipy_label, {}),
    "lammps_eigenvalues": Peer("lammps", "lammps", lammps_label, {"step": 0.01}),
}

#: The label that the others are compared with.
OUR_LABEL = "vibentropy_cholesky"

#: Predictions by name.
PREDICTIONS = {"vibentropy_predict": Peer("vibentropy", "vibentropy", predict_file, {}, crystal_file)}

#: Public implementations of descriptors by name.
PEERS = {
    **{
        f"numpy_double_sum_{n_max}_10": Peer("numpy", "numpy", numpy_afs, {"n_max": n_max, "l_max": 10})
        for n_max in (3, 8, 20)
    },
    **{
        f"quippy_cosnx_{n_max}_10": Peer("quippy-ase", "quippy", quippy_afs, {"n_max": n_max, "l_max": 10})
        for n_max in (3, 8)
    },
    **{
        f"dscribe_soap_{n}_{degree}": Peer("dscribe", "dscribe", dscribe_soap, {"n_max": n, "l_max": degree})
        for n, degree in ((8, 6), (15, 10))
    },
    **{
        f"featomic_soap_{n}_{degree}": Peer("featomic", "featomic", featomic_soap, {"n_max": n, "l_max": degree})
        for n, degree in ((8, 6), (20, 10))
    },
    "lammps_snap_8": Peer("lammps", "lammps", lammps_snap, {"twojmax": 8}),
    "vesin_neighbours": Peer("vesin", "vesin", vesin_neighbours, {}),
    "matscipy_neighbours": Peer("matscipy", "matscipy", matscipy_neighbours, {}),
}

_KNOWN = PEERS | LABELS | PREDICTIONS

#: The peer that ratios refer to: the definition, programmed as it stands.
REFERENCE = "numpy_double_sum_3_10"


# --- Measuring -------------------------------------------------------------------------------------------------------


def crystal(n_cells):
    """Cubic cell of bcc iron with random displacements, the same in every run.

    Parameters
    ----------
    n_cells : int
        Cubic cells of two atoms along each axis.

    Returns
    -------
    ase.Atoms
    """
    atoms = bulk("Fe", "bcc", a=A, cubic=True) * (n_cells, n_cells, n_cells)
    atoms.rattle(DISPLACEMENT, rng=np.random.default_rng(n_cells))
    return atoms


def measure(name, specification, sizes, max_seconds, max_memory, progress=lambda text: None):
    """Measure one implementation on cells of growing size.

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
    progress : callable
        Called with a line of text after each cell.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`; one row per cell that was computed, and one that says why others were not.
    """
    own = specification or name == OUR_LABEL or name in PREDICTIONS
    common = {"implementation": name, "source": "ours" if own else "peer"}
    if specification:
        package, parameters = "vibentropy", _complete(specification)
    else:
        package, module, _, parameters, _ = _KNOWN[name]
        if importlib.util.find_spec(module) is None:
            return _table([common | {"package": package, "parameters": _text(parameters), "status": ABSENT}])
    common |= {"package": _package(package), "parameters": _text(parameters)}
    rows = []
    for n_cells in sorted(sizes):
        row = common | {"n_atoms": 2 * n_cells**3}
        status = _too_large(rows, row["n_atoms"], max_seconds, max_memory)
        result = {"status": status} if status else _in_a_process(name, specification, n_cells, PATIENCE * max_seconds)
        rows.append(row | result)
        progress(f"{name}, {row['n_atoms']} atoms: {_outcome(result)}")
        if result["status"] != MEASURED:
            break
    return _table(rows)


def _package(name):
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _text(parameters):
    """``kind=afs l_max=10``: one line, as much of it as is not None."""
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    return " ".join(f"{key}={value}" for key, value in values.items() if value != "null")


def _table(rows):
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.astype({"n_features": "Int64", "n_atoms": "Int64"})


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


def _in_a_process(name, specification, n_cells, patience):
    """Measure one cell in a fresh interpreter; what goes wrong becomes the status."""
    order = json.dumps({"name": name, "specification": specification, "n_cells": n_cells})
    # The folder stays importable: descriptors of one's own are often modules in it.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        process = subprocess.run(
            [sys.executable, "-m", "vibentropy.benchmark", order],
            capture_output=True,
            text=True,
            timeout=patience,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
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


def run(name, specification, n_cells):
    """Measure one cell in this process.

    Parameters
    ----------
    name, specification
        As for `measure`.
    n_cells : int

    Returns
    -------
    dict
        ``n_features``; ``seconds`` of the fastest repetition, from an `ase.Atoms` (a file, for predictions) to summed
        features; ``atoms_per_second``; ``peak_memory_mb`` beyond what the process held after a computation of a small
        cell, so that the atoms count and loaded libraries do not.
    """
    cell = crystal
    if specification:
        compute = descriptors.create(**specification).total
    else:
        peer = _KNOWN[name]
        compute, cell = peer.build(**peer.parameters), peer.cell or crystal
    compute(cell(WARM_UP))
    baseline = _memory("VmRSS")
    atoms = cell(n_cells)
    # Forgets the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    seconds = []
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


# --- Tables ----------------------------------------------------------------------------------------------------------


def gather(tables, reference=REFERENCE):
    """Put the tables of all implementations together and compare their speeds.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.
    reference : str
        Implementation that ratios refer to.

    Returns
    -------
    pandas.DataFrame
        With a column ``ratio``: atoms per second divided by those of the reference in the cell where it is fastest.
        Empty where the reference was not measured.
    """
    table = _stack(tables)
    best = table.loc[table["implementation"] == reference, "atoms_per_second"].max()
    position = COLUMNS.index("atoms_per_second") + 1
    table.insert(position, "ratio", table["atoms_per_second"].astype(float) / best)
    return table


def compare_labels(tables):
    """Put the tables of all ways to a label together and compare them cell by cell.

    Parameters
    ----------
    tables : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        Without ``n_features``, with a column ``times_as_long``: seconds divided by those of `OUR_LABEL` in the same
        cell. Empty where one of the two was not measured.
    """
    table = _stack(tables).drop(columns="n_features")
    own = table[table["implementation"] == OUR_LABEL].set_index("n_atoms")["seconds"]
    table.insert(table.columns.get_loc("seconds") + 1, "times_as_long", table["seconds"] / table["n_atoms"].map(own))
    return table


def compare_predictions(predictions, labels):
    """Set predictions beside the exact label of cells as large.

    Parameters
    ----------
    predictions, labels : iterable of pandas.DataFrame
        From `measure`.

    Returns
    -------
    pandas.DataFrame
        The predictions without ``n_features``, with columns ``microseconds_per_atom`` and ``label_hours``: what
        `OUR_LABEL` would take on one core, by `label_cost` from its largest measured cell. Empty where that was not
        measured.
    """
    table = _stack(predictions).drop(columns="n_features")
    position = table.columns.get_loc("seconds") + 1
    of_label = label_cost(_stack(labels), OUR_LABEL, "seconds", table["n_atoms"].astype(float))
    table.insert(position, "microseconds_per_atom", 1e6 * table["seconds"].astype(float) / table["n_atoms"])
    table.insert(position + 1, "label_hours", of_label / 3600)
    return table


def label_cost(table, name, column, n_atoms):
    """Cost of an exact label in cells that are too large for it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `compare_labels`, or rows of `measure`.
    name : str
        Of `LABELS`.
    column : {"seconds", "peak_memory_mb"}
    n_atoms : array_like

    Returns
    -------
    ndarray or float
        That of the largest measured cell times the third power of the ratio of the numbers of atoms, for time, and the
        second for memory: of dense matrices. NaN where it was not measured.
    """
    measured = table[(table["implementation"] == name) & (table["status"] == MEASURED)]
    if measured.empty:
        return np.full(np.shape(n_atoms), np.nan)
    last = measured.loc[measured["n_atoms"].idxmax()]
    exponent = {"seconds": 3, "peak_memory_mb": 2}[column]
    return float(last[column]) * (np.asarray(n_atoms, dtype=float) / float(last["n_atoms"])) ** exponent


def _stack(tables):
    table = pd.concat([part.dropna(axis="columns", how="all") for part in tables], ignore_index=True)
    table = table.reindex(columns=COLUMNS)
    return table.sort_values(["source", "implementation", "n_atoms"], kind="stable", ignore_index=True)


def largest(table):
    """Rows of the largest cell of each implementation that was measured at all."""
    measured = table[table["status"] == MEASURED]
    return measured.loc[measured.groupby("implementation", sort=False)["n_atoms"].idxmax()]


def scaling(table):
    """Growth of the cost with the number of atoms N.

    Parameters
    ----------
    table : pandas.DataFrame
        From `gather`.

    Returns
    -------
    pandas.DataFrame
        For each measured implementation the slope of log(seconds) against log(N) by least squares, over cells of
        1,000 to 1,024,000 atoms; their number, smallest and largest. Without a slope where there are fewer than two.
    """
    rows = []
    for (source, name), part in table[table["status"] == MEASURED].groupby(["source", "implementation"]):
        part = part[part["n_atoms"].between(*FITTED_SIZES)]
        n_atoms, seconds = part["n_atoms"].to_numpy(float), part["seconds"].to_numpy(float)
        slope = np.polyfit(np.log(n_atoms), np.log(seconds), 1)[0] if len(part) > 1 else np.nan
        rows.append([name, source, slope, len(part), part["n_atoms"].min(), part["n_atoms"].max()])
    return pd.DataFrame(rows, columns=["implementation", "source", "slope", "cells", "smallest", "largest"])


def load(*paths):
    """Read tables of measurements from CSV.

    Raises
    ------
    DataError
        If a file is not such a table.
    """
    tables = [pd.read_csv(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if missing := [column for column in COLUMNS if column not in table]:
            raise DataError(f"{path}: not a table of measurements, there is no column {', '.join(missing)}")
    return [table.astype({"n_features": "Int64", "n_atoms": "Int64"}) for table in tables]


if __name__ == "__main__":
    try:
        print(json.dumps(run(**json.loads(sys.argv[1]))))
    except VibentropyError as error:
        sys.exit(str(error).replace("\n", " "))
