"""Functions of one variable that modified embedded atoms are made of, each with its first two derivatives.

Forms and names are those of LAMMPS (Gullet, Wagner, Slepoy, SANDIA report 2003-8782; Baskes, Phys. Rev. B 46, 2727
(1992); Lee and Baskes, Phys. Rev. B 62, 8564 (2000)).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vibentropy.numerics.machine_code import njit
from vibentropy.potentials.meam.files import MeamParameters
from vibentropy.potentials.meam.lattices import LATTICES

#: A value and its first two derivatives.
Derivatives = tuple[float, float, float]

#: Below this density of the reference lattice φ is zero, as in LAMMPS.
_NO_REFERENCE_DENSITY = 1e-14
#: Densities of atoms below this count as zero: their squares underflow, and inverses overflow.
NO_DENSITY = 1e-150
#: Terms of the series that takes second neighbours into the pair potential.
_SERIES = 10
#: Between these values of α (r/re - 1) the repulsion of nuclei replaces φ.
_ZBL_BEGINS, _ZBL_ALONE = -1.0, -3.0
#: The universal screening of nuclei: amplitudes, decay, length (Å) and e²/4πε₀ (eV Å), with the digits of LAMMPS.
#: Ziegler, Biersack, Littmark, The Stopping and Range of Ions in Matter (Pergamon 1985).
_ZBL_AMPLITUDES = np.array([0.028171, 0.28022, 0.50986, 0.18175])
_ZBL_DECAYS = np.array([0.20162, 0.40290, 0.94229, 3.1998])
_ZBL_LENGTH, _COULOMB = 0.4685, 14.3997
#: A little more than 1, for rounding of distances.
_MORE = 1 + 1e-9


class Constants(NamedTuple):
    """Parameters as compiled functions take them.

    Attributes
    ----------
    energy : float, eV
        Cohesive energy E_c.
    embedding : float, eV
        A E_c.
    re, alpha, attrac, repuls : float
        See `MeamParameters`.
    erose_form, ibar : int
        See `MeamParameters`.
    smoothing : float
        Exponent of G below Γ ≈ -1.
    linear : bool
        Whether the embedding function is linear in negative densities, else zero.
    decay : ndarray of shape (4,), 1/Å
        β_l/re.
    rho0 : float
        See `MeamParameters`.
    weights : ndarray of shape (3,)
        Of the partial densities in Γ, t1 augmented where the files want it.
    background : float
        Density that ρ̄ is in units of.
    neighbours : float
        Number of first neighbours in the reference lattice.
    second_neighbours : float
        Number of second neighbours in the reference lattice times their screening, 0 where they do not interact.
    ratio : float
        Distance of second neighbours in units of that of first ones.
    shape : float
        t3 times the third partial density of the reference lattice, squared, in units of that of one neighbour.
    charge : float
        Atomic number where nuclei repel each other at short distances, else 0.
    c_min, c_max : float
        Bounds of screening.
    farthest : float
        No atom screens a pair if its squared distance from either atom of the pair is more than so many times the
        squared distance of the pair.
    r_cut : float, Å
        Cutoff.
    shell : float, Å
        Width of the shell in which functions go to zero at the cutoff.
    """

    energy: float
    embedding: float
    re: float
    alpha: float
    attrac: float
    repuls: float
    erose_form: int
    ibar: int
    smoothing: float
    linear: bool
    decay: NDArray[np.float64]
    rho0: float
    weights: NDArray[np.float64]
    background: float
    neighbours: float
    second_neighbours: float
    ratio: float
    shape: float
    charge: float
    c_min: float
    c_max: float
    farthest: float
    r_cut: float
    shell: float


def constants(parameters: MeamParameters) -> Constants:
    """Derive the constants of compiled functions from the parameters of a potential.

    Parameters
    ----------
    parameters : MeamParameters

    Returns
    -------
    Constants
    """
    p, lattice = parameters, LATTICES[parameters.lattice]
    weights = np.array(p.t)
    weights[0] += 0.6 * p.t[2] * p.augt1
    width = p.Cmax - p.Cmin
    # All second neighbours are screened alike, by first ones with C = 4/ratio² - 1.
    screening = cutoff((4 / lattice.ratio**2 - 1 - p.Cmin) / width)[0] ** lattice.screening
    second_neighbours = p.nn2 * lattice.second_neighbours * screening
    shape = float(weights @ lattice.shape)
    steepening = 1.0 if p.ibar <= 0 else angular(shape / lattice.neighbours**2, p.ibar, p.gsmooth_factor)[0]
    if p.mixture_ref_t:
        background = p.rho0 * lattice.neighbours * steepening
    elif p.bkgd_dyn:
        background = p.rho0 * lattice.neighbours
    else:
        second = second_neighbours * np.exp(-p.beta[0] * (lattice.ratio - 1))
        background = p.rho0 * (lattice.neighbours + second) * steepening
    return Constants(
        energy=p.Ec,
        embedding=p.asub * p.Ec,
        re=p.re,
        alpha=p.alpha,
        attrac=p.attrac,
        repuls=p.repuls,
        erose_form=p.erose_form,
        ibar=p.ibar,
        smoothing=p.gsmooth_factor,
        linear=bool(p.emb_lin_neg),
        decay=np.array(p.beta) / p.re,
        rho0=p.rho0,
        weights=weights,
        background=float(background),
        neighbours=float(lattice.neighbours),
        second_neighbours=float(second_neighbours),
        ratio=float(lattice.ratio),
        shape=shape,
        charge=float(p.atomic_number * p.zbl),
        c_min=p.Cmin,
        c_max=p.Cmax,
        farthest=search_factor(p.Cmax) * _MORE,
        r_cut=p.rc,
        shell=p.delr,
    )


def search_factor(c_max: float) -> float:
    """Bound the distance of screening atoms from a pair.

    Parameters
    ----------
    c_max : float

    Returns
    -------
    float
        Squared distance from either atom of the pair to the far end of the largest ellipse that counts, in units of
        the squared distance of the pair.
    """
    return c_max**2 / (4 * (c_max - 1)) if c_max > 2 else 1.0


@njit(nogil=True)
def cutoff(x: float) -> Derivatives:
    """Go from 0 at x = 0 to 1 at x = 1: [1 - (1 - x)⁴]².

    The second derivative jumps from 0 to 32 at x = 0.

    Parameters
    ----------
    x : float

    Returns
    -------
    tuple of 3 float
        The value and its first two derivatives; so below.
    """
    if x >= 1.0:
        return 1.0, 0.0, 0.0
    if x <= 0.0:
        return 0.0, 0.0, 0.0
    y = 1.0 - x
    # 1 - y⁴, without a difference of numbers that are nearly the same.
    u = x * (1.0 + y) * (1.0 + y * y)
    return u * u, 8.0 * y * y * y * u, 32.0 * y**6 - 24.0 * y * y * u


@njit(nogil=True)
def angular(gamma: float, ibar: int, smoothing: float) -> Derivatives:
    """Compute G(Γ), by which bond angles change the density.

    Parameters
    ----------
    gamma : float
    ibar : int
        1: exp(Γ/2); 3: 2/(1 + exp(-Γ)); 0 and 4: sqrt(1 + Γ), continued by a power of Γ where that comes close to zero;
        -5: sqrt(1 + Γ) with the sign of 1 + Γ.
    smoothing : float
        n of that power: below Γ = -n/(n + 1), G² = (n/(n + 1)/-Γ)ⁿ/(n + 1).

    Returns
    -------
    tuple of 3 float
        NaN at Γ = -1 for ibar -5, where G has no derivative.
    """
    if ibar == 1:
        g = np.exp(gamma / 2)
        return g, g / 2, g / 4
    if ibar == 3:
        g = 2 / (1 + np.exp(-gamma))
        g1 = g * (2 - g) / 2
        return g, g1, g1 * (1 - g)
    if ibar == -5:
        if gamma == -1.0:
            return 0.0, np.nan, np.nan
        g = np.sqrt(abs(1 + gamma))
        if gamma > -1.0:
            return g, 0.5 / g, -0.25 / g**3
        return -g, 0.5 / g, 0.25 / g**3
    switch = -smoothing / (smoothing + 1)
    if gamma < switch:
        g = np.sqrt((switch / gamma) ** smoothing / (smoothing + 1))
        power = smoothing / 2
        return g, -power * g / gamma, power * (power + 1) * g / gamma**2
    g = np.sqrt(1 + gamma)
    return g, 0.5 / g, -0.25 / g**3


@njit(nogil=True)
def embedding(density: float, p: Constants) -> Derivatives:
    """Compute F = A E_c ρ̄ ln ρ̄; for negative densities zero or -A E_c ρ̄.

    Parameters
    ----------
    density : float
        ρ̄.
    p : Constants

    Returns
    -------
    tuple of 3 float, eV
    """
    if density > NO_DENSITY:
        logarithm = np.log(density)
        return (
            p.embedding * density * logarithm,
            p.embedding * (1 + logarithm),
            p.embedding / density,
        )
    if p.linear:
        return -p.embedding * density, -p.embedding, 0.0
    return 0.0, 0.0, 0.0


@njit(nogil=True)
def equation_of_state(r: float, p: Constants) -> Derivatives:
    """Energy of an atom of the reference lattice, E = -E_c (1 + a + c a³) exp(-a) with a = α (r/re - 1).

    Rose, Smith, Guinea, Ferrante, Phys. Rev. B 29, 2963 (1984). c is ``attrac`` where a is positive, else ``repuls``
    (form 2); over r/re (form 0); or ``repuls``/r - ``attrac`` (form 1).

    Parameters
    ----------
    r : float
        Distance of first neighbours, Å.
    p : Constants

    Returns
    -------
    tuple of 3 float, eV and Å
    """
    slope = p.alpha / p.re
    a = slope * (r - p.re)
    if p.erose_form == 1:
        c, c1, c2 = p.repuls / r - p.attrac, -p.repuls / r**2, 2 * p.repuls / r**3
    else:
        c, c1, c2 = p.attrac if a >= 0 else p.repuls, 0.0, 0.0
        if p.erose_form == 0:
            c *= p.re
            c, c1, c2 = c / r, -c / r**2, 2 * c / r**3
    cube, cube1, cube2 = a**3, 3 * a * a * slope, 6 * a * slope**2
    w = 1 + a + c * cube
    w1 = slope + c1 * cube + c * cube1
    w2 = c2 * cube + 2 * c1 * cube1 + c * cube2
    e = -p.energy * np.exp(-a)
    return e * w, e * (w1 - slope * w), e * (w2 - 2 * slope * w1 + slope**2 * w)


@njit(nogil=True)
def _neighbours_density(r, p):
    """Density that the neighbours of an atom of the reference lattice add up to, before angles count."""
    x = p.neighbours * p.rho0 * np.exp(-p.decay[0] * (r - p.re))
    y = p.second_neighbours * p.rho0 * np.exp(-p.decay[0] * (p.ratio * r - p.re))
    g, h = -p.decay[0], -p.decay[0] * p.ratio
    return x + y, g * x + h * y, g * g * x + h * h * y


@njit(nogil=True)
def _reference_density(r, rho, rho1, rho2, p):
    """Density ρ̄ at an atom of the reference lattice, given that of the neighbours."""
    # Γ = t3 s3 ρ3²/ρ0²: of the lattices that are covered, only hcp has one.
    z = p.shape * (p.rho0 * np.exp(-p.decay[3] * (r - p.re))) ** 2 / rho**2
    # Its logarithm has simple derivatives.
    u = -2 * p.decay[3] - 2 * rho1 / rho
    u1 = -2 * (rho2 / rho - (rho1 / rho) ** 2)
    z1, z2 = z * u, z * (u * u + u1)
    f, f1, f2 = angular(z, p.ibar, p.smoothing)
    f2 = f2 * z1 * z1 + f1 * z2
    f1 *= z1
    return (
        rho * f / p.background,
        (rho1 * f + rho * f1) / p.background,
        (rho2 * f + 2 * rho1 * f1 + rho * f2) / p.background,
    )


@njit(nogil=True)
def _first_neighbours(r, p):
    """Pair potential of a reference lattice whose second neighbours do not interact: 2 (E - F)/Z."""
    rho, rho1, rho2 = _neighbours_density(r, p)
    if rho <= _NO_REFERENCE_DENSITY:
        return 0.0, 0.0, 0.0
    rho, rho1, rho2 = _reference_density(r, rho, rho1, rho2, p)
    e, e1, e2 = equation_of_state(r, p)
    f, f1, f2 = embedding(rho, p)
    factor = 2 / p.neighbours
    return factor * (e - f), factor * (e1 - f1 * rho1), factor * (e2 - f2 * rho1**2 - f1 * rho2)


@njit(nogil=True)
def _nuclei(r, charge):
    """Repulsion of two nuclei of equal charge with the universal screening."""
    length = _ZBL_LENGTH / (2 * charge**0.23)
    v, v1, v2 = 0.0, 0.0, 0.0
    for k in range(4):
        rate = _ZBL_DECAYS[k] / length
        term = charge**2 * _COULOMB * _ZBL_AMPLITUDES[k] * np.exp(-rate * r) / r
        v += term
        v1 -= term * (rate + 1 / r)
        v2 += term * ((rate + 1 / r) ** 2 + 1 / r**2)
    return v, v1, v2


@njit(nogil=True)
def pair_potential(r: float, p: Constants) -> Derivatives:
    """Compute φ(r), which gives the reference lattice its equation of state.

    With second neighbours at distance a r, screened by S, φ(r) + Z2 S/Z φ(a r) is what first neighbours alone would
    need; solved by a series of ten terms (Lee and Baskes, Phys. Rev. B 62, 8564 (2000), eq. 21). The repulsion of
    nuclei takes over between α (r/re - 1) = -1 and -3.

    Parameters
    ----------
    r : float
        Å.
    p : Constants

    Returns
    -------
    tuple of 3 float, eV and Å
    """
    astar = p.alpha * (r / p.re - 1)
    v, v1, v2 = 0.0, 0.0, 0.0
    if p.charge == 0.0 or astar > _ZBL_ALONE:
        v, v1, v2 = _first_neighbours(r, p)
        factor, scale = 1.0, 1.0
        if p.second_neighbours > 0.0:
            for _ in range(_SERIES):
                factor *= -p.second_neighbours / p.neighbours
                scale *= p.ratio
                x, x1, x2 = _first_neighbours(scale * r, p)
                if x == 0.0:
                    break
                v += factor * x
                v1 += factor * scale * x1
                v2 += factor * scale**2 * x2
    if p.charge > 0.0 and astar < _ZBL_BEGINS:
        z, z1, z2 = _nuclei(r, p.charge)
        f, f1, f2 = cutoff((astar - _ZBL_ALONE) / (_ZBL_BEGINS - _ZBL_ALONE))
        slope = p.alpha / p.re / (_ZBL_BEGINS - _ZBL_ALONE)
        f1, f2 = f1 * slope, f2 * slope**2
        v2 = f2 * (v - z) + 2 * f1 * (v1 - z1) + f * v2 + (1 - f) * z2
        v1 = f1 * (v - z) + f * v1 + (1 - f) * z1
        v = f * v + (1 - f) * z
    return v, v1, v2


@njit(nogil=True)
def cutoff_at(r: float, p: Constants) -> Derivatives:
    """Let functions of distance go to zero at the cutoff.

    Parameters
    ----------
    r : float
        Å.
    p : Constants

    Returns
    -------
    tuple of 3 float, in units of 1/Å for derivatives
    """
    f, f1, f2 = cutoff((p.r_cut - r) / p.shell)
    return f, -f1 / p.shell, f2 / p.shell**2
