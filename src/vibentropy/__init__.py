"""Exact vibrational formation entropies of crystal defects, and linear surrogates of cost O(N)."""

import os
from importlib import import_module
from importlib.metadata import version

# Threads of compiled loops wait for each other by spinning, unless OpenMP is told otherwise before it is loaded. On two
# cores that two other processes keep busy, a million atoms then took more than 100 s; they take 14 s if threads sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = version("vibentropy")

__all__ = ["EntropyModel", "Potential", "SaddlePointError", "VibentropyError", "formation_entropy"]

#: Module of each name, imported when it is first asked for: `vibentropy --help` needs none of the numerics.
_MODULES = {
    "EntropyModel": "model",
    "Potential": "potentials.embedded_atom",
    "SaddlePointError": "errors",
    "VibentropyError": "errors",
    "formation_entropy": "labels.entropy",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return sorted({*globals(), *_MODULES})
