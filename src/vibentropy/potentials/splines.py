"""Smooth functions that tables were made from, by least-squares splines.

A table of ten digits on a grid of 5e-4 Å differentiated twice is mostly rounding noise. A least-squares spline whose
knots are some hundred grid steps apart averages that noise away, as long as it still follows the function itself.
`fit_table` therefore measures the rounding of the table, and refines the knots until spline and table differ by that
rounding only, or until pieces would hold too few points. `fit_finer` goes on to pieces of half the length: they follow
the table more closely and its rounding with it, so that what differs between the two says what the table leaves open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PPoly, make_lsq_spline
from scipy.ndimage import median_filter
from scipy.optimize import minimize_scalar
from scipy.special import comb

from vibentropy.numerics.machine_code import njit

#: Order of the differences that measure rounding: six annihilate any function that is smooth on the grid.
_DIFFERENCE_ORDER = 6

#: Over how many grid points rounding is averaged.
_NOISE_WINDOW = 41

#: A spline piece follows the table when its residual is below so many times the rounding.
_ACCEPTED_RATIO = 1.5

#: Smallest number of grid points in a piece, so that its coefficients average the rounding instead of following it.
_MIN_POINTS_PER_PIECE = 12

#: Smallest rounding that is assumed (in the unit of the table).
_NOISE_FLOOR = 1e-11

#: Tables of more decimals than this show their rounding in differences everywhere.
_MAX_DECIMALS = 8

#: Grid points on either side among which a jump of the second derivative is located.
_JUMP_WINDOW = 60

#: A smallest piece whose residual is this many times the rounding contains a jump of the second derivative; residuals
#: below that come from rounding that is not quite random.
_JUMP_RATIO = 20.0

#: So many jumps of its second derivative are looked for in a function.
_MAX_JUMPS = 4

#: Degree of the pieces, and how often a knot between two of them is repeated: two continuous derivatives are left.
_DEGREE, _MULTIPLICITY = 5, 3


class SideBySide(Protocol):
    """Any tuple with the attributes of `Splines`."""

    @property
    def breaks(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def coefficients(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def lookup(self) -> NDArray[np.int64]: ...  # noqa: D102

    @property
    def n_pieces(self) -> NDArray[np.int64]: ...  # noqa: D102

    @property
    def n_bins(self) -> NDArray[np.int64]: ...  # noqa: D102


class Splines(NamedTuple):
    """Functions side by side, as compiled code takes them; rows are filled up to the length of the longest.

    Attributes
    ----------
    breaks : ndarray of shape (n_functions, max_pieces + 1)
    coefficients : ndarray of shape (n_functions, max_pieces, 6)
    lookup : ndarray of shape (n_functions, max_bins), int64
        See `SmoothFunction`.
    n_pieces, n_bins : ndarray of shape (n_functions,), int64
        How much of each row counts.
    """

    breaks: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    lookup: NDArray[np.int64]
    n_pieces: NDArray[np.int64]
    n_bins: NDArray[np.int64]


@dataclass(frozen=True)
class SmoothFunction:
    """A piecewise quintic polynomial, with a table that finds the piece of an argument.

    Attributes
    ----------
    breaks : ndarray of shape (n_pieces + 1,)
        Borders of the pieces; outside, the first and the last piece are continued.
    coefficients : ndarray of shape (n_pieces, 6)
        Ascending powers of the distance to the left border.
    lookup : ndarray of shape (n_bins,), int64
        Piece at the left border of each bin of a uniform grid that is finer than the pieces.
    max_residual : float
        Largest deviation from the table, in units of max(1, |value|).
    noise : float
        Root mean square rounding of the table, measured by its sixth differences.
    jumps : tuple of float
        Those of the breaks at which the second derivative jumps.
    """

    breaks: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    lookup: NDArray[np.int64]
    max_residual: float
    noise: float
    jumps: tuple[float, ...]

    def __call__(self, x: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Values of the spline and its first two derivatives, each of the shape of ``x``."""
        x = np.asarray(x, dtype=float)
        flat = _evaluate_many(x.ravel(), side_by_side([self]))
        return tuple(column.reshape(x.shape) for column in flat)


def side_by_side(functions: Sequence[SmoothFunction]) -> Splines:
    """Put functions side by side for compiled code.

    Parameters
    ----------
    functions : sequence of SmoothFunction

    Returns
    -------
    Splines
        In the same order.
    """
    return Splines(
        _filled([function.breaks for function in functions]),
        _filled([function.coefficients for function in functions]),
        _filled([function.lookup for function in functions]),
        np.array([len(function.coefficients) for function in functions]),
        np.array([len(function.lookup) for function in functions]),
    )


def _filled(rows):
    """Put arrays of different lengths into one, with zeros behind the shorter ones."""
    longest = max(map(len, rows))
    return np.stack([np.pad(row, [(0, longest - len(row)), *[(0, 0)] * (row.ndim - 1)]) for row in rows])


@njit(nogil=True, inline="always")
def evaluate(x: float, k: int, splines: SideBySide) -> tuple[float, float, float]:
    """Value, first and second derivative of one of several functions at one point; compiled.

    Parameters
    ----------
    x : float
        Outside the breaks, the first or the last piece is continued.
    k : int
        Which function.
    splines : SideBySide

    Returns
    -------
    value, slope, curvature : float
    """
    breaks, n_pieces, n_bins = splines.breaks, splines.n_pieces[k], splines.n_bins[k]
    span = breaks[k, n_pieces] - breaks[k, 0]
    nearest = int((x - breaks[k, 0]) / span * n_bins)
    piece = splines.lookup[k, min(max(nearest, 0), n_bins - 1)]
    while piece + 1 < n_pieces and x >= breaks[k, piece + 1]:
        piece += 1
    # Division and multiplication round differently: the bin may be one too far to the right.
    while piece > 0 and x < breaks[k, piece]:
        piece -= 1
    t = x - breaks[k, piece]
    value = slope = curvature = 0.0
    for power in range(splines.coefficients.shape[2] - 1, -1, -1):
        curvature = curvature * t + 2.0 * slope
        slope = slope * t + value
        value = value * t + splines.coefficients[k, piece, power]
    return value, slope, curvature


@njit(nogil=True)
def _evaluate_many(x, splines):
    values, slopes, curvatures = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for i in range(x.shape[0]):
        values[i], slopes[i], curvatures[i] = evaluate(x[i], 0, splines)
    return values, slopes, curvatures


def rounding_noise(y: NDArray[np.floating]) -> NDArray[np.floating]:
    """Local root mean square of the rounding of a table on a uniform grid.

    Sixth differences annihilate the smooth function and multiply independent roundings by sqrt(924); their median
    ignores the few that straddle a kink.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,), in the unit of ``y``
    """
    m = _DIFFERENCE_ORDER
    differences = np.diff(y, m) / np.sqrt(comb(2 * m, m))
    median = median_filter(np.abs(np.pad(differences, m // 2, mode="edge")), _NOISE_WINDOW, mode="nearest")
    return np.maximum(1.4826 * median, max(_NOISE_FLOOR, _decimal_rounding(y)))


def _decimal_rounding(y):
    """Root mean square rounding of a table that was printed with a few decimals; 0 for one of more, or of zeros.

    Where such a table hardly changes from one point to the next it goes in steps, and differences see no rounding.
    """
    for decimals in range(1, _MAX_DECIMALS + 1):
        if y.any() and (np.abs(y - np.round(y, decimals)) <= 1e-15 * np.abs(y)).all():
            return 10.0**-decimals / np.sqrt(12)
    return 0.0


def fit_table(
    x: NDArray[np.floating], y: NDArray[np.floating], noise: NDArray[np.floating], spacing: float
) -> SmoothFunction:
    """Least-squares spline that reproduces a table to its rounding and no further.

    The pieces are quintics joined with a continuous second derivative, a family that holds the cubic splines most
    tables were printed from as well as steep exponentials. They start at multiples of ``spacing``, where authors
    put their knots, and are halved until they leave nothing but rounding. Where even the smallest pieces fail, the
    second derivative jumps: there only value and slope stay continuous.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        The table; ``x`` increases.
    noise : ndarray of shape (n,)
        Rounding of ``y`` (see `rounding_noise`).
    spacing : float
        Distance of the first knots, in the unit of ``x``.

    Returns
    -------
    SmoothFunction
        The best such function of any table, also of one that steps or is coarse: ``max_residual`` says how close.
    """
    borders, jumps = _refined_pieces(x, y, noise, spacing)
    return _smooth(x, y, noise, _least_squares(x, y, noise, borders, jumps), jumps)


def fit_finer(
    x: NDArray[np.floating], y: NDArray[np.floating], noise: NDArray[np.floating], function: SmoothFunction
) -> SmoothFunction:
    """Least-squares spline of a table with pieces of half the length, to compare with.

    Its noise in the second derivative is 2^(5/2) times that of the first, so that the two differ by more than either is
    off: where rounding is what limits both, and where the first one's pieces were too long.

    Parameters
    ----------
    x, y, noise : ndarray of shape (n,)
        As of `fit_table`.
    function : SmoothFunction
        What `fit_table` made of them.

    Returns
    -------
    SmoothFunction
        Pieces with too few points to be halved are as they were.
    """
    points = np.diff(np.searchsorted(x, function.breaks))
    middles = ((function.breaks[1:] + function.breaks[:-1]) / 2)[points >= _MIN_POINTS_PER_PIECE]
    borders = np.sort(np.concatenate([function.breaks, middles]))
    return _smooth(x, y, noise, _least_squares(x, y, noise, borders, function.jumps), function.jumps)


def _smooth(x, y, noise, spline, jumps):
    """Bring a spline into the form in which it is evaluated."""
    residual = float(np.max(np.abs(spline(x) - y) / np.maximum(1.0, np.abs(y))))
    pieces = PPoly.from_spline(spline)
    proper = np.diff(pieces.x) > 0
    breaks = np.append(pieces.x[:-1][proper], pieces.x[-1])
    coefficients = np.ascontiguousarray(pieces.c[::-1, proper].T)
    # Beyond the cutoff of a density the table is exactly zero, and so is the function: its Hessian stays sparse.
    piece = np.clip(np.searchsorted(breaks, x, side="right") - 1, 0, len(coefficients) - 1)
    coefficients[np.bincount(piece, y != 0, minlength=len(coefficients)) == 0] = 0.0
    grid = np.linspace(breaks[0], breaks[-1], 4 * len(coefficients) + 1)[:-1]
    lookup = np.searchsorted(breaks, grid, side="right") - 1
    return SmoothFunction(breaks, coefficients, lookup, residual, float(np.sqrt(np.mean(noise**2))), tuple(jumps))


def _least_squares(x, y, noise, borders, jumps):
    """Weighted least-squares spline with given borders of its pieces."""
    repeated = np.where(np.isin(borders[1:-1], jumps), _MULTIPLICITY + 1, _MULTIPLICITY)
    ends = _DEGREE + 1
    knots = np.concatenate([np.repeat(x[0], ends), np.repeat(borders[1:-1], repeated), np.repeat(x[-1], ends)])
    return make_lsq_spline(x, y, knots, k=_DEGREE, w=1 / noise)


def _refined_pieces(x, y, noise, spacing):
    """Borders of the pieces of `fit_table`, and those among them where the second derivative jumps."""
    grid = np.arange(np.floor(x[0] / spacing) + 1, np.ceil(x[-1] / spacing)) * spacing
    jumps: list[float] = []
    while True:
        start = np.unique(np.concatenate([x[:1], grid, jumps, x[-1:]]))
        borders = _without_small_pieces(x, start, keep=jumps)
        while True:
            spline = _least_squares(x, y, noise, borders, jumps)
            piece = np.clip(np.searchsorted(borders, x, side="right") - 1, 0, len(borders) - 2)
            count = np.bincount(piece, minlength=len(borders) - 1)
            square = np.bincount(piece, ((spline(x) - y) / noise) ** 2, minlength=len(borders) - 1)
            ratio = np.sqrt(square / count)
            divisible = (ratio > _ACCEPTED_RATIO) & (count >= 2 * _MIN_POINTS_PER_PIECE)
            middles = (borders[1:] + borders[:-1])[divisible] / 2
            divided = _without_small_pieces(x, np.unique(np.concatenate([borders, middles])), keep=jumps)
            # Where points are not evenly spaced, half a piece may hold too few of them although the whole held enough.
            if len(divided) == len(borders):
                break
            borders = divided
        if ratio.max() < _JUMP_RATIO or len(jumps) == _MAX_JUMPS:
            return borders, jumps
        worst = int(np.argmax(ratio))
        jump = _jump_in_curvature(x, y, noise, (borders[worst] + borders[worst + 1]) / 2)
        if any(abs(jump - other) < borders[worst + 1] - borders[worst] for other in jumps):
            return borders, jumps
        jumps.append(jump)


def _jump_in_curvature(x, y, noise, near):
    """Where the second derivative of a table jumps: the best joint of two quintics with equal value and slope."""
    centre = int(np.searchsorted(x, near))
    window = slice(max(centre - _JUMP_WINDOW, 0), centre + _JUMP_WINDOW)
    u, scale = x[window] - near, x[window][-1] - x[window][0]

    def misfit(joint):
        right = np.maximum(u - joint, 0) / scale
        basis = np.stack([(u / scale) ** k for k in range(6)] + [right**k for k in range(2, 6)], axis=1)
        basis /= noise[window, None]
        target = y[window] / noise[window]
        solution = np.linalg.lstsq(basis, target, rcond=None)[0]
        return np.sum((basis @ solution - target) ** 2)

    joints = u[_MIN_POINTS_PER_PIECE:-_MIN_POINTS_PER_PIECE]
    best = int(np.argmin([misfit(joint) for joint in joints]))
    step = joints[1] - joints[0]
    fine = minimize_scalar(
        misfit, bounds=(joints[best] - step, joints[best] + step), method="bounded", options={"xatol": 1e-6 * step}
    )
    # Authors join their pieces at round numbers; a table cannot tell these from neighbours a thousandth away.
    joint = near + fine.x
    return round(joint, 3) if abs(joint - round(joint, 3)) < 0.05 * step else joint


def _without_small_pieces(x, borders, keep=()):
    """Drop inner borders until each piece holds enough points; jumps of the curvature stay."""
    fixed = np.concatenate([x[:1], keep, x[-1:]])
    kept: list[float] = []
    for border in borders:
        others = fixed if border not in fixed else ()
        points = [abs(np.searchsorted(x, border) - np.searchsorted(x, other)) for other in [*kept[-1:], *others]]
        if border in fixed or min(points) >= _MIN_POINTS_PER_PIECE:
            kept.append(border)
    return np.array(kept)
