"""
What a model learns of pairs, beside the stiffness of bonds
===========================================================

The line is what the model ``pairs`` adds to the entropy for each neighbour at a distance, fitted to positions and
entropies. The dots are what the potential, which it never saw, says to first order: a neighbour adds its stiffness
:math:`k_r + 2 k_t` to the trace of an atom's block of the Hessian, and :math:`-\\frac12 \\ln\\det` of the block falls
by :math:`\\frac32` of its share in the trace. Nothing is adjusted. Ticks are the neighbours in the perfect crystal.
Both have the same signs and, up to the second shell, much the same size; around 3.3 Å, where only defects have
neighbours, the first order is a small part of what the entropies say.
"""

import numpy as np
from matplotlib.figure import Figure

import vibentropy
from vibentropy import descriptors
from vibentropy.features.extensive import bulk_features, extensive_features
from vibentropy.learning.registry import create_regressor
from vibentropy.report.figures.style import styled
from vibentropy.sources.archives import read_header

# sphinx_gallery_start_ignore
import os  # isort: skip

os.chdir("../..")
# sphinx_gallery_end_ignore

# One training minimum in four.
train = vibentropy.read_archive("data/clusters.h5", "clusters", rows=[0, 1633, 4])
crystal = read_header("data/clusters.h5").crystal.cell([8, 8, 8])
pairs = descriptors.create("pair_spline", r_min=1.8, r_cut=6.5, spacing=0.05)
bulk = bulk_features(pairs, crystal)
X = extensive_features(pairs, train.frames, bulk)
model = create_regressor("ridge").fit(
    X, train.table["formation_entropy"].to_numpy(), groups=train.table["trajectory"].to_numpy()
)

# First order in the stiffness of bonds, at the density of the crystal.
potential = vibentropy.load_potential(file="FeP_mm.eam.fs", element="Fe")
n_neighbours, _, _, distances = vibentropy.neighbour_pairs(crystal, 5.6)
shells = distances[: n_neighbours[1]]
ends = {"pair": 5.3, "density": 4.2}  # Å


def part(name, r):
    """A function of the potential and its first two derivatives, zero beyond its end."""
    return np.where(r < ends[name], potential.functions[name](r)[:3], 0.0)


density = part("density", shells)[0].sum()
slope = potential.functions["embedding"](np.sqrt(density))[1] / (2 * np.sqrt(density))


def stiffness(r):
    """k_r + 2 k_t of a bond in the crystal, eV/Å²."""
    _, first, second = part("pair", r) + 2 * slope * part("density", r)
    return second + 2 * first / r


@styled
def draw():
    """Draw the weights, and what the potential says."""
    figure = Figure(figsize=(5.0, 3.2), layout="constrained")
    axes = figure.subplots()
    r = pairs.bin_centres
    learnt = r >= 2.1
    axes.axhline(0.0, color="0.8", lw=0.8)
    axes.plot(r[learnt], model.coef_[learnt], label="model of entropies")
    trace = stiffness(shells).sum()
    axes.plot(r[learnt], -1.5 * stiffness(r[learnt]) / trace, "o", ms=3, mfc="none", label="potential, first order")
    axes.plot(np.unique(shells.round(3)), np.full(5, axes.get_ylim()[0]), "k|", ms=8, clip_on=False)
    axes.set(xlabel="distance $r$ (Å)", ylabel="entropy of a neighbour ($k_B$)")
    axes.legend()
    return figure


figure = draw()
