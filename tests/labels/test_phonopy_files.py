"""Files for phonopy: it reads them back to the same frequencies and entropies."""

import numpy as np
import pytest

from vibentropy.atoms.crystal import Crystal
from vibentropy.errors import StructureError
from vibentropy.labels.modes import frequencies, quantum_entropy
from vibentropy.labels.phonopy_files import write_phonopy
from vibentropy.potentials.newton import newton_relax
from vibentropy.units import KB_PER_ENTROPY_UNIT


@pytest.fixture(scope="module")
def vacancy(iron):
    atoms = Crystal("Fe", "bcc", 2.8553).cell((2, 2, 2))
    del atoms[3]
    return newton_relax(atoms, iron, 1e-8)[0]


def test_phonopy_reads_back_the_same_frequencies(iron, vacancy, tmp_path):
    phonopy = pytest.importorskip("phonopy")
    write_phonopy(tmp_path / "a/b", vacancy, iron)
    phonons = phonopy.load(
        tmp_path / "a/b/phonopy.yaml", force_constants_filename=str(tmp_path / "a/b/FORCE_CONSTANTS"), log_level=0
    )
    assert len(phonons.supercell) == len(phonons.primitive) == 15
    np.testing.assert_allclose(phonons.supercell.positions, vacancy.get_positions(wrap=True), atol=1e-9)
    phonons.run_mesh([1, 1, 1])
    found = np.sort(phonons.mesh.frequencies[0])
    expected = np.sort(frequencies(iron.hessian(vacancy), iron.masses[0] * np.ones(15)))
    assert abs(found[:3]).max() < 1e-3
    # The constants of nature of phonopy are a little older.
    np.testing.assert_allclose(found[3:], expected, rtol=1e-5)
    phonons.run_thermal_properties(temperatures=[300], cutoff_frequency=0.1)
    entropy = phonons.thermal_properties.entropy[0] * KB_PER_ENTROPY_UNIT["J/mol/K"]
    assert entropy == pytest.approx(quantum_entropy(expected, 300), rel=1e-5)


def test_dense_and_sparse_hessians_make_the_same_file(iron, vacancy, tmp_path):
    class Dense:
        elements, masses = iron.elements, iron.masses

        def hessian(self, atoms):
            return iron.hessian(atoms).toarray()

    write_phonopy(tmp_path / "sparse", vacancy, iron)
    write_phonopy(tmp_path / "dense", vacancy, Dense())
    for name in ("FORCE_CONSTANTS", "phonopy.yaml"):
        assert (tmp_path / "dense" / name).read_bytes() == (tmp_path / "sparse" / name).read_bytes()


def test_what_phonopy_cannot_be_given_is_refused(iron, vacancy, tmp_path):
    other = vacancy.copy()
    other.symbols[0] = "Cu"
    with pytest.raises(StructureError, match="Cu"):
        write_phonopy(tmp_path / "x", other, iron)
    free = vacancy.copy()
    free.pbc = False
    with pytest.raises(StructureError):
        write_phonopy(tmp_path / "x", free, iron)
    assert not (tmp_path / "x").exists()
