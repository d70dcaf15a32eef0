"""Programs that the benchmark measures: labels, Hessians, predictions and fits, and public implementations.

Each function here loads a program and returns what is measured: a function that takes a cell (or a file, for
predictions) and returns features summed over its atoms, or an array with the one number that is the label or the
prediction, or the diagonal of a Hessian; or one that takes rows and returns the weights of a fit to them.
"""

import ctypes
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csc_array, tril, triu

from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.atoms.reading import read_frames
from vibentropy.labels.block_matrix import from_parts
from vibentropy.labels.determinants import MIN_EIGENVALUE, log_determinant
from vibentropy.labels.dissection import dissect
from vibentropy.labels.lanczos import lowest_eigenvalue
from vibentropy.labels.multifrontal import factorise_sparse
from vibentropy.learning.base import group_splits
from vibentropy.learning.registry import create_regressor
from vibentropy.learning.ridge import PENALTIES
from vibentropy.learning.scaling import RootMeanSquareScaler
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.lammps import command, start_lammps
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.potential_files import find_potential
from vibentropy.studies.benchmark.peers import Peer
from vibentropy.studies.benchmark.rows import Rows

#: What is measured: from a cell to features or to the one number that is a label.
Program = Callable[[Atoms], NDArray[np.float64]]

#: Cutoff of all descriptors, Å.
R_CUT = 5.0

#: Potential of the labels.
IRON = "FeP_mm.eam.fs"

#: Sites of iron for each atom of a second element, evenly over the cell.
SITES_PER_SOLUTE = 50

#: That of the Hessians of modified embedded atoms.
MEAM = "meam", ["* * library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam Fe"]


def load_program(peer: Peer) -> Callable[..., NDArray[np.float64]]:
    """Load the program of a peer.

    Parameters
    ----------
    peer : Peer

    Returns
    -------
    callable
        Takes what the peer `takes`.
    """
    return globals()[peer.program](**peer.parameters)


def numpy_afs(n_max: int, l_max: int) -> Program:
    """Angular Fourier Series as they are defined: for each atom, a double sum over its neighbours, in numpy.

    A_{nl} = Σ_{j<k} g_n(r_ij) g_n(r_ik) cos(l θ_jik), g = S^(-1/2) φ (Bartók, Kondor, Csányi, Phys. Rev. B 87, 184115
    (2013), section III.G). In double precision S^(-1/2) costs four digits of the features at n_max 8 already and means
    nothing at 20; the time is the same.

    Parameters
    ----------
    n_max, l_max : int
        Numbers of radial functions, and the largest degree.

    Returns
    -------
    callable
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


def quippy_afs(n_max: int, l_max: int) -> Program:
    """Angular Fourier Series of QUIP, summed.

    Parameters
    ----------
    n_max, l_max : int

    Returns
    -------
    callable
    """
    from quippy.descriptors import Descriptor

    afs = Descriptor(f"cosnx n_max={n_max} l_max={l_max} cutoff={R_CUT} Z=26 n_species=1 species_Z={{26}} w={{1.0}}")
    return lambda atoms: afs.calc(atoms)["data"].sum(axis=0)


def dscribe_soap(n_max: int, l_max: int) -> Program:
    """SOAP of dscribe, which averages it over the atoms itself: without an array for each of them.

    Parameters
    ----------
    n_max, l_max : int

    Returns
    -------
    callable
    """
    from dscribe.descriptors import SOAP

    soap = SOAP(species=["Fe"], r_cut=R_CUT, n_max=n_max, l_max=l_max, sigma=0.5, periodic=True, average="outer")
    return lambda atoms: len(atoms) * soap.create(atoms)


def featomic_soap(n_max: int, l_max: int) -> Program:
    """SOAP power spectrum of featomic, summed.

    Parameters
    ----------
    n_max, l_max : int

    Returns
    -------
    callable
    """
    from featomic import SoapPowerSpectrum

    soap = SoapPowerSpectrum(
        cutoff={"radius": R_CUT, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
        density={"type": "Gaussian", "width": 0.5},
        basis={"type": "TensorProduct", "max_angular": l_max, "radial": {"type": "Gto", "max_radial": n_max - 1}},
    )
    return lambda atoms: soap.compute(atoms).block(0).values.sum(axis=0)


def lammps_snap(twojmax: int) -> Program:
    """Bispectrum components of LAMMPS, summed; for cells with right angles.

    Parameters
    ----------
    twojmax : int
        Twice the largest angular momentum.

    Returns
    -------
    callable
    """
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


def vesin_neighbours() -> Program:
    """Neighbour list of vesin alone: no descriptor, but what each of them needs."""
    from vesin import NeighborList

    neighbours = NeighborList(cutoff=R_CUT, full_list=True)

    def pairs(atoms):
        neighbours.compute(points=atoms.positions, box=atoms.cell[:], periodic=True, quantities="ijDd")
        return np.empty(0)

    return pairs


def matscipy_neighbours() -> Program:
    """Neighbour list of matscipy alone."""
    from matscipy.neighbours import neighbour_list

    def pairs(atoms):
        neighbour_list("ijDd", atoms, R_CUT)
        return np.empty(0)

    return pairs


def dense_label() -> Program:
    """Label of this package, ln det' H: analytic Hessian and dense Cholesky factor, with the test for a minimum."""
    potential = Potential.from_setfl(IRON, "Fe")
    return lambda atoms: np.array([log_determinant(potential.hessian(atoms)).value])


def sparse_label(elements: Sequence[str] = ("Fe",)) -> Program:
    """Label of this package by its sparse factor, whatever a dense one would cost, with the test for a minimum.

    Parameters
    ----------
    elements : sequence of str
        Iron first; a second one takes one site in `SITES_PER_SOLUTE`.

    Returns
    -------
    callable
    """
    potential = Potential.from_setfl(IRON, elements)

    def label(atoms):
        atoms = atoms.copy()
        atoms.symbols[::SITES_PER_SOLUTE] = elements[-1]
        matrix = from_parts(potential.hessian_parts(atoms))
        lowest_eigenvalue(matrix.apply, len(atoms), floor=MIN_EIGENVALUE)
        return _with_first_atom(factorise_sparse(matrix, dissect(matrix, atoms)).log_determinant, atoms)

    return label


def cholmod_label() -> Program:
    """Label from the analytic Hessian of this package and CHOLMOD's supernodal factor, in CHOLMOD's own order."""
    from kvxopt import cholmod
    from kvxopt.base import matrix, spmatrix

    potential = Potential.from_setfl(IRON, "Fe")
    cholmod.options["supernodal"] = 2

    def label(atoms):
        triangle = tril(_without_first_atom(potential.hessian(atoms)), format="coo")
        rows, columns = (matrix(places.astype(np.int64)) for places in (triangle.row, triangle.col))
        sparse = spmatrix(matrix(triangle.data), rows, columns, triangle.shape)
        factor = cholmod.symbolic(sparse)
        cholmod.numeric(sparse, factor)
        return _with_first_atom(2 * np.log(np.array(cholmod.diag(factor))).sum(), atoms)

    return label


def pardiso_label() -> Program:
    """Label from the analytic Hessian of this package and PARDISO's Cholesky factor, in the order of METIS."""
    from pypardiso import PyPardisoSolver

    potential = Potential.from_setfl(IRON, "Fe")

    def label(atoms):
        triangle = triu(_without_first_atom(potential.hessian(atoms)), format="csr")
        solver = PyPardisoSolver(mtype=2)  # Symmetric and positive definite.
        for number, value in {1: 1, 2: 2, 56: 1}.items():  # No defaults, but METIS, and the diagonal is kept.
            solver.set_iparm(number, value)
        solver.factorize(triangle)
        pivots, of_matrix = np.empty(triangle.shape[0]), np.empty(triangle.shape[0])
        arrays = [ctypes.c_void_p(array.ctypes.data) for array in (solver.pt, pivots, of_matrix)]
        error = ctypes.c_int(0)
        solver.libmkl.pardiso_getdiag(*arrays, ctypes.byref(ctypes.c_int(1)), ctypes.byref(error))
        if error.value:
            raise RuntimeError(f"pardiso_getdiag: error {error.value}")
        solver.free_memory(everything=True)
        return _with_first_atom(np.log(pivots).sum(), atoms)

    return label


def _without_first_atom(hessian):
    """Take from a Hessian what is positive definite at a minimum."""
    return csc_array(hessian)[3:, 3:]


def _with_first_atom(log_determinant_of_rest, atoms):
    return np.array([log_determinant_of_rest + 3 * np.log(len(atoms))])


def matscipy_label() -> Program:
    """Label from the analytic Hessian of matscipy and its eigenvalues."""
    from matscipy.calculators.eam import EAM

    with TemporaryDirectory() as folder:
        calculator = EAM(str(_fine_table(folder)))

    def label(atoms):
        atoms.calc = calculator
        return _from_eigenvalues(calculator.get_hessian(atoms, format="sparse").toarray())

    return label


def lammps_label(step: float) -> Program:
    """Label from the finite differences of LAMMPS (``dynamical_matrix``) and their eigenvalues.

    Parameters
    ----------
    step : float
        Displacement, Å.

    Returns
    -------
    callable
    """
    folder = TemporaryDirectory()
    engine = LammpsEngine.on_table(_fine_table(folder.name), ["Fe"])

    def label(atoms, _folder=folder):  # LAMMPS reads the table again and again.
        return _from_eigenvalues(engine.dynamical_matrix(atoms, step))

    return label


def _fine_table(folder):
    path = Path(folder) / "table.eam.alloy"
    Potential.from_setfl(IRON, "Fe").write_setfl(path)
    return path


def _from_eigenvalues(hessian):
    return np.array([np.log(np.linalg.eigvalsh(hessian)[3:]).sum()])


def meam_hessian() -> Program:
    """Analytic Hessian of this package for modified embedded atoms, as a sparse matrix."""
    potential = Meam.from_commands(*MEAM, "Fe")
    return lambda atoms: potential.hessian(atoms).diagonal()


def lammps_meam_hessian(step: float) -> Program:
    """Finite differences of LAMMPS (``dynamical_matrix``) for the same potential.

    Parameters
    ----------
    step : float
        Displacement, Å.

    Returns
    -------
    callable
    """
    pair_style, (line,) = MEAM
    words = [str(find_potential(word)) if word.endswith(".meam") else word for word in line.split()]
    engine = LammpsEngine(pair_style, [" ".join(words)], ["Fe"])
    return lambda atoms: engine.dynamical_matrix(atoms, step).diagonal()


def predict_file(model: str) -> Callable[[Any], NDArray[np.float64]]:
    """Prediction of a model that comes with this package, from a file: reading, interval and domain included.

    Parameters
    ----------
    model : str
        Its name.

    Returns
    -------
    callable
    """
    loaded = EntropyModel.load(model)

    def predict(file):
        (atoms,) = read_frames(file.name)
        return loaded.predict(atoms)["formation_entropy"].to_numpy()

    return predict


def our_fit(kind: str) -> Callable[[Rows], NDArray[np.float64]]:
    """Fit a regressor of this package, scaling and choice of the penalty included.

    Parameters
    ----------
    kind : str

    Returns
    -------
    callable
    """
    regressor = create_regressor(kind)
    return lambda rows: regressor.fit(rows.X, rows.y, rows.groups).coef_


def sklearn_ridge() -> Callable[[Rows], NDArray[np.float64]]:
    """Choose the penalty as ours does, by scikit-learn's decompositions of all rows outside of each fold."""
    from sklearn.linear_model import Ridge

    def path(X, y, penalties):
        ridge = Ridge(alpha=len(y) * penalties, fit_intercept=False, solver="svd")
        return ridge.fit(X, np.repeat(y[:, None], len(penalties), axis=1)).coef_.reshape(len(penalties), -1)

    def fit(rows):
        X, y = RootMeanSquareScaler().fit_transform(rows.X), rows.y
        squared = np.zeros(len(PENALTIES))
        for train, test in group_splits(len(y), rows.groups, 5):
            squared += np.sum((X[test] @ path(X[train], y[train], PENALTIES).T - y[test, None]) ** 2, axis=0)
        return path(X, y, PENALTIES[[squared.argmin()]])[0]

    return fit


def sklearn_ridge_cv() -> Callable[[Rows], NDArray[np.float64]]:
    """Choose the penalty by scikit-learn's errors of rows left out one at a time, whatever group they are of."""
    from sklearn.linear_model import RidgeCV

    def fit(rows):
        X = RootMeanSquareScaler().fit_transform(rows.X)
        return RidgeCV(alphas=len(rows.y) * PENALTIES, fit_intercept=False, gcv_mode="svd").fit(X, rows.y).coef_

    return fit


def sklearn_bayesian_ridge() -> Callable[[Rows], NDArray[np.float64]]:
    """Maximise the evidence of all rows by scikit-learn, with a noise that is the same for all."""
    from sklearn.linear_model import BayesianRidge

    def fit(rows):
        X = RootMeanSquareScaler().fit_transform(rows.X)
        return BayesianRidge(max_iter=3000, tol=1e-6, fit_intercept=False).fit(X, rows.y).coef_

    return fit


def skglm_l2(penalty: float) -> Callable[[Rows], NDArray[np.float64]]:
    """Fit with one penalty by skglm.

    Parameters
    ----------
    penalty : float

    Returns
    -------
    callable
    """
    from skglm.datafits import Quadratic
    from skglm.penalties import L2
    from skglm.solvers import LBFGS

    def fit(rows):
        X = RootMeanSquareScaler().fit_transform(rows.X)
        return LBFGS(max_iter=10_000).solve(X, rows.y, Quadratic(), L2(penalty))[0]

    return fit
