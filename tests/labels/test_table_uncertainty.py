"""What tables leave open in a label: against what is lost by rounding a table, and against whole labels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from scipy.sparse import issparse

from vibentropy import Potential, formation_entropy
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import UNCERTAINTY
from vibentropy.errors import PotentialError
from vibentropy.labels.determinants import LogDeterminant
from vibentropy.labels.entropy import entropy_of
from vibentropy.labels.labelling import Labeller
from vibentropy.labels.table_uncertainty import table_uncertainty
from vibentropy.potentials.embedded_functions import smooth_functions
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.protocols import TableShift


def vacancy_in(potential, structure, a, n=3):
    crystal = bulk(potential.elements[0], structure, a=a, cubic=True).repeat(n)
    return newton_relax(crystal[1:], potential, 1e-6)[0], crystal


def label(atoms, crystal, potential):
    """Of positions as they are: those of a minimum of one representation are not quite at rest in another."""
    of = []
    for cell in (atoms, crystal):
        hessian = potential.hessian(cell)
        hessian = hessian.toarray() if issparse(hessian) else hessian
        of.append(LogDeterminant.of_eigenvalues(np.linalg.eigvalsh(hessian)[3:]))
    return entropy_of(*of)[0]


@pytest.fixture(scope="module")
def copper():
    # Computed in single precision, on a coarse grid.
    return Potential.from_setfl("CuTa.eam.alloy", "Cu")


def rounded(potential, digits):
    """The table of a potential, had its author printed fewer digits."""
    table = potential.table
    names = ("embedding", "density", "r_times_pair")
    table = replace(table, **{name: np.round(getattr(table, name), digits) for name in names})
    return Potential(table, smooth_functions(table))


@pytest.mark.parametrize(("digits", "at_most"), [(6, 0.05), (7, 0.005)])
def test_it_covers_what_is_lost_by_printing_fewer_digits(iron, digits, at_most):
    atoms, crystal = vacancy_in(iron, "bcc", 2.8553)
    printed = rounded(iron, digits)
    lost = abs(label(atoms, crystal, printed) - label(atoms, crystal, iron))
    uncertainty = table_uncertainty(atoms, ReferenceCells.of([crystal]), printed, formation_entropy=100.0)
    assert lost < 2 * uncertainty
    # Not by being huge.
    assert uncertainty < at_most


def test_it_is_what_whole_labels_differ_by(copper):
    atoms, crystal = vacancy_in(copper, "fcc", 3.615)
    for name in ("pair", "embedding"):
        other = copper.with_function(name, copper.finer.functions[name])
        difference = label(atoms, crystal, other) - label(atoms, crystal, copper)
        shifts = {
            # Without strain.
            shift.function: shift.entropies[1] - len(atoms) / len(crystal) * of_bulk.entropies[1]
            for shift, of_bulk in zip(copper.table_shifts(atoms), copper.table_shifts(crystal), strict=True)
        }
        assert shifts[name] == pytest.approx(difference, rel=0.35)
    assert 0.01 < table_uncertainty(atoms, ReferenceCells.of([crystal]), copper) < 0.03


def test_it_is_none_in_the_perfect_crystal_and_little_for_good_tables(iron, copper):
    crystal = bulk("Cu", "fcc", a=3.615, cubic=True).repeat(3)
    assert table_uncertainty(crystal, ReferenceCells.of([crystal]), copper) == 0.0
    atoms, crystal = vacancy_in(iron, "bcc", 2.8553)
    assert table_uncertainty(atoms, ReferenceCells.of([crystal]), iron) < 1e-4


def test_what_all_atoms_share_does_not_count(iron, monkeypatch):
    """As many atoms of the perfect crystal are subtracted, not as many cells."""
    monkeypatch.setattr(
        Potential, "table_shifts", lambda _, atoms: [TableShift("pair", 2.5, 0.3 * len(atoms) * np.ones(3))]
    )
    crystal = bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(3)
    assert table_uncertainty(crystal[1:], ReferenceCells.of([crystal]), iron) < 1e-12


def test_potentials_without_tables_have_none(iron):
    crystal = bulk("Fe", "bcc", a=2.8553, cubic=True)
    assert np.isnan(
        table_uncertainty(crystal, ReferenceCells.of([crystal]), FiniteDifferencePotential(iron, ("Fe",), 0.01))
    )


def test_labels_carry_it(copper):
    atoms, crystal = vacancy_in(copper, "fcc", 3.615)
    configurations = ConfigurationSet([atoms], pd.DataFrame({"id": ["a"], "status": ["relaxed"]}))
    table = Labeller(copper).label(configurations, lambda row, cell: crystal).table
    assert table["status"][0] == "labelled"
    assert table[UNCERTAINTY][0] == pytest.approx(
        table_uncertainty(atoms, ReferenceCells.of([crystal]), copper), rel=1e-9
    )


def test_labels_that_tables_leave_open_are_refused_with_function_place_and_remedy():
    # Its pair function ends in a step.
    potential = Potential.from_setfl("CuNi.eam.alloy", "Cu")
    atoms, crystal = vacancy_in(potential, "fcc", 3.615)
    message = (
        r"uncertain by 0\.\d+ k_B, expected at most 0\.05: the table of the pair function .* near [\d.]+ Å; .*"
        r"`pair_style: eam/alloy` and `pair_coeff: \[\"\* \* CuNi.eam.alloy Cu\"\]`"
    )
    with pytest.raises(PotentialError, match=message):
        formation_entropy(atoms, crystal, potential)
    _, columns = Labeller(potential).label_cell(atoms, crystal)
    assert columns["status"] == "rejected"
    assert "pair function" in columns["reason"]


@pytest.mark.parametrize(
    ("file", "element", "style", "a"),
    [("Al_mm.eam.fs", "Al", "eam/fs", 4.0453), ("CuTa.eam.alloy", "Cu", "eam/alloy", 3.615)],
)
def test_differences_scatter_on_a_table_and_not_on_the_functions_behind_it(tmp_path, file, element, style, a):
    potential = Potential.from_setfl(file, element)
    atoms, crystal = vacancy_in(potential, "fcc", a, 2)
    expected = label(atoms, crystal, potential)
    potential.write_setfl(tmp_path / "fine")
    with (
        LammpsEngine(style, [f"* * {potential.table.path} {element}"], [element]) as on_table,
        LammpsEngine.on_table(tmp_path / "fine", [element]) as on_functions,
    ):
        steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04)
        coarse, fine = (
            [label(atoms, crystal, FiniteDifferencePotential(engine, (element,), step)) for step in steps]
            for engine in (on_table, on_functions)
        )
    uncertainty = table_uncertainty(atoms, ReferenceCells.of([crystal]), potential)
    print(f"\n{file}: {expected:.4f} +- {uncertainty:.4f}; by steps of {steps} Å of the table")
    print(np.round(coarse, 2), "and of the functions", np.round(fine, 4), "k_B")
    # A step of 0.04 Å is anharmonic.
    np.testing.assert_allclose(fine[:-1], expected, atol=1e-3)
    assert np.ptp(coarse) > 0.1
