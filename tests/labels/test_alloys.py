"""Formation entropies with several elements, against an independent calculation and against each other."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import get_distances
from twins import twins

import vibentropy
from vibentropy import binding, formation_entropy, load_potential
from vibentropy.atoms.reference_cells import ReferenceCells
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import StructureError
from vibentropy.features.atom_labels import site_labels
from vibentropy.labels.determinants import LogDeterminant, reference_log_determinant
from vibentropy.labels.entropy import entropy_of, formed_site_entropies
from vibentropy.labels.labelling import Labeller
from vibentropy.labels.modes import modes
from vibentropy.potentials.differences import central_differences
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.protocols import Engine

A = 2.8553127

#: File and solute; then pairs in 250 sites: what they are made of, and how they bind (eV, k_B).
BOUND = [
    ("FeP_mm.eam.fs", "P", "vacancy, first neighbours", -0.3625, -0.425),
    ("FeP_mm.eam.fs", "P", "vacancy, second neighbours", -0.3368, -0.357),
    ("FeP_mm.eam.fs", "P", "two, first neighbours", 0.2292, 2.977),
    ("AlFe_mm.eam.fs", "Al", "vacancy, first neighbours", -0.0007, 0.086),
    ("AlFe_mm.eam.fs", "Al", "vacancy, second neighbours", -0.0093, -0.144),
    ("AlFe_mm.eam.fs", "Al", "two, first neighbours", 0.0657, -0.002),
]


@cache
def steel(file, solute):
    return load_potential(file=file, elements=["Fe", solute])


@cache
def relaxed(file, solute, what, repeat=5):
    """A cell of iron with a defect."""
    atoms = bulk("Fe", "bcc", a=A, cubic=True).repeat(repeat)
    first, second = A * np.array([0.5, 0.5, 0.5]), np.array([A, 0, 0])
    place = {tuple(np.round(position, 6)): k for k, position in enumerate(atoms.positions)}
    neighbour = place[tuple(np.round(second if "second" in what else first, 6))]
    if "solute" in what or "neighbours" in what:
        atoms.symbols[neighbour] = solute
    if "two" in what:
        atoms.symbols[0] = solute
    if "vacancy" in what:
        del atoms[0]
    return vibentropy.relax(atoms, steel(file, solute))


@pytest.mark.parametrize(("file", "solute", "what", "energy", "entropy"), BOUND)
def test_pairs_bind_as_an_independent_calculation_says(file, solute, what, energy, entropy):
    potential = steel(file, solute)
    crystal, lone, vacancy, pair = (relaxed(file, solute, name) for name in ("crystal", "solute", "vacancy", what))
    parts = [lone, lone] if "two" in what else [vacancy, lone]

    def bound(of):
        """Complex and crystal less the parts."""
        return of(pair) + of(crystal) - sum(map(of, parts))

    assert bound(lambda atoms: potential.energy_and_forces(atoms)[0]) == pytest.approx(energy, abs=1e-4)
    assert binding(pair, parts, crystal, potential) == pytest.approx((energy, entropy), abs=1e-3)
    # Entropies of formation in the same cells bind as the entropies do.
    cells = [crystal, lone]
    assert bound(lambda atoms: formation_entropy(atoms, cells, potential)) == pytest.approx(entropy, abs=1e-3)


def test_a_complex_less_its_vacancy_is_what_binds():
    """S_f(complex; [crystal, solute]) - S_f(vacancy; crystal) = S_b, exactly."""
    key = BOUND[0][:2]
    potential = steel(*key)
    names = ("crystal", "solute", "vacancy", "vacancy, first neighbours")
    crystal, lone, vacancy, pair = cells = [relaxed(*key, name) for name in names]
    whole = {
        name: -0.5 * np.log(np.linalg.eigvalsh(potential.hessian(atoms).toarray())[3:]).sum()
        for name, atoms in zip(names, cells, strict=True)
    }
    binding = whole[names[3]] + whole["crystal"] - whole["vacancy"] - whole["solute"]
    difference = formation_entropy(pair, [crystal, lone], potential) - formation_entropy(vacancy, crystal, potential)
    assert difference == pytest.approx(binding, abs=1e-8)
    assert formation_entropy(lone, [crystal, lone], potential) == pytest.approx(0, abs=1e-9)
    # The solute plays no part where there is none.
    assert formation_entropy(vacancy, [crystal, lone], potential) == pytest.approx(
        formation_entropy(vacancy, crystal, potential), abs=1e-9
    )


def test_a_lone_solute_in_a_larger_cell_has_formed_little():
    key = BOUND[0][:2]
    larger = formation_entropy(
        relaxed(*key, "solute", repeat=6), [relaxed(*key, "crystal", repeat=6), relaxed(*key, "solute")], steel(*key)
    )
    assert 1e-4 < abs(larger) < 0.05


def test_copies_of_iron_have_the_entropy_of_iron(iron, iron_crystal):
    """Whatever the masses, the names and the references, to the last digits."""
    crystal = iron_crystal(4)
    defect = crystal.copy()
    del defect[3]
    defect = vibentropy.relax(defect, iron)
    expected = formation_entropy(defect, crystal, iron)
    mixed, solute = defect.copy(), crystal.copy()
    mixed.symbols[::5] = "Cr"
    solute.symbols[:7] = "Cr"
    potential = twins(iron)
    assert formation_entropy(mixed, [crystal, solute], potential) == pytest.approx(expected, abs=1e-9)
    # Quantum ones feel masses: references of copies have them, too.
    labeller = Labeller(potential, others=[solute], temperatures=[2e4])
    _, row = labeller.label_cell(mixed, crystal)
    assert row["formation_entropy"] == formation_entropy(mixed, [crystal, solute], potential)
    assert row["formation_entropy_20000K"] == pytest.approx(expected, abs=1e-3)
    assert row["formation_energy"] == pytest.approx(
        Labeller(iron).label_cell(defect, crystal)[1]["formation_energy"], abs=1e-9
    )
    renamed = mixed.copy(), crystal.copy(), solute.copy()
    for atoms in renamed:
        atoms.symbols = ["Mo" if symbol == "Cr" else "W" for symbol in atoms.get_chemical_symbols()]
    other = twins(iron, ("W", "Mo"))
    assert formation_entropy(renamed[0], list(renamed[1:]), other) == formation_entropy(
        mixed, [crystal, solute], potential
    )


def test_shares_of_atoms_add_up_to_the_label():
    """Each is compared with an atom of its element, wherever that comes from."""
    key = BOUND[3][:2]
    crystal, pair = relaxed(*key, "crystal", 4), relaxed(*key, "vacancy, first neighbours", 4)
    potential = steel(*key)
    whole = modes(potential.hessian(pair), vectors=True).site_entropies()
    aluminium = bulk("Al", "fcc", a=4.03, cubic=True).repeat(3)
    for other in (relaxed(*key, "solute", 4), relaxed(*key, "solute", 3), aluminium):
        labelled, row = Labeller(potential, site_entropies=True, others=[other]).label_cell(pair, crystal)
        assert row["reason"] == ""
        shares = labelled.arrays["site_entropy"]
        assert shares.sum() == pytest.approx(row["formation_entropy_per_atom_convention"], abs=1e-9)
        table = pd.DataFrame([{"id": "a", **row}])
        (of_atoms,) = site_labels(ConfigurationSet([labelled], table)).values()
        assert of_atoms.sum() == pytest.approx(row["formation_entropy"], abs=1e-9)
        compared = whole - shares
        assert np.ptp(compared[pair.symbols == "Fe"]) < 1e-9
        assert np.ptp(compared) > 0.1
        # In another unit of the Hessian all change alike.
        references = ReferenceCells.of([crystal, other])

        def formed(ln_unit, references=references):
            of_cells = {
                id(cell): reference_log_determinant(cell, potential)
                for cell in [*references.cells, *filter(None, references.crystals)]
            }
            return formed_site_entropies(
                references,
                pair,
                whole - 1.5 * ln_unit * (1 - 1 / len(pair)),
                lambda cell: replace(
                    of_cells[id(cell)], value=of_cells[id(cell)].value + ln_unit * (3 * len(cell) - 3)
                ),
            )

        np.testing.assert_allclose(formed(0.0), shares, rtol=0, atol=1e-9)
        assert np.ptp(formed(2.0) - shares) < 1e-9


def test_a_random_alloy_of_copies_has_the_entropy_of_iron(iron, iron_crystal):
    """Wherever the elements are, and wherever atoms that come and go are taken from."""
    crystal = iron_crystal(4)
    defect = crystal.copy()
    del defect[3]
    del defect[11]
    defect = vibentropy.relax(defect, iron)
    expected = formation_entropy(defect, crystal, iron)
    rng = np.random.default_rng(1)
    alloy = crystal.copy()
    alloy.symbols[rng.permutation(128)[:50]] = "Cr"
    site = get_distances(defect.positions, alloy.positions, cell=alloy.cell, pbc=True)[1].argmin(axis=1)
    defect.symbols = np.array(alloy.get_chemical_symbols())[site]
    potential = twins(iron)
    assert formation_entropy(defect, [alloy, crystal], potential) == pytest.approx(expected, abs=1e-9)
    labelled, row = Labeller(potential, site_entropies=True, others=[crystal]).label_cell(defect, alloy)
    assert row["formation_entropy"] == pytest.approx(expected, abs=1e-9)
    plain = defect.copy()
    plain.symbols = ["Fe"] * len(plain)
    of_iron, _ = Labeller(iron, site_entropies=True).label_cell(plain, crystal)
    np.testing.assert_allclose(labelled.arrays["site_entropy"], of_iron.arrays["site_entropy"], rtol=0, atol=1e-9)
    other = alloy.copy()
    other.symbols = rng.permutation(alloy.get_chemical_symbols())
    with pytest.raises(StructureError, match="than the nearest site of the random alloy that is the first reference"):
        formation_entropy(defect, [other, crystal], potential)


def test_an_ordered_compound_and_one_more_cell():
    """B2 FeAl: the vacancies of both sublattices together, for which the compound's cell alone is not enough."""
    potential = load_potential(file="AlFe_mm.eam.fs", elements=["Fe", "Al"])
    crystal = bulk("FeAl", "cesiumchloride", a=2.9).repeat(4)
    vacancies = crystal.copy()
    del vacancies[[0, 61]]
    vacancies = vibentropy.relax(vacancies, potential)
    iron = bulk("Fe", "bcc", a=A, cubic=True).repeat(4)
    found = formation_entropy(vacancies, [crystal, iron], potential)
    # As many of both are missing: the condition does not matter.
    nickel = bulk("Al", "fcc", a=4.03, cubic=True).repeat(3)
    assert formation_entropy(vacancies, [crystal, nickel], potential) == pytest.approx(found, abs=1e-8)
    logs = [np.log(np.linalg.eigvalsh(potential.hessian(cell).toarray())[3:]) for cell in (vacancies, crystal)]
    by_modes = entropy_of(*(LogDeterminant(float(log.sum()), 1.0, len(log) // 3 + 1) for log in logs))[0]
    assert found == pytest.approx(by_modes, abs=1e-8)
    with pytest.raises(StructureError, match="1 reference cell for 2 elements .Al64Fe64., expected one for each"):
        formation_entropy(vacancies, crystal, potential)


def test_other_potentials_take_several_elements(iron):
    """Copies of iron by finite differences of forces that the smooth functions have."""

    class OfTwins(Engine):
        handover = 1e-2

        def energy_and_forces(self, atoms):
            return twin.energy_and_forces(atoms)

        def response(self, atoms, step, groups):
            return central_differences(
                atoms.positions, step, groups, lambda moved: self.energy_and_forces(Atoms(atoms, positions=moved))[1]
            )

    twin = twins(iron)
    crystal = bulk("Fe", "bcc", a=A, cubic=True).repeat(2)
    solute = crystal.copy()
    solute.symbols[0] = "Cr"
    defect = crystal.copy()
    defect.symbols[4] = "Cr"
    del defect[1]
    defect = vibentropy.relax(defect, twin)
    by_differences = FiniteDifferencePotential(OfTwins(), twin.elements, 1e-3)
    assert formation_entropy(defect, [crystal, solute], by_differences) == pytest.approx(
        formation_entropy(defect, [crystal, solute], twin), abs=1e-3
    )


def test_references_are_checked(iron, iron_crystal):
    crystal = iron_crystal(2)
    solute = crystal.copy()
    solute.symbols[0] = "P"
    potential = steel(*BOUND[0][:2])
    with pytest.raises(StructureError, match="no reference cell, expected the perfect crystal"):
        formation_entropy(crystal, [], potential)
    with pytest.raises(StructureError, match="holds P, of which no reference cell has atoms"):
        formation_entropy(solute, crystal, potential)
    with pytest.raises(StructureError, match="holds P where only Fe is expected"):
        formation_entropy(solute, [crystal, solute], iron)
    _, row = Labeller(potential).label_cell(solute, crystal)
    assert row["status"] == "rejected"
    assert "holds P, of which no reference cell has atoms" in row["reason"]
