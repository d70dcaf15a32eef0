import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from vibentropy.potentials.splines import fit_finer, fit_table, rounding_noise


def tabulate(function, digits, start=1.0, stop=5.0, n=8001):
    x = np.linspace(start, stop, n)
    return x, np.round(function(x), digits)


def cubic_spline(seed=0):
    knots = np.arange(0.5, 5.6, 0.1)
    return CubicSpline(knots, 0.01 * np.random.default_rng(seed).normal(size=len(knots)))


@pytest.mark.parametrize("digits", [6, 8, 10])
def test_rounding_is_measured(digits):
    _, y = tabulate(np.sin, digits)
    # Rounding to a grid of 10^-d is uniform: its root mean square is 10^-d / sqrt(12).
    assert np.median(rounding_noise(y)) == pytest.approx(10.0**-digits / np.sqrt(12), rel=0.3)


def test_table_of_few_decimals_is_not_exact_where_it_stands_still():
    x, y = tabulate(lambda x: np.exp(-4 * x), 6)
    assert (y[x > 4] == 0).all()
    np.testing.assert_allclose(rounding_noise(y)[x > 4], 1e-6 / np.sqrt(12), rtol=1e-12)
    assert rounding_noise(np.zeros(200)).max() < 1e-10


def test_second_derivative_of_a_cubic_spline_is_recovered_from_ten_digits():
    spline = cubic_spline()
    x, y = tabulate(spline, 10)
    fitted = fit_table(x, y, rounding_noise(y), 0.1)
    # Inside the pieces: at a knot the third derivative jumps, and a point in the wrong piece says nothing.
    inner = np.linspace(1.2, 4.8, 997)
    value, slope, curvature = fitted(inner)
    assert np.abs(value - spline(inner)).max() < 1e-10
    assert np.abs(slope - spline(inner, 1)).max() < 1e-8
    assert np.abs(curvature - spline(inner, 2)).max() < 1e-5
    # What everyone does, a spline through the points, is a thousand times noisier.
    through = CubicSpline(x, y)
    assert np.abs(through(inner, 2) - spline(inner, 2)).max() > 300 * np.abs(curvature - spline(inner, 2)).max()


def test_knots_stay_where_the_table_was_made():
    x, y = tabulate(cubic_spline(), 10)
    fitted = fit_table(x, y, rounding_noise(y), 0.1)
    np.testing.assert_allclose(fitted.breaks[1:-1], np.arange(1.1, 4.95, 0.1), atol=1e-12)


def test_steep_function_is_followed_by_smaller_pieces():
    def steep(x):
        return 1e3 * np.exp(-4 * x)

    x, y = tabulate(steep, 10)
    fitted = fit_table(x, y, rounding_noise(y), 0.4)
    widths = np.diff(fitted.breaks)
    assert widths[0] < widths[-2]
    _, _, curvature = fitted(x)
    assert np.abs(curvature - 16 * steep(x)).max() < 2e-3


@pytest.mark.parametrize("jump_at", [2.05, 2.7315])
def test_jump_of_the_second_derivative_is_kept(jump_at):
    spline = cubic_spline(1)

    def function(x):
        return spline(x) + 6.5 * np.maximum(x - jump_at, 0) ** 2

    x, y = tabulate(function, 10)
    fitted = fit_table(x, y, rounding_noise(y), 0.1)
    assert np.abs(fitted.breaks - jump_at).min() < 1e-5
    sides = np.array([jump_at - 1e-4, jump_at + 1e-4])
    _, slope, curvature = fitted(sides)
    np.testing.assert_allclose(slope, np.add(spline(sides, 1), [0, 13e-4]), atol=1e-6)
    np.testing.assert_allclose(curvature, np.add(spline(sides, 2), [0, 13]), atol=2e-3)


def test_table_with_a_step_is_followed_elsewhere_and_says_how_far_it_is_off():
    x, y = tabulate(np.sin, 10)
    y[x > 3.0] += 1e-3
    fitted = fit_table(x, y, rounding_noise(y), 0.1)
    assert 2e-4 < fitted.max_residual < 1e-3
    away = np.concatenate([np.linspace(1.2, 2.7), np.linspace(3.3, 4.8)])
    assert np.abs(fitted(away)[2] + np.sin(away)).max() < 1e-4


def test_finer_pieces_follow_the_same_function_with_more_noise():
    spline = cubic_spline()
    x, y = tabulate(spline, 6)
    noise = rounding_noise(y)
    fitted = fit_table(x, y, noise, 0.1)
    finer = fit_finer(x, y, noise, fitted)
    assert len(finer.breaks) == 2 * len(fitted.breaks) - 1
    inner = np.linspace(1.2, 4.8, 997)
    errors = [np.sqrt(np.mean((f(inner)[2] - spline(inner, 2)) ** 2)) for f in (fitted, finer)]
    # Noise of a second derivative grows as the power 5/2 of how short the pieces are.
    assert 4 < errors[1] / errors[0] < 8


def test_points_that_are_not_evenly_spaced_end_the_division_of_pieces():
    # Squares of distances: the left half of each piece holds fewer points than the right one.
    x = np.sqrt(np.linspace(0.0, 9.0, 200))
    y = np.sin(20 * x)
    assert fit_table(x, y, np.full(len(x), 1e-11), 0.3).max_residual > 1e-9


def test_evaluation_is_that_of_the_polynomial_at_every_border():
    x, y = tabulate(cubic_spline(2), 10)
    fitted = fit_table(x, y, rounding_noise(y), 0.1)
    borders = fitted.breaks[1:-1]
    for points in (borders, np.nextafter(borders, 0), np.nextafter(borders, 9)):
        piece = np.searchsorted(fitted.breaks, points, side="right") - 1
        expected = [
            np.polynomial.polynomial.polyval(p - fitted.breaks[k], fitted.coefficients[k])
            for p, k in zip(points, piece, strict=True)
        ]
        np.testing.assert_allclose(fitted(points)[0], expected, rtol=1e-14, atol=1e-15)
