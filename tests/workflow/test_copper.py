"""Another crystal than iron, from the configuration that ships, against other programs."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from vibentropy import formation_entropy
from vibentropy.atoms.crystal import Crystal
from vibentropy.labels.labelling import Labeller
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.from_config import load_potential, start_engine
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.newton import newton_relax
from vibentropy.run.config import validate
from vibentropy.sources.sampling import sample
from vibentropy.sources.source import source_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config():
    path = ROOT / "workflow/configs/copper.yaml"
    return validate(yaml.safe_load(path.read_text(encoding="utf-8")), ROOT / "workflow/schemas/config.schema.yaml")


@pytest.fixture(scope="module")
def copper(config):
    return load_potential(**config["potential"])


@pytest.fixture(scope="module")
def crystal(config, copper):
    return Crystal("Cu", config["lattice"]["structure"], config["lattice"]["a"]).relaxed(copper)


@pytest.fixture(scope="module")
def table(copper, tmp_path_factory):
    path = tmp_path_factory.mktemp("potential") / "copper.eam.alloy"
    copper.write_setfl(path)
    return path


@pytest.fixture(scope="module")
def vacancy(copper, crystal):
    perfect = crystal.cell(3)
    defect = perfect.copy()
    del defect[0]
    return newton_relax(defect, copper, 1e-8)[0], perfect


def test_lattice_and_cohesion_are_those_that_the_file_was_fitted_to(copper, crystal):
    # Mishin et al., Phys. Rev. B 63, 224106 (2001): a = 3.615 Å, E = -3.54 eV, vacancy 1.272 eV.
    assert crystal.a == pytest.approx(3.615, abs=1e-3)
    perfect = crystal.cell(4)
    energy, _ = copper.energy_and_forces(perfect)
    assert energy / len(perfect) == pytest.approx(-3.54, abs=1e-3)
    defect = perfect.copy()
    del defect[0]
    relaxed_energy = newton_relax(defect, copper, 1e-6)[1]
    assert relaxed_energy - len(defect) / len(perfect) * energy == pytest.approx(1.272, abs=5e-3)


@pytest.mark.slow
def test_vacancies_and_interstitials_are_sampled_and_labelled(config, copper, crystal, table):
    recipe = config["datasets"]["train"]["recipe"] | {
        "cells": [[3, 3, 3]],
        "anneal": {"temperature": 600, "time_step": 0.002, "steps_between": 20, "snapshots": 1},
    }
    planned = [
        t
        for t in source_of("train", {"recipe": recipe}).trajectories()
        if t.name.endswith("0000") and t.defect_class in ("I1", "V2")
    ]
    with start_engine(config["potential"], table) as engine:
        minima = sample(planned, crystal, copper, engine, 1)
    labelled = Labeller(copper).label(minima, lambda row, cell=None: crystal.cell(3)).table
    assert (labelled["status"] != "rejected").all()
    assert (labelled["status"] == "labelled").any()
    assert labelled["formation_entropy"].dropna().between(-5, 30).all()


def phonopy_force_constants(atoms, copper, step):
    """Force constants (eV/Å²) as phonopy finds them from forces on displaced cells, and how many cells that took."""
    phonopy = pytest.importorskip("phonopy")
    from phonopy.structure.atoms import PhonopyAtoms

    cell = PhonopyAtoms(symbols=list(atoms.symbols), cell=atoms.cell[:], positions=atoms.positions)
    phonons = phonopy.Phonopy(cell, supercell_matrix=np.eye(3), primitive_matrix=np.eye(3), log_level=0)
    phonons.generate_displacements(distance=step)
    forces, moved = [], atoms.copy()
    for displaced in phonons.supercells_with_displacements:
        moved.positions = displaced.positions
        forces.append(copper.energy_and_forces(moved)[1])
    phonons.forces = forces
    phonons.produce_force_constants()
    phonons.symmetrize_force_constants()
    matrix = phonons.force_constants.transpose(0, 2, 1, 3).reshape(3 * len(atoms), 3 * len(atoms))
    return matrix, len(forces)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "tolerance"), [(0.01, 0.05), (0.001, 2e-4)])
def test_vacancy_is_that_of_phonopy(copper, vacancy, step, tolerance):
    (defect, n_defect), (bulk, n_bulk) = (phonopy_force_constants(atoms, copper, step) for atoms in vacancy)
    # The symmetry of the crystal leaves one displacement, that of the vacancy a few.
    assert n_bulk < n_defect < len(vacancy[0])
    logs = [np.log(np.linalg.eigvalsh(matrix)[3:]).sum() for matrix in (defect, bulk)]
    entropy = -0.5 * (logs[0] - (len(defect) - 3) / (len(bulk) - 3) * logs[1])
    assert formation_entropy(*vacancy, copper) == pytest.approx(entropy, abs=tolerance)


@pytest.mark.slow
def test_vacancy_is_that_of_lammps_on_the_fine_table(copper, vacancy, table):
    with LammpsEngine.on_table(table, ["Cu"]) as engine:
        by_differences = formation_entropy(*vacancy, FiniteDifferencePotential(engine, ("Cu",), 0.001))
    assert formation_entropy(*vacancy, copper) == pytest.approx(by_differences, abs=2e-4)
