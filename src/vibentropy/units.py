"""The units of the package, declared once: Å, eV, u, K, and entropies in k_B.

The formation entropy of the classical harmonic limit needs none of the conversions below (mass, temperature and
unit of the Hessian cancel); they serve spectra and entropies given in other units.
"""

import numpy as np
from ase import units as _ase

#: Multiply sqrt(eigenvalue of M^-1/2 H M^-1/2 in eV/Å²/u) by this to get an ordinary frequency in THz.
THZ_PER_SQRT_EV_PER_A2_U = np.sqrt(_ase._e / (_ase._amu * 1e-20)) / (2 * np.pi) * 1e-12

#: Multiply an ordinary frequency in THz by this to get the temperature of its quantum, h ν / k_B, in K.
KELVIN_PER_THZ = _ase._hplanck * 1e12 / _ase._k

#: Entropies in these units, multiplied by the number beside them, are in k_B.
KB_PER_ENTROPY_UNIT = {
    "k_B": 1.0,
    "eV/K": 1.0 / _ase.kB,
    "J/mol/K": _ase.J / _ase.mol / _ase.kB,
}
