"""Exact vibrational formation entropies of crystal defects, and linear surrogates of cost O(N)."""

from importlib.metadata import version

from vibentropy.errors import SaddlePointError, VibentropyError
from vibentropy.harmonic import formation_entropy
from vibentropy.model import EntropyModel
from vibentropy.potentials import Potential

__version__ = version("vibentropy")

__all__ = ["EntropyModel", "Potential", "SaddlePointError", "VibentropyError", "formation_entropy"]
