"""Parameters of a Lennard-Jones crystal."""

#: A Lennard-Jones crystal in eV and Å, cut off between two shells of neighbours.
EPSILON, SIGMA, R_CUT = 0.4, 2.3, 4.75
