"""Exact vibrational formation entropies of crystal defects, and linear surrogates of cost O(N)."""

from importlib.metadata import version

__version__ = version("vibentropy")
