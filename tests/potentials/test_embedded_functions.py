import numpy as np
import pytest

from vibentropy.potentials.embedded_functions import finer_functions, smooth_functions
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.setfl import SetflTable, read_setfl


@pytest.fixture(scope="module")
def table():
    """Closed forms, on the grids of a usual file."""
    r, rho = np.arange(6000) * 1e-3, np.arange(4000) * 0.01
    ends = np.where(r < 5.5, (5.5 - r) ** 4, 0.0)
    return SetflTable(
        ("Fe",),
        (55.845,),
        (2.8553,),
        ("bcc",),
        0.01,
        1e-3,
        5.5,
        embedding=np.round(-np.sqrt(rho) + 1e-3 * rho**2, 10)[None],
        density=np.round(0.02 * ends, 10)[None, None],
        r_times_pair=np.round(r * 0.01 * ends * np.cos(r), 10)[None, None],
    )


def test_functions_are_those_that_the_tables_were_made_of(table):
    functions = smooth_functions(table)
    r = np.linspace(2.0, 5.4, 500)
    ends = 5.5 - r
    np.testing.assert_allclose(functions["pair"](r)[0], 0.01 * ends**4 * np.cos(r), atol=1e-9)
    np.testing.assert_allclose(functions["density"](r)[2], 0.02 * 12 * ends**2, atol=1e-4)
    s = np.linspace(1.0, 6.0, 500)
    np.testing.assert_allclose(functions["embedding"](s)[2], 12e-3 * s**2, atol=1e-4)


def test_finer_functions_have_twice_the_pieces_and_hardly_differ(table):
    functions = smooth_functions(table)
    finer = finer_functions(table, functions)
    for name, one in functions.items():
        other = finer[name]
        assert 1.5 * len(one.coefficients) < len(other.coefficients) <= 2 * len(one.coefficients)
        x = np.linspace(*one.breaks[[1, -2]], 400)
        np.testing.assert_allclose(one(x)[0], other(x)[0], atol=1e-9)


def test_steps_of_a_table_stay_where_they_are():
    """The pieces of this embedding function were printed with parameters that do not quite meet, above 1.15 ρ_e."""
    functions = smooth_functions(read_setfl(find_potential("W_zhou.eam.alloy"), ["W"]))
    assert functions["pair"].max_residual < 1e-9
    assert 5e-5 < functions["embedding"].max_residual < 1e-3
