"""What every registered descriptor has to keep; a new one is tested here without another line."""

import numba
import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_cells import LATTICES, cluster, elements, odd_cells, rattled, rotate
from sklearn.base import clone

from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, PotentialError, SaddlePointError, StructureError

cells = settings(max_examples=5, deadline=None, derandomize=True)


def has_features(descriptor, atoms):
    """Whether a configuration is one that the descriptor is defined for."""
    try:
        return descriptor.everywhere or bool(len(descriptor.total(atoms)))
    except (PotentialError, SaddlePointError):
        return False


def cells_for(descriptor):
    """Odd cells that the descriptor is defined for."""
    return odd_cells(elements(descriptor)).filter(lambda atoms: has_features(descriptor, atoms))


def assert_same(descriptor, found, expected, n_atoms=1):
    """Compare features, with errors in units of what a dense crystal of as many atoms has."""
    crystal = rattled(descriptor)
    scale = max(np.abs(descriptor.total(crystal)).max() / len(crystal) * n_atoms, np.abs(expected).max())
    assert found.shape == np.shape(expected)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=0, atol=descriptor.tolerance * scale)


def assert_same_cell(descriptor, atoms, reference, atom=slice(None), times=1):
    """Compare total and, where there are any, local features, the atoms of `reference` reordered by `atom`."""
    assert_same(descriptor, descriptor.total(atoms), times * descriptor.total(reference), len(atoms))
    if descriptor.has_local:
        assert_same(descriptor, descriptor.local(atoms), descriptor.local(reference)[atom])


class TestInvariance:
    @cells
    @given(st.data(), st.integers(0, 1000))
    def test_rotation(self, descriptor, data, seed):
        atoms = data.draw(cells_for(descriptor))
        assert_same_cell(descriptor, rotate(atoms, np.random.default_rng(seed)), atoms)

    @cells
    @given(st.data(), st.integers(0, 1000))
    def test_translation(self, descriptor, data, seed):
        atoms = data.draw(cells_for(descriptor))
        rng = np.random.default_rng(seed)
        moved = atoms.copy()
        moved.positions += rng.uniform(-10, 10, 3)
        moved.positions += (atoms.pbc * rng.integers(-3, 4, (len(atoms), 3))) @ atoms.cell[:]
        assert_same_cell(descriptor, moved, atoms)

    @cells
    @given(st.data(), st.integers(0, 1000))
    def test_permutation(self, descriptor, data, seed):
        atoms = data.draw(cells_for(descriptor))
        order = np.random.default_rng(seed).permutation(len(atoms))
        assert_same_cell(descriptor, atoms[order], atoms, atom=order)

    @cells
    @given(st.data(), st.tuples(*[st.integers(1, 3)] * 3))
    def test_replication(self, descriptor, data, repeat):
        atoms = data.draw(cells_for(descriptor))
        repeat = np.where(atoms.pbc, repeat, 1)
        repeated = atoms.repeat(repeat)
        atom = np.tile(np.arange(len(atoms)), repeat.prod())
        assert_same_cell(descriptor, repeated, atoms, atom=atom, times=repeat.prod())

    def test_description_of_the_lattice(self, descriptor):
        """One atom in a triclinic cell smaller than any cutoff is the same crystal as 54 in a cube."""
        a = LATTICES["bcc"]
        primitive = bulk(elements(descriptor)[0], "bcc", a=a)
        cube = bulk(elements(descriptor)[0], "bcc", a=a, cubic=True).repeat(3)
        assert_same_cell(descriptor, cube, primitive, atom=np.zeros(54, dtype=int), times=54)

    def test_the_features_see_the_structure(self, descriptor):
        """Or all of the above would hold for a constant."""
        first, second = rattled(descriptor, seed=1), rattled(descriptor, seed=2)
        difference = np.abs(descriptor.total(first) - descriptor.total(second)).max()
        assert difference > 1e-3 * np.abs(descriptor.total(first)).max()


class TestAdditivity:
    @cells
    @given(st.data())
    def test_total_is_the_sum_of_local(self, descriptor, data):
        if not descriptor.has_local:
            pytest.skip("no local values")
        atoms = data.draw(cells_for(descriptor))
        assert_same(descriptor, descriptor.total(atoms), descriptor.local(atoms).sum(axis=0), len(atoms))

    def test_total_of_more_atoms_than_a_block(self, descriptor):
        if not descriptor.has_local:
            pytest.skip("no local values")
        atoms = rattled(descriptor, repeat=7)
        assert_same(descriptor, descriptor.total(atoms), descriptor.local(atoms).sum(axis=0), len(atoms))

    def test_range_over_the_atoms_comes_with_the_total(self, descriptor):
        atoms = rattled(descriptor)
        shares = []
        total, limits, projected = descriptor.summary(atoms, within=shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        np.testing.assert_array_equal(total, descriptor.total(atoms))
        assert projected is None
        if descriptor.has_local:
            local = descriptor.local(atoms)
            np.testing.assert_array_equal(limits, [local.min(axis=0), local.max(axis=0)])
            weights, shares = np.linspace(0.0, 1.0, local.shape[1]), []
            with_weights = descriptor.summary(atoms, weights, shares.append)
            np.testing.assert_array_equal(with_weights.total, total)
            np.testing.assert_array_equal(with_weights.limits, limits)
            np.testing.assert_allclose(with_weights.projected, local @ weights, rtol=1e-9)
            np.testing.assert_array_equal(descriptor.project(atoms, weights), with_weights.projected)
            assert shares == sorted(shares)
            assert shares[-1] == 1.0
        else:
            assert limits is None
            with pytest.raises(ConfigError, match="total"):
                descriptor.project(atoms, np.zeros(descriptor.n_features))

    def test_no_local_values(self, descriptor):
        if descriptor.has_local:
            pytest.skip("has local values")
        with pytest.raises(ConfigError, match="total"):
            descriptor.local(rattled(descriptor))

    def test_clusters_out_of_reach_add_up(self, descriptor):
        if descriptor.reach is None:
            pytest.skip("no finite reach")
        first, second = cluster(descriptor, seed=1), cluster(descriptor, seed=2)
        if not has_features(descriptor, first):
            pytest.skip("not defined for clusters in free space")
        second.positions[:, 0] += first.positions[:, 0].max() - second.positions[:, 0].min() + 1.001 * descriptor.reach
        both = first + second
        assert_same(descriptor, descriptor.total(both), descriptor.total(first) + descriptor.total(second), len(both))
        if descriptor.has_local:
            local = np.vstack([descriptor.local(first), descriptor.local(second)])
            assert_same(descriptor, descriptor.local(both), local)

    def test_continuity_at_the_reach(self, descriptor):
        if descriptor.reach is None or not descriptor.continuous:
            pytest.skip("not continuous by definition")
        if not descriptor.everywhere:
            pytest.skip("not defined for an atom that leaves the others")
        atoms = cluster(descriptor) + Atoms(elements(descriptor)[-1:], positions=[(0, 0, 0)])
        edge = atoms.positions[:-1, 0].max() + descriptor.reach
        near, far = atoms.copy(), atoms.copy()
        outermost = atoms.positions[:-1][atoms.positions[:-1, 0].argmax()]
        near.positions[-1] = edge - 1e-7, *outermost[1:]
        far.positions[-1] = edge + 1e-7, *outermost[1:]
        scale = np.abs(descriptor.total(rattled(descriptor, repeat=1))).max()
        np.testing.assert_allclose(descriptor.total(near), descriptor.total(far), rtol=0, atol=1e-6 * scale)


class TestBoundaries:
    def test_a_lone_atom_needs_no_cell(self, descriptor):
        lone = Atoms(elements(descriptor)[:1], positions=[(1.0, 2.0, 3.0)])
        if not descriptor.everywhere:
            with pytest.raises((PotentialError, SaddlePointError)):
                descriptor.total(lone)
            return
        assert np.isfinite(descriptor.total(lone)).all()
        if descriptor.reach is not None:
            boxed = Atoms(elements(descriptor)[:1], positions=[(0, 0, 0)], cell=[2.1 * descriptor.reach] * 3, pbc=True)
            assert_same_cell(descriptor, boxed, lone)

    def test_vacuum_replaces_missing_periodicity(self, descriptor):
        if descriptor.reach is None:
            pytest.skip("no finite reach")
        for periodic in ([False] * 3, [True, True, False]):
            atoms = rattled(descriptor)
            atoms.pbc = periodic
            if not has_features(descriptor, atoms):
                pytest.skip("not defined for surfaces")
            padded = atoms.copy()
            padded.center(vacuum=1.1 * descriptor.reach, axis=np.flatnonzero(~atoms.pbc))
            padded.pbc = True
            assert_same_cell(descriptor, atoms, padded)

    def test_atoms_are_left_alone(self, descriptor):
        atoms = rattled(descriptor)
        atoms.positions += 7.0
        before = atoms.copy()
        descriptor.total(atoms)
        assert atoms == before
        np.testing.assert_array_equal(atoms.positions, before.positions)

    def test_threads_do_not_show(self, descriptor):
        if numba.config.NUMBA_NUM_THREADS < 2:
            pytest.skip("one thread only")
        atoms = rattled(descriptor, repeat=3)
        before = numba.get_num_threads()
        results = []
        try:
            for threads in (1, 2):
                numba.set_num_threads(threads)
                results.append(descriptor.total(atoms))
        finally:
            numba.set_num_threads(before)
        np.testing.assert_array_equal(*results)


class TestParameters:
    def test_feature_names(self, descriptor):
        names = descriptor.feature_names
        assert all(isinstance(name, str) for name in names)
        assert len(names) == len(set(names)) == descriptor.n_features
        atoms = rattled(descriptor)
        assert descriptor.total(atoms).shape == (descriptor.n_features,)
        if descriptor.has_local:
            assert descriptor.local(atoms).shape == (len(atoms), descriptor.n_features)

    def test_survive_yaml(self, recipe):
        kind, parameters = recipe
        original = create(kind, **parameters)
        read = create(kind, **yaml.safe_load(yaml.safe_dump(original.get_params())))
        assert read.get_params() == original.get_params()
        assert read.feature_names == original.feature_names
        np.testing.assert_array_equal(read.total(rattled(original)), original.total(rattled(original)))

    def test_clone(self, descriptor):
        copy = clone(descriptor)
        assert copy is not descriptor
        assert copy.get_params() == descriptor.get_params()

    def test_set_params_takes_effect(self, recipe):
        kind, parameters = recipe
        changed = create(kind).set_params(**parameters)
        expected = create(kind, **parameters)
        np.testing.assert_array_equal(changed.total(rattled(expected)), expected.total(rattled(expected)))


class TestRefusals:
    @pytest.fixture(params=["total", "local"])
    def compute(self, request, descriptor):
        if request.param == "local" and not descriptor.has_local:
            pytest.skip("no local values")
        return getattr(descriptor, request.param)

    def test_positions_that_are_not_numbers(self, descriptor, compute):
        atoms = rattled(descriptor)
        atoms.positions[3, 1] = np.nan
        with pytest.raises(StructureError, match="atom 3"):
            compute(atoms)

    @pytest.mark.parametrize("periodic", [True, False])
    def test_two_atoms_on_one_site(self, descriptor, compute, periodic):
        atoms = rattled(descriptor)
        atoms.pbc = periodic
        atoms.positions[3] = atoms.positions[5] + periodic * atoms.cell[0]
        with pytest.raises(StructureError, match="site"):
            compute(atoms)

    def test_no_atoms(self, compute):
        with pytest.raises(StructureError, match="no atoms"):
            compute(Atoms())

    def test_an_element_that_was_not_declared(self, descriptor, compute):
        atoms = rattled(descriptor)
        atoms.symbols[2] = "Xe"
        with pytest.raises(StructureError, match=r"Xe.*species: \[.*Xe"):
            compute(atoms)
