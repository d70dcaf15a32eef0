"""What the benchmark measures: descriptors, labels and predictions, here and elsewhere, on the same cells."""

import gzip
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import NamedTuple

import numpy as np
from ase.build import bulk
from scipy.linalg import eigh

from vibentropy import descriptors
from vibentropy.atoms.neighbours import neighbour_pairs
from vibentropy.atoms.reading import read_frames
from vibentropy.errors import ConfigError
from vibentropy.labels.entropy import log_determinant
from vibentropy.model import EntropyModel
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.lammps import command, start_lammps
from vibentropy.potentials.lammps_engine import LammpsEngine

#: Lattice constant of the cells and standard deviation of the displacements, Å.
A, DISPLACEMENT = 2.8553, 0.05

#: Cutoff of all peers, Å.
R_CUT = 5.0

#: Potential of the labels.
IRON = "FeP_mm.eam.fs"


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
        known = [complete(specification) for specification in chosen.values()]
        for name, specification in block.items():
            if name not in chosen and complete(specification) not in known:
                chosen[name] = dict(specification)
    return chosen


def complete(specification):
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

KNOWN = PEERS | LABELS | PREDICTIONS


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
