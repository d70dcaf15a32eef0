"""Figures of free energies, equilibrium concentrations, and energy against entropy."""

from typing import Any

import numpy as np
import pandas as pd
from ase.units import kB
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vibentropy.report.figures.style import AREAS, DOUBLE, MAX_VECTOR_POINTS, SINGLE, class_styles, lay_out, styled

#: A line is drawn through energies and entropies that are as correlated, of so many minima.
CORRELATED, MANY_ENOUGH = 0.5, 10
#: Concentrations per site below this are not drawn.
SMALLEST_CONCENTRATION = 1e-40
#: Markers of free energies with quantum vibrations.
QUANTUM: dict[str, Any] = {"ls": "none", "marker": "o", "mfc": "white", "mew": 0.8, "zorder": 3}


@styled
def free_energy_figure(equilibrium: pd.DataFrame) -> Figure:
    """Draw free energies of formation against temperature, and an Arrhenius plot of equilibrium concentrations.

    Parameters
    ----------
    equilibrium : pandas.DataFrame
        As from `vibentropy.studies.thermodynamics.equilibrium`.

    Returns
    -------
    matplotlib.figure.Figure
        The lowest minimum of each class; free energies with quantum vibrations, where there are some, as markers on
        the classical lines; concentrations with the entropy and, dashed, without it.
    """
    styles = class_styles(equilibrium["defect_class"])
    figure = Figure(figsize=(DOUBLE, 2.6))
    energies, arrhenius = figure.subplots(1, 2)
    handles = []
    for name in equilibrium["defect_class"].unique():
        rows = equilibrium[equilibrium["defect_class"] == name]
        color, inverse = styles[name]["color"], 1000 / rows["temperature"]
        energies.plot(rows["temperature"], rows["free_energy"], color=color)
        energies.plot(rows["temperature"], rows["quantum_free_energy"], **QUANTUM, mec=color)
        arrhenius.semilogy(inverse, rows["concentration"], color=color)
        arrhenius.semilogy(inverse, rows["concentration_without_entropy"], color=color, ls=(0, (4, 2)), lw=0.6)
        handles.append(Line2D([], [], color=color, label=name or "unnamed"))
    energies.set(xlabel="temperature (K)", ylabel=r"$F_\mathrm{f} = E_\mathrm{f} - T S_\mathrm{f}$ (eV)")
    # Fewer than one in all the crystals of the world are none.
    smallest, largest = equilibrium["concentration"].agg(["min", "max"])
    arrhenius.set_ylim(max(smallest, SMALLEST_CONCENTRATION), 10 * largest)
    present = equilibrium.loc[equilibrium["concentration"] > SMALLEST_CONCENTRATION, "temperature"]
    if len(present):
        arrhenius.set_xlim(1000 / equilibrium["temperature"].max(), 1000 / present.min())
    drawn = equilibrium[equilibrium["concentration"] >= SMALLEST_CONCENTRATION]
    arrhenius.set_xlim(right=1.02 * 1000 / drawn["temperature"].min() if len(drawn) else None)
    arrhenius.set(xlabel=r"1000 K / $T$", ylabel="equilibrium concentration per site")
    handles += [
        Line2D([], [], color="black", label=r"with $S_\mathrm{f}$"),
        Line2D([], [], color="black", ls=(0, (4, 2)), lw=0.6, label=r"$S_\mathrm{f} = 0$"),
    ]
    if equilibrium["quantum_free_energy"].notna().any():
        handles.append(Line2D([], [], **QUANTUM, mec="black", label="quantum vibrations"))
    figure.legend(handles=handles, loc="outside right center")
    lay_out(figure)
    return figure


@styled
def compensation_figure(table: pd.DataFrame, lines: pd.DataFrame) -> Figure:
    """Draw the energy of formation against entropy of formation, by class.

    Parameters
    ----------
    table : pandas.DataFrame
        Labelled minima with energies of formation.
    lines : pandas.DataFrame
        As from `vibentropy.studies.thermodynamics.compensation`.

    Returns
    -------
    matplotlib.figure.Figure
        One point per minimum, their number in the legend. Where there are enough of a class and they are correlated,
        a line of least squares, its slope as a temperature.
    """
    styles = class_styles(table["defect_class"])
    figure = Figure(figsize=(SINGLE, 3.0))
    axes = figure.subplots()
    many = len(table) > MAX_VECTOR_POINTS
    handles = []
    for row in lines.to_dict("records"):
        name, correlation, temperature = row["defect_class"], row["correlation"], row["compensation_temperature"]
        minima, style = table[table["defect_class"] == name], styles[name]
        entropy, energy = minima["formation_entropy"].to_numpy(), minima["formation_energy"].to_numpy()
        axes.scatter(
            entropy,
            energy,
            s=0.5 * AREAS[style["marker"]],
            lw=0,
            alpha=0.6,
            color=style["color"],
            marker=style["marker"],
            rasterized=many,
        )
        label = f"{name or 'unnamed'} ({row['minima']})"
        if abs(correlation) >= CORRELATED and row["minima"] >= MANY_ENOUGH:
            ends = np.array([entropy.min(), entropy.max()])
            line = energy.mean() + kB * temperature * (ends - entropy.mean())
            axes.plot(ends, line, color=style["color"], lw=0.9, zorder=0)
            label += f": {temperature:.0f} K, r = {correlation:.2f}"
        handles.append(Line2D([], [], ls="", marker=style["marker"], mec="none", mfc=style["color"], label=label))
    axes.set(xlabel=r"exact $S_\mathrm{f}$ ($k_\mathrm{B}$)", ylabel=r"$E_\mathrm{f}$ (eV)")
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    lay_out(figure)
    return figure
