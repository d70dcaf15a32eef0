"""Seeds hold the atoms asked for, in the shapes that their names promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibentropy.atoms.crystal import Crystal
from vibentropy.errors import StructureError
from vibentropy.sources import seeds
from vibentropy.sources.seeds import SHAPES, Cluster, place

IRON = Crystal("Fe", "bcc", 2.8553125)
COPPER = Crystal("Cu", "fcc", 3.615)
SIZE = 6, 6, 6


def placed(*clusters, crystal=IRON, size=SIZE, strain=None, separation=0.0, seed=0):
    """Atoms, which sites are vacant, and where atoms were inserted."""
    perfect = crystal.cell(size)
    if strain is not None:
        perfect = crystal.filling(perfect.cell[:] @ (np.eye(3) + strain), size)
    atoms = place(clusters, perfect, crystal, size, separation, np.random.default_rng(seed))
    sites = {tuple(position): number for number, position in enumerate(perfect.positions)}
    kept = [sites[tuple(position)] for position in atoms.positions if tuple(position) in sites]
    vacant = np.setdiff1d(np.arange(len(perfect)), kept)
    return atoms, perfect.positions[vacant], atoms.positions[len(kept) :]


def distances(atoms, vectors):
    """Shortest periodic lengths of vectors."""
    scaled = vectors @ np.linalg.inv(atoms.cell[:])
    return np.linalg.norm((scaled - np.round(scaled)) @ atoms.cell[:], axis=-1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    interstitials=st.integers(0, 3),
    vacancies=st.integers(0, 3),
    clusters=st.integers(1, 3),
    radius=st.one_of(st.none(), st.floats(4.5, 6.0)),
)
def test_random_clusters_hold_what_is_asked_for(seed, interstitials, vacancies, clusters, radius):
    cluster = Cluster("random", interstitials, vacancies, radius)
    atoms, vacant, inserted = placed(*[cluster] * clusters, seed=seed)
    assert len(vacant) == clusters * vacancies
    assert len(inserted) == clusters * interstitials
    if clusters == 1 and radius is not None and interstitials + vacancies:
        changed = np.concatenate([vacant, inserted])
        assert distances(atoms, changed[:, None] - changed).max() <= 2 * radius + 1e-9


def test_interstitials_keep_their_distance():
    for seed in range(20):
        atoms, _, inserted = placed(Cluster("random", 4, 0, 5.0), size=(5, 5, 5), seed=seed)
        apart = distances(atoms, inserted[:, None] - atoms.positions)
        assert len(apart) == 4
        assert np.sort(apart, axis=1)[:, 1].min() >= 1.4


@pytest.mark.parametrize("surroundings", [0.5, np.inf])
def test_how_far_others_are_looked_for_changes_nothing(surroundings, monkeypatch):
    cluster = Cluster("random", 3, 2, 4.5)
    expected, _, _ = placed(cluster, cluster, size=(6, 5, 5), seed=2)
    monkeypatch.setattr(seeds, "_SURROUNDINGS", surroundings)
    atoms, _, _ = placed(cluster, cluster, size=(6, 5, 5), seed=2)
    np.testing.assert_array_equal(atoms.positions, expected.positions)


def test_sphere_without_enough_sites_is_refused():
    with pytest.raises(StructureError, match=r"sphere of 1\.50 Å holds . sites, too few for 4 vacancies"):
        placed(Cluster("random", 0, 4, 1.5))


def test_void_is_the_sites_around_one_point():
    _, vacant, inserted = placed(Cluster("void", 0, 15, None), seed=3)
    assert len(inserted) == 0
    assert len(vacant) == 15
    # Fifteen sites fill a sphere of 3.5 Å; whatever the point, a compact cluster is not much wider.
    spread = distances(IRON.cell(SIZE), vacant[:, None] - vacant)
    assert spread.max() < 2 * 1.25 * (15 * IRON.a**3 / 2 / (4 / 3 * np.pi)) ** (1 / 3)


@pytest.mark.parametrize(("interstitials", "removed", "added"), [(2, 10, 12), (4, 14, 18), (6, 18, 24)])
def test_c15_clusters_have_the_counts_and_the_distances_of_the_laves_phase(interstitials, removed, added):
    atoms, vacant, inserted = placed(Cluster("c15", interstitials, 0, None), seed=1)
    if interstitials < 6:  # Three cages may share rings in more than one way.
        assert (len(vacant), len(inserted)) == (removed, added)
    assert len(inserted) - len(vacant) == interstitials
    # In MgCu2 of constant 2a: Cu-Cu 2a √2/4, Cu-Mg 2a √11/8; the jitter is 0.02 Å.
    between = distances(atoms, inserted[:, None] - inserted) + 9 * np.eye(len(inserted))
    np.testing.assert_allclose(between.min(axis=1), 2 * IRON.a * np.sqrt(2) / 4, atol=0.15)
    to_sites = distances(atoms, inserted[:, None] - atoms.positions[: -len(inserted)])
    np.testing.assert_allclose(to_sites.min(axis=1), 2 * IRON.a * np.sqrt(11) / 8, atol=0.15)
    # The cage: each Z16 centre has twelve of the inserted atoms around it.
    if interstitials == 2:
        assert (np.sort((to_sites < 2.45).sum(axis=0))[-1]) == 12


def test_c15_clusters_that_do_not_exist_are_refused_with_those_that_do():
    with pytest.raises(StructureError, match=r"no C15 cluster of 3 interstitials; there are \[2, 4\]"):
        placed(Cluster("c15", 3, 0, None))
    with pytest.raises(StructureError, match="defined in bcc, not in fcc"):
        placed(Cluster("c15", 2, 0, None), crystal=COPPER, size=(4, 4, 4))


@pytest.mark.parametrize(
    ("crystal", "shape", "burgers"),
    [(IRON, "loop_111", np.sqrt(3) / 2), (IRON, "loop_100", 1.0), (COPPER, "loop_110", np.sqrt(0.5))],
)
def test_loops_are_platelets_across_their_burgers_vector(crystal, shape, burgers):
    atoms, vacant, inserted = placed(Cluster(shape, 7, 0, None), crystal=crystal, seed=2)
    assert len(vacant) == 0
    assert len(inserted) == 7
    # Each lies half a Burgers vector from the sites before and after it on its row.
    near = distances(atoms, inserted[:, None] - atoms.positions[:-7])
    assert (near < burgers * crystal.a / 2 + 0.1).sum(axis=1).min() >= 2
    np.testing.assert_allclose(np.sort(near, axis=1)[:, 1], burgers * crystal.a / 2, atol=0.1)
    # Flat: the seven lie within half a Burgers vector of a plane.
    scaled = (inserted - inserted[0]) @ np.linalg.inv(atoms.cell[:])
    unwrapped = (scaled - np.round(scaled)) @ atoms.cell[:]
    thickness = np.linalg.svd(unwrapped - unwrapped.mean(axis=0), compute_uv=False)[-1] / np.sqrt(7)
    assert thickness < burgers * crystal.a / 2


def test_loop_wider_than_the_cell_is_refused():
    with pytest.raises(StructureError, match="a loop of 200 atoms in a cell that"):
        placed(Cluster("loop_111", 200, 0, None), size=(4, 4, 4))


def test_strained_crystals_hold_the_strained_cluster():
    strain = np.array([[0.02, 0.01, -0.015], [0.01, -0.02, 0.005], [-0.015, 0.005, 0.01]])
    cluster = Cluster("c15", 4, 0, None)
    _, vacant, inserted = placed(cluster, seed=5)
    _, strained_vacant, strained_inserted = placed(cluster, seed=5, strain=strain)
    # The same draws fall on the same sites; the jitter is not strained.
    np.testing.assert_allclose(strained_vacant, vacant @ (np.eye(3) + strain), atol=1e-9)
    np.testing.assert_allclose(strained_inserted, inserted @ (np.eye(3) + strain), atol=0.01)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strain", [None, 0.05])
def test_every_shape_can_be_had_in_odd_cells(shape, strain):
    strain = None if strain is None else strain * np.array([[1, 0.5, -1], [0.5, -1, 0.3], [-1, 0.3, 0.5]])
    added, removed = (0, 4) if shape == "void" else (4, 0)
    cluster = Cluster(shape, added, removed, 9.0 if shape == "random" else None)
    atoms, vacant, inserted = placed(cluster, size=(4, 5, 7), strain=strain)
    assert len(inserted) - len(vacant) == added - removed
    assert (distances(atoms, atoms.positions[:, None] - atoms.positions) + 9 * np.eye(len(atoms))).min() > 1.1


def test_clusters_do_not_touch_and_keep_their_separation():
    clusters = (
        [Cluster("c15", 2, 0, None)] * 3 + [Cluster("void", 0, 5, None)] * 3 + [Cluster("loop_111", 4, 0, None)] * 2
    )
    for seed in range(5):
        atoms, vacant, inserted = placed(*clusters, size=(8, 8, 8), seed=seed)
        assert len(vacant) == 3 * 10 + 3 * 5
        assert len(inserted) == 3 * 12 + 2 * 4
    apart = [Cluster("void", 0, 1, None)] * 4
    for seed in range(10):
        atoms, vacant, _ = placed(*apart, separation=6.0, seed=seed)
        # A vacancy is the site nearest to its centre, at most 0.56 a from it.
        assert (distances(atoms, vacant[:, None] - vacant) + 9 * np.eye(4)).min() > 6.0 - 2 * 0.56 * IRON.a
    with pytest.raises(StructureError, match=r"no room for 40 clusters at 9\.0 Å from each other"):
        placed(*apart * 10, separation=9.0)


def test_loops_keep_off_vacant_sites_and_separation_holds_for_those_that_were_moved():
    # The cell is so full that most clusters do not fit where they are tried first.
    clusters = [Cluster("void", 0, 15, None)] * 3 + [Cluster("loop_111", 19, 0, None)] * 3
    for seed in range(5):
        atoms, vacant, inserted = placed(*clusters, size=(8, 8, 8), separation=7.0, seed=seed)
        assert distances(atoms, vacant[:, None] - inserted).min() > 1.45 - 0.1
        loops = []
        for loop in np.split(inserted, 3):
            scaled = (loop - loop[0]) @ np.linalg.inv(atoms.cell[:])
            loops.append(loop[0] + ((scaled - np.round(scaled)) @ atoms.cell[:]).mean(axis=0))
        loops = np.array(loops)
        # Loops lie around their centres to within half a Burgers vector and half a row.
        assert (distances(atoms, loops[:, None] - loops) + 9 * np.eye(3)).min() > 7.0 - 2 * 1.5
