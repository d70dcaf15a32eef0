"""Exact vibrational formation entropies of crystal defects, and linear surrogates of cost O(N)."""

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .atoms.neighbours import neighbour_pairs
    from .datasets.store import ConfigurationSet
    from .errors import SaddlePointError, VibentropyError
    from .labels.binding import binding
    from .labels.entropy import formation_entropy
    from .labels.phonopy_files import write_phonopy
    from .learning.force_law import learn_force_law
    from .learning.meam_law import learn_meam_law
    from .model.entropy_model import EntropyModel
    from .potentials.embedded_atom import Potential
    from .potentials.from_config import load_potential
    from .potentials.relaxation import relax
    from .sources.archives import read_archive

# Threads of compiled loops wait for each other by spinning, unless OpenMP is told otherwise before it is loaded. On two
# cores that two other processes keep busy, a million atoms then took more than 100 s; they take 14 s if threads sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = version("vibentropy")

__all__ = [
    "ConfigurationSet",
    "EntropyModel",
    "Potential",
    "SaddlePointError",
    "VibentropyError",
    "binding",
    "formation_entropy",
    "learn_force_law",
    "learn_meam_law",
    "load_potential",
    "neighbour_pairs",
    "read_archive",
    "relax",
    "write_phonopy",
]

#: Module of each name, imported when it is first asked for: `vibentropy --help` needs none of the numerics.
_MODULES = {
    "ConfigurationSet": "datasets.store",
    "EntropyModel": "model.entropy_model",
    "Potential": "potentials.embedded_atom",
    "SaddlePointError": "errors",
    "VibentropyError": "errors",
    "binding": "labels.binding",
    "formation_entropy": "labels.entropy",
    "learn_force_law": "learning.force_law",
    "learn_meam_law": "learning.meam_law",
    "load_potential": "potentials.from_config",
    "neighbour_pairs": "atoms.neighbours",
    "read_archive": "sources.archives",
    "relax": "potentials.relaxation",
    "write_phonopy": "labels.phonopy_files",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
