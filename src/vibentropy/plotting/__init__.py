"""Figures, made as objects without pyplot and its global state, in the style of ``vibentropy.mplstyle``."""

from vibentropy.plotting.comparison import comparison
from vibentropy.plotting.distributions import labels
from vibentropy.plotting.learning import learning
from vibentropy.plotting.maps import maps
from vibentropy.plotting.nonlinear import nonlinear
from vibentropy.plotting.overview import overview
from vibentropy.plotting.predictions import extrapolation, parity
from vibentropy.plotting.reliability import reliability
from vibentropy.plotting.style import DOUBLE, SINGLE, class_styles, save
from vibentropy.plotting.thermodynamics import compensation, free_energy
from vibentropy.plotting.timing import cost, scale, speed

__all__ = [
    "DOUBLE",
    "SINGLE",
    "class_styles",
    "comparison",
    "compensation",
    "cost",
    "extrapolation",
    "free_energy",
    "labels",
    "learning",
    "maps",
    "nonlinear",
    "overview",
    "parity",
    "reliability",
    "save",
    "scale",
    "speed",
]
