"""Figure of the atoms that carry the entropy of defects, exact and predicted."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from vibentropy.datasets.table import SITE_ENTROPY
from vibentropy.report.figures.style import COLORS, DOUBLE, lay_out, styled
from vibentropy.studies.site_maps import PREDICTED, around_defect

#: Minima and models that have room beside each other; further ones are in the files.
MAX_MINIMA, MAX_MODELS = 7, 3

#: Atoms this far above and below the centre of the defect are drawn, Å.
HALF_SLAB = 3.0

#: Maps show the atoms that hold this part of the squared shares, and a margin (Å) around them.
SHOWN, MARGIN = 0.97, 2.0

#: The scale of colours is linear up to shares of this (k_B), and logarithmic beyond.
LINEAR = 0.03

SHARES = "RdBu_r"

#: Lines of the models; the exact one is wide and grey.
LINES = [{"color": COLORS[k], "ls": line} for k, line in ((1, "-"), (0, (0, (4, 1.5))), (5, ":"))]


@styled
def map_figure(frames: Mapping[str, Sequence[Atoms]]) -> Figure:
    """Put exact shares of atoms in the entropy of minima beside those of models.

    Parameters
    ----------
    frames : dict of list of ase.Atoms
        As from `vibentropy.studies.site_maps.mapped`, of the same minima, by the model, ``descriptor/regressor``; the
        first `MAX_MODELS` are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        One column per minimum, at most `MAX_MINIMA`, with its formation entropy and, below, what the models predict.
        Top: slabs of `HALF_SLAB` on both sides of the centre of the defect, seen along the axis in which its entropy
        extends least; an atom that carries more hides one that carries less. Bottom: the entropy of the atoms within a
        distance of that centre.
    """
    models = list(frames)[:MAX_MODELS]
    minima = list(zip(*(frames[name][:MAX_MINIMA] for name in models), strict=True))
    views = [_View(of_models[0]) for of_models in minima]
    half = max(view.extent for view in views)

    side = min((DOUBLE - 0.95) / len(minima), 1.5)
    width = max(0.95 + side * len(minima), 3.4)
    n_rows = 1 + len(models)
    figure = Figure(figsize=(width, n_rows * (side + 0.16) + 1.5))
    panels = figure.subplots(
        n_rows + 1, len(minima), squeeze=False, gridspec_kw={"height_ratios": [side] * n_rows + [1.05]}
    )
    largest = max(np.abs(of_models[0].arrays[SITE_ENTROPY]).max() for of_models in minima)
    norm = SymLogNorm(min(LINEAR, largest / 2), vmin=-largest, vmax=largest)
    for column, (view, of_models) in enumerate(zip(views, minima, strict=True)):
        exact = of_models[0].arrays[SITE_ENTROPY]
        name = of_models[0].info.get("defect_class") or "unnamed"
        panels[0, column].set_title(f"{name}\n{exact.sum():.2f}$\\,k_\\mathrm{{B}}$", linespacing=1.3)
        predicted = {name: atoms.arrays[PREDICTED] for name, atoms in zip(models, of_models, strict=True)}
        for axes, shares in zip(panels[:-1, column], [exact, *predicted.values()], strict=True):
            view.draw(axes, shares, half, norm)
        for axes, shares in zip(panels[1:-1, column], predicted.values(), strict=True):
            axes.set_title(f"{shares.sum():.2f}", pad=2.5)
        _draw_cumulative(panels[-1, column], view, exact, predicted)
    for axes, name in zip(panels[:-1, 0], ["exact", *models], strict=True):
        axes.set_ylabel(name.replace("/", "\n"))
    _scale_bar(panels[0, 0], half)
    panels[-1, 0].set_ylabel(r"$S(<\!r)$ ($k_\mathrm{B}$)")
    predictions = [atoms.arrays[PREDICTED] for of_models in minima for atoms in of_models]
    _color_bar(figure, panels[:-1], norm, any(np.abs(shares).max() > largest for shares in predictions))
    handles, labels = panels[-1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, handlelength=2.2)
    lay_out(figure)
    return figure


def _draw_cumulative(axes, view, exact, predicted):
    """Draw the entropy of the atoms within a distance of the centre, exact and by the models."""
    axes.step(*view.cumulative(exact), where="post", color="0.7", lw=2.4, label="exact")
    for (name, shares), line in zip(predicted.items(), LINES, strict=False):
        axes.step(*view.cumulative(shares), where="post", **line, label=name.replace("/", ", "))
    axes.axhline(0, color="black", lw=0.4, zorder=0)
    axes.set(xlim=(0, view.distances.max()), xlabel="$r$ (Å)")
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.tick_params(labelsize=6, pad=2)


def _color_bar(figure, panels, norm, beyond):
    """Draw the scale of shares beside the panels that it belongs to, with pointed ends if some are beyond it."""
    bar = figure.colorbar(
        ScalarMappable(norm, SHARES),
        ax=panels.ravel().tolist(),
        label=r"share of the atom in $S_\mathrm{f}$ ($k_\mathrm{B}$)",
        extend="both" if beyond else "neither",
        aspect=30,
        fraction=0.05,
        pad=0.015,
    )
    ticks = [tick for tick in (0.03, 0.1, 0.3, 1, 3, 10) if tick <= norm.vmax]
    bar.ax.yaxis.set_major_locator(FixedLocator([-tick for tick in ticks[::-1]] + [0] + ticks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))


class _View:
    """Slab of atoms around the centre of a defect, seen along the axis in which its entropy extends least.

    Parameters
    ----------
    atoms : ase.Atoms
        With exact shares.
    """

    def __init__(self, atoms):
        vectors, weights = around_defect(atoms), atoms.arrays[SITE_ENTROPY] ** 2
        self.distances = np.linalg.norm(vectors, axis=1)
        moments = weights @ vectors**2
        # Symmetry may make axes equal: take the last of them, whichever rounding makes the smallest.
        axis = np.flatnonzero(moments <= 1.01 * moments.min())[-1]
        in_slab = np.flatnonzero(np.abs(vectors[:, axis]) <= HALF_SLAB)
        self.order = in_slab[np.argsort(weights[in_slab], kind="stable")]
        self.plane = np.delete(vectors, axis, axis=1)
        self.diameter = 0.8 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
        reach = np.abs(self.plane).max(axis=1)
        outwards = np.argsort(reach, kind="stable")
        part = np.cumsum(weights[outwards]) / weights.sum()
        # A small cell ends before that.
        self.extent = min(reach[outwards][np.searchsorted(part, SHOWN)] + MARGIN, reach.max() + self.diameter)

    def draw(self, axes, shares, half, norm):
        """Draw atoms in the colours of their shares."""
        discs = EllipseCollection(
            self.diameter,
            self.diameter,
            0,
            units="xy",
            offsets=self.plane[self.order],
            offset_transform=axes.transData,
            array=shares[self.order],
            cmap=SHARES,
            norm=norm,
            edgecolors="0.35",
            linewidths=0.25,
        )
        axes.add_collection(discs, autolim=False)
        axes.set(xlim=(-half, half), ylim=(-half, half), box_aspect=1, xticks=[], yticks=[])
        axes.minorticks_off()

    def cumulative(self, shares):
        """Sort distances from the centre, and add up the shares of the atoms within each of them."""
        order = np.argsort(self.distances, kind="stable")
        return np.append(0, self.distances[order]), np.append(0, np.cumsum(shares[order]))


def _scale_bar(axes, half):
    """Draw a length of 5 Å."""
    left, bottom = -0.9 * half, -0.9 * half
    axes.plot([left, left + 5], [bottom, bottom], color="black", lw=1.5, solid_capstyle="butt")
    axes.text(
        left + 2.5,
        bottom + 0.04 * half,
        "5 Å",
        ha="center",
        va="bottom",
        fontsize=6,
        bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.8},
    )
