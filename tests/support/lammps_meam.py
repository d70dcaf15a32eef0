"""Modified embedded atoms as LAMMPS has them, whose φ is interpolated, and parameter sets to compare with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.build import bulk

from vibentropy.potentials.embedded_atom import find_potential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.meam.functions import constants, pair_potential
from vibentropy.potentials.meam.potential import Meam

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
    return LammpsEngine("meam", [" ".join(words)], element)


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
    table = np.array([value, slope, 3 * rise - 2 * slope - after, slope + after - 2 * rise])
    return replace(potential, table=table, table_step=step)


def reference_crystal(potential):
    """Primitive cell of the reference lattice at its lattice constant."""
    p = potential.parameters
    a = p.re * {"bcc": 2 / np.sqrt(3), "fcc": np.sqrt(2), "hcp": 1.0, "sc": 1.0}[p.lattice]
    return bulk(potential.element, p.lattice, a=a, **({"c": a * np.sqrt(8 / 3)} if p.lattice == "hcp" else {}))


def disordered(potential, seed, n_atoms=16, pbc=True, spacing=0.75, strain=0.15):
    """Atoms at random places, no two closer than so much of the distance of neighbours, in a triclinic cell.

    As dense as the crystal and strongly screened; smaller than the cutoff; some atoms are outside the box.
    """
    rng = np.random.default_rng(seed)
    crystal = reference_crystal(potential)
    edge = (n_atoms * crystal.get_volume() / len(crystal)) ** (1 / 3) * 1.1
    cell = edge * (np.eye(3) + strain * rng.normal(size=(3, 3)))
    crystal = bulk(potential.element, "sc", a=1.0)
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
