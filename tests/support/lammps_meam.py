"""Modified embedded atoms as LAMMPS has them, whose φ is interpolated, and parameter sets to compare with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.build import bulk

from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.bonds import Table
from vibentropy.potentials.meam.files import MeamParameters
from vibentropy.potentials.meam.functions import constants, pair_potential
from vibentropy.potentials.meam.potential import Meam
from vibentropy.potentials.potential_files import find_potential

ROOT = Path(__file__).parents[2]
#: Points of the table of LAMMPS, which ends a tenth beyond the cutoff.
N_POINTS = 1000

_HEA = "library_2nn.meam Mo Co Ni V Fe Al Cr MoCoNiVFeAlCr_2nn.meam"
_ALLOY = "library.meam AlS SiS MgS CuS FeS AlSiMgCuFe.meam"
#: Parameter sets that the lammps package ships, by element and arguments of pair_coeff, and the iron of the reference
#: work. Among them are all lattices, with and without second neighbours, ibar 0, 3 and -5, and two equations of state.
SETS = {
    **{f"{element} 2NN": (element, f"{_HEA} {element}") for element in ("Mo", "Co", "Ni", "V", "Fe", "Al", "Cr")},
    **{f"{element} alloy": (element, f"{_ALLOY} {element}S") for element in ("Al", "Mg", "Cu", "Fe")},
    "Cu 1NN": ("Cu", "library.meam Cu Cu.meam Cu"),
    "Ni 1NN": ("Ni", "library.meam Ni4 Ni.meam Ni4"),
    "W defaults": ("W", "library.meam W NULL W"),
    "W": ("W", "library.meam WL WL.meam WL"),
    "Bi": ("Bi", "library.meam Bi Bi.meam Bi"),
    "Fe 2018": (
        "Fe",
        " ".join(
            [
                str(ROOT / "data/potentials/Fe_Etesami_2018.library.meam"),
                "Fe",
                str(ROOT / "data/potentials/Fe_Etesami_2018.meam"),
                "Fe",
            ]
        ),
    ),
}


#: Every form of every function is in one of these, as changes of an iron.
FORMS = {
    "all defaults of LAMMPS": {},
    "ibar 0": {"ibar": 0, "nn2": 1, "Cmin": 0.5},
    "ibar 4, smoothed": {"ibar": 4, "gsmooth_factor": 2.0, "t": (2.0, 3.0, -9.0), "augt1": 0},
    "ibar 1": {"ibar": 1, "erose_form": 1, "attrac": 0.05, "repuls": 0.1, "bkgd_dyn": 1},
    "ibar 3": {"ibar": 3, "erose_form": 2, "attrac": 0.05, "repuls": 0.1, "nn2": 1, "Cmin": 0.3, "ialloy": 2},
    "negative densities": {"t": (2.0, 3.0, -40.0), "augt1": 0, "Cmin": 0.3},
    "negative densities, linear": {"t": (2.0, 3.0, -40.0), "augt1": 0, "Cmin": 0.3, "emb_lin_neg": 1},
    "hcp": {"lattice": "hcp", "ibar": 3, "nn2": 1, "Cmin": 0.4, "repuls": 0.1, "attrac": 0.02},
    "hcp, old background": {"lattice": "hcp", "ibar": 3, "mixture_ref_t": 1},
    "hcp, averages by density": {"lattice": "hcp", "ibar": 3, "ialloy": 1, "nn2": 1, "Cmin": 0.4},
    "hcp, no averages": {"lattice": "hcp", "ibar": 1, "ialloy": 2, "mixture_ref_t": 1},
    "hcp, old background without G": {"lattice": "hcp", "ibar": 0, "mixture_ref_t": 1, "ialloy": 1},
    "no embedding": {"asub": 0.0, "ibar": 4, "gsmooth_factor": 0.0, "t": (2.0, 3.0, -9.0), "augt1": 0},
    "embedding upside down": {"asub": -0.3, "Cmin": 0.3},
    "sc, no nuclei": {"lattice": "sc", "zbl": 0, "nn2": 1, "Cmin": 0.5, "ialloy": 1},
    "fcc, weak screening": {"lattice": "fcc", "Cmin": 0.05, "Cmax": 1.5, "nn2": 1, "rho0": 1.7},
    "wide ellipse": {"Cmin": 0.5, "Cmax": 4.0, "rc": 3.6, "delr": 0.6},
}
#: Lattice constant in units of the distance of first neighbours, and their number: written out, so that tests do not
#: depend on the table of the package.
_LATTICES = {"bcc": (2 / np.sqrt(3), 8), "fcc": (np.sqrt(2), 12), "hcp": (1.0, 12), "sc": (1.0, 6)}
#: Indices of keys of a parameter file.
_INDICES = {
    **dict.fromkeys(("Cmin", "Cmax"), "(1,1,1)"),
    **dict.fromkeys(("nn2", "zbl", "attrac", "repuls", "lattce"), "(1,1)"),
}


def commands(name):
    """Element of one of `SETS`, and its line of pair_coeff."""
    element, words = SETS[name]
    return element, f"* * {words}"


def potential_of(name):
    """One of `SETS` with its exact φ."""
    element, line = commands(name)
    return Meam.from_commands("meam", [line], element)


def lammps_of(name):
    """One of `SETS` in LAMMPS."""
    element, line = commands(name)
    words = [str(find_potential(word)) if word.endswith(".meam") else word for word in line.split()]
    return LammpsEngine("meam", [" ".join(words)], [element])


def tabulated(potential):
    """The potential with φ interpolated as LAMMPS does: Hermite pieces with five-point slopes at the knots."""
    p = constants(potential.parameters)
    step = 1.1 * p.r_cut / N_POINTS
    # LAMMPS has a finite number at r = 0; no two atoms are as close as the first knots.
    value = np.array([pair_potential(max(k, 1) * step, p)[0] for k in range(N_POINTS)])
    slope = np.zeros(N_POINTS)
    slope[0], slope[1], slope[-2] = value[1] - value[0], (value[2] - value[0]) / 2, (value[-1] - value[-3]) / 2
    slope[2:-2] = (value[:-4] - value[4:] + 8 * (value[3:-1] - value[1:-3])) / 12
    rise = np.diff(value, append=value[-1])
    after = np.append(slope[1:], 0.0)
    coefficients = np.array([value, slope, 3 * rise - 2 * slope - after, slope + after - 2 * rise])
    return replace(potential, table=Table(step, coefficients))


def reference_crystal(potential):
    """Primitive cell of the reference lattice at its lattice constant."""
    p = potential.parameters
    a = p.re * _LATTICES[p.lattice][0]
    return bulk(potential.elements[0], p.lattice, a=a, **({"c": a * np.sqrt(8 / 3)} if p.lattice == "hcp" else {}))


def disordered(potential, seed, n_atoms=16, pbc=True, spacing=0.75, strain=0.15):
    """Atoms at random places, no two closer than `spacing` distances of neighbours, in a triclinic cell.

    As dense as the crystal and strongly screened; smaller than the cutoff; some atoms are outside the box.
    """
    rng = np.random.default_rng(seed)
    crystal = reference_crystal(potential)
    edge = (n_atoms * crystal.get_volume() / len(crystal)) ** (1 / 3) * 1.1
    cell = edge * (np.eye(3) + strain * rng.normal(size=(3, 3)))
    crystal = bulk(potential.elements[0], "sc", a=1.0)
    crystal.set_cell(cell)
    crystal.pbc = pbc
    shortest = spacing * potential.parameters.re
    atoms = crystal
    while len(atoms) < n_atoms:
        more = atoms + crystal
        more.positions[-1] = rng.random(3) @ cell
        distances = more.get_all_distances(mic=True) + 1e3 * np.eye(len(more))
        if distances[-1].min() > shortest:
            atoms = more
        else:
            shortest *= 0.999
    atoms.positions += (atoms.pbc * rng.integers(-1, 2, (n_atoms, 3))) @ cell
    return atoms


def lowest_gamma(potential, atoms):
    """Lowest Γ of all atoms: with ``ibar`` -5 densities are negative below -1."""
    return potential._pairs_and_sites(atoms)[1].gamma.min()


def of_form(name):
    base = MeamParameters(
        *("Fe", "bcc", 26, 55.845, 4.29, 2.48, 5.13, 0.555, (4.0, 1.0, 1.2, 1.4), (2.77, 1.0, -10.0), 1.0, -5)
    )
    return Meam(replace(base, **FORMS[name]))


def written(potential, folder):
    """Commands of LAMMPS for the parameters of a potential with re = 2.48 Å, written as its files."""
    p = potential.parameters
    a, z = _LATTICES[p.lattice]
    record = ["Fe", p.lattice, z, 26, p.mass, p.alpha, *p.beta, a * p.re, p.Ec, p.asub, 1.0, *p.t, p.rho0]
    (folder / "library.meam").write_text(" ".join(map(str, [*record, p.ibar])) + "\n", encoding="utf-8")
    keys = ("rc", "delr", "augt1", "gsmooth_factor", "ialloy", "mixture_ref_t", "erose_form", "emb_lin_neg", "bkgd_dyn")
    lines = [f"{key}{_INDICES.get(key, '')} = {getattr(p, key)}" for key in (*keys, *_INDICES) if key != "lattce"]
    (folder / "fe.meam").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"* * {folder}/library.meam Fe {folder}/fe.meam Fe"
