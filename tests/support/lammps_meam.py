"""The interpolation of φ that LAMMPS makes for pair style meam, for comparisons to its last digits."""

from dataclasses import replace

import numpy as np

from vibentropy.potentials.meam.functions import constants, pair_potential

#: Points of the table, which ends a tenth beyond the cutoff.
N_POINTS = 1000


def tabulated(potential):
    """The potential with φ interpolated as LAMMPS does: Hermite pieces with five-point slopes at the knots."""
    p = constants(potential.parameters)
    step = 1.1 * p.r_cut / N_POINTS
    # LAMMPS has a finite number at r = 0; no two atoms are as close as the first knots.
    value = np.array([pair_potential(max(k, 1) * step, p)[0] for k in range(N_POINTS)])
    slope = np.zeros(N_POINTS)
    slope[0], slope[1], slope[-2] = value[1] - value[0], (value[2] - value[0]) / 2, (value[-1] - value[-3]) / 2
    slope[2:-2] = (value[:-4] - value[4:] + 8 * (value[3:-1] - value[1:-3])) / 12
    rise = np.diff(value, append=value[-1])
    after = np.append(slope[1:], 0.0)
    table = np.array([value, slope, 3 * rise - 2 * slope - after, slope + after - 2 * rise])
    return replace(potential, table=table, table_step=step)
