"""A Hessian that was interrupted goes on from what is whole of its file."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from vibentropy.errors import OutputError, VibentropyError
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.differences import difference_hessian
from vibentropy.potentials.response_file import ResponseFile

STEP = 0.01

#: Forces of a Hessian of the atoms of these tests.
WHOLE = 6 * 15


class Counted(AseEngine):
    """Copper whose process is ended after some forces."""

    def __init__(self, until=10**9):
        super().__init__(EMT())
        self.n_calls, self._until = 0, until

    def _forces(self, prepared):
        if self.n_calls == self._until:
            raise KeyboardInterrupt
        self.n_calls += 1
        return super()._forces(prepared)


@pytest.fixture(scope="module")
def atoms():
    """Four parts, of four groups of one atom each, but three in the last."""
    atoms = (bulk("Cu", "fcc", a=3.6, cubic=True) * (2, 2, 1))[1:]
    atoms.rattle(0.05, seed=1)
    return atoms


@pytest.fixture(scope="module")
def expected(atoms):
    return difference_hessian(atoms, STEP, Counted())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.csv.forces.partial"


@pytest.fixture
def interrupted(path, atoms):
    """Two parts, of 24 forces each, are kept."""
    engine = Counted(until=60)
    with pytest.raises(KeyboardInterrupt):
        difference_hessian(atoms, STEP, engine, kept=ResponseFile(path, "copper"))
    return path


def resumed(path, atoms, potential="copper", step=STEP, coupling_range=None):
    """Hessian, how many forces it took, and what was said."""
    engine, lines = Counted(), []
    kept = ResponseFile(path, potential, lines.append)
    return difference_hessian(atoms, step, engine, coupling_range, kept), engine.n_calls, "\n".join(lines), kept


def test_only_what_is_missing_is_computed(interrupted, atoms, expected):
    hessian, n_calls, said, kept = resumed(interrupted, atoms)
    assert n_calls == WHOLE - 48
    assert said == f"{interrupted}: 50% of the forces of a Hessian are taken over"
    np.testing.assert_array_equal(hessian, expected)
    # All of it is there now, for whoever asks again, until the label is kept elsewhere.
    again, n_calls, said, _ = resumed(interrupted, atoms)
    assert n_calls == 0
    assert "100%" in said
    np.testing.assert_array_equal(again, expected)
    kept.labelled()
    assert not interrupted.exists()
    assert kept.close(complete=True) == ""


@pytest.mark.parametrize(("lost", "n_left"), [(1, 1), (4320, 1), (4321, 1), (4380, 1), (4381, 0), (8780, 0)])
def test_what_is_cut_goes_on_from_what_is_whole(interrupted, atoms, expected, lost, n_left):
    """Within numbers, at and within a head, between records, and within the first line."""
    data = interrupted.read_bytes()
    assert len(data) == 35 + 2 * (60 + 4 * 15 * 72)
    interrupted.write_bytes(data[:-lost])
    hessian, n_calls, _, _ = resumed(interrupted, atoms)
    assert n_calls == WHOLE - 24 * n_left
    np.testing.assert_array_equal(hessian, expected)
    assert resumed(interrupted, atoms)[1] == 0


def test_a_damaged_record_is_not_believed(interrupted, atoms, expected):
    data = bytearray(interrupted.read_bytes())
    data[6000] ^= 1
    interrupted.write_bytes(data)
    hessian, n_calls, _, _ = resumed(interrupted, atoms)
    assert n_calls == WHOLE - 24
    np.testing.assert_array_equal(hessian, expected)


def test_what_is_of_something_else_is_not_taken_over(interrupted, atoms):
    moved = atoms.copy()
    moved.positions[5, 1] += 1e-9
    for change, words in [
        ({"atoms": moved}, "other atoms, which are taken over when it is their turn"),
        ({"potential": "copper 2"}, "another potential, step or version of vibentropy, which are not taken over"),
        ({"step": 0.02}, "another potential, step or version"),
        ({"coupling_range": 7.0}, "another potential, step or version"),
    ]:
        found = resumed(interrupted, **{"atoms": atoms} | change)
        assert found[1] == WHOLE
        assert f"{interrupted} has forces of {words}" in found[2]
    # They are still there.
    assert resumed(interrupted, atoms)[1] == WHOLE - 48


def test_a_file_of_somebody_is_left_alone(path, atoms):
    path.write_text("my notes")
    with pytest.raises(VibentropyError, match=r"labels.csv.forces.partial: is no file of forces .*: move it away"):
        resumed(path, atoms)
    assert path.read_text() == "my notes"
    with pytest.raises(OutputError, match="cannot be written"):
        resumed(path.parent / "no folder/forces", atoms)


def test_hessians_of_labels_go_and_those_of_failures_stay(path, atoms):
    kept = ResponseFile(path, "copper")
    failed, labelled = atoms[:8], atoms
    difference_hessian(failed, STEP, Counted(), kept=kept)
    kept.failed()
    size = path.stat().st_size
    difference_hessian(labelled, STEP, Counted(), kept=kept)
    assert path.stat().st_size > size
    kept.labelled()
    assert path.stat().st_size == size
    assert kept.close(complete=True) == f"{path} keeps the forces of Hessians"
    assert resumed(path, failed)[1] == 0
    assert resumed(path, labelled)[1] == WHOLE
