"""
A force law from positions, beside the potential
================================================

The lines are what relaxed positions alone say about forces (``vibentropy force-law``), the dots the potential that
relaxed them, which was never asked. Left: the stiffness of bonds, that of the effective pair potential; ticks are the
neighbours in the perfect crystal. Right: what the density around an atom does to it. Both in units of how stiff the
crystal is.
"""

import numpy as np
from ase.build import bulk
from matplotlib.figure import Figure

import vibentropy
from vibentropy.report.figures.style import styled

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

atoms, r_cut = bulk("Fe", a=2.8553), {"density": 4.2, "pair": 5.3}  # Å, where the potential's functions end
n_neighbours, _, _, distances = vibentropy.neighbour_pairs(atoms, 5.6)
crystal = distances[: n_neighbours[1]]


def effective(potential, r, cut):
    """Stiffness and slope of bonds, and F' - F'(crystal) over the density in units of the crystal's."""

    def part(name, r):
        return [np.where(r < cut[name], values, 0.0) for values in potential.functions[name](r)]

    rho = part("density", crystal)[0].sum()

    def slope(rho):  # The functions have F by the root of the density.
        root = np.sqrt(rho)
        return potential.functions["embedding"](root)[1] / (2 * root)

    pair, density = part("pair", r), part("density", r)
    relative = np.linspace(0.5, 1.3, 50)
    gradient, stiffness = (pair[k] + 2 * slope(rho) * density[k] for k in (1, 2))
    return stiffness, gradient, relative, rho * (slope(rho * relative) - slope(rho))


@styled
def draw():
    """Draw both, each in units of the trace of the stiffness of an atom of the crystal."""
    figure = Figure(figsize=(6.6, 3.0), layout="constrained")
    left, right = figure.subplots(ncols=2)
    potentials = {
        "potential": ("FeP_mm.eam.fs", r_cut, 90, {"ls": "", "marker": "o", "ms": 3, "mfc": "none"}),
        "law from positions": ("Fe_force_law.eam.alloy", dict.fromkeys(r_cut, 5.6), 900, {}),
    }
    for label, (file, cut, n_points, style) in potentials.items():
        potential = vibentropy.load_potential(file=file, element="Fe")
        stiffness, gradient, _, _ = effective(potential, crystal, cut)
        unit = (stiffness + 2 * gradient / crystal).sum()
        r = np.linspace(2.1, 5.5, n_points)
        stiffness, _, relative, embedding = effective(potential, r, cut)
        left.plot(r, stiffness / unit, label=label, **style)
        right.plot(relative, embedding / unit, **style)
    left.plot(np.unique(crystal.round(3)), np.full(5, left.get_ylim()[0]), "k|", ms=8, clip_on=False)
    left.set(xlabel="$r$ (Å)", ylabel=r"$\varphi''$ of the effective pair / trace")
    right.set(
        xlabel=r"density $\rho$ / that in the crystal",
        ylabel=r"$F'(\rho) - F'(\rho_0)$, in units of trace $\times$ Å$^2$",
    )
    left.legend()
    return figure


figure = draw()
