"""Seeds hold the atoms asked for, in the shapes that their names promise, and of the elements."""

import hashlib
from collections import Counter

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
MAGNESIUM = Crystal("Mg", "hcp", 3.2)
B2 = Crystal("Fe", "B2", 2.9, partner="Al")
DO3 = Crystal("Fe", "DO3", 5.8, partner="Al")
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
    added, removed = {"void": (0, 4), "dumbbell": (1, 0)}.get(shape.partition("_")[0], (4, 0))
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


@pytest.mark.parametrize(
    ("clusters", "keys", "expected"),
    [
        ([Cluster("random", 3, 2, 5.0)] * 2, {"seed": 1}, ("692adf0eec4507e8", 0.9155364039147175)),
        (
            [Cluster("random", 2, 0, None), Cluster("void", 0, 9, None)]
            + [Cluster("loop_111", 7, 0, None), Cluster("c15", 4, 0, None)],
            {"seed": 2, "separation": 6.0, "size": (8, 8, 8)},
            ("374f50395609d7b8", 0.9175775764104029),
        ),
        ([Cluster("random", 0, 4, 6.5)] * 3, {"seed": 3, "strain": True}, ("865319e5619fca88", 0.0014900835088361708)),
        (
            [Cluster("random", 1, 3, 5.0)],
            {"seed": 4, "crystal": MAGNESIUM, "size": (5, 3, 3)},
            ("b438e0df981e301c", 0.9841529999311214),
        ),
    ],
)
def test_seeds_of_one_element_are_those_of_before_there_were_solutes(clusters, keys, expected):
    """Data sets that ship can be made again: the same atoms, and the same random numbers after them."""
    crystal, size, seed = keys.get("crystal", IRON), keys.get("size", SIZE), keys["seed"]
    perfect = crystal.cell(size)
    if "strain" in keys:
        strain = 0.02 * np.array([[1, 0.5, -1], [0.5, -1, 0.3], [-1, 0.3, 0.5]])
        perfect = crystal.filling(perfect.cell[:] @ (np.eye(3) + strain), size)
    rng = np.random.default_rng(seed)
    atoms = place(clusters, perfect, crystal, size, keys.get("separation", 0.0), rng)
    content = atoms.positions.round(9).tobytes() + atoms.numbers.astype("u1").tobytes()
    assert (hashlib.sha256(content).hexdigest()[:16], rng.random()) == expected


def chemistry(crystal, cluster, size=SIZE, seed=0, dissolved=None):
    """What is on each site of the crystal, None for a vacancy, and the elements of inserted atoms."""
    perfect = crystal.cell(size)
    atoms = place([cluster] if cluster else [], perfect, crystal, size, 0.0, np.random.default_rng(seed), dissolved)
    at = {tuple(position): symbol for position, symbol in zip(atoms.positions, atoms.symbols, strict=True)}
    on_sites = [at.pop(tuple(position), None) for position in perfect.positions]
    return np.array(on_sites, dtype=object), list(at.values())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    vacancies=st.integers(0, 3),
    solutes=st.dictionaries(st.sampled_from(["P", "Al", "P_Fe"]), st.integers(1, 3), max_size=2),
    radius=st.one_of(st.none(), st.floats(5.0, 7.0)),
)
def test_clusters_hold_the_solutes_asked_for(seed, vacancies, solutes, radius):
    on_sites, inserted = chemistry(IRON, Cluster("random", 0, vacancies, radius, solutes), seed=seed)
    wanted = Counter({"Fe": len(on_sites) - vacancies - sum(solutes.values())})
    wanted.update(
        Counter({None: vacancies}) + sum((Counter({k[:2].strip("_"): n}) for k, n in solutes.items()), Counter())
    )
    assert Counter(on_sites.tolist()) == +wanted
    assert inserted == []
    changed = IRON.cell(SIZE).positions[on_sites != "Fe"]
    if radius is not None and len(changed):
        assert distances(IRON.cell(SIZE), changed[:, None] - changed).max() <= 2 * radius + 1e-9


@pytest.mark.parametrize(("shells", "radii"), [([1], [3**0.5 / 2]), ([2], [1.0]), ([1, 3], [3**0.5 / 2, 2**0.5])])
@pytest.mark.parametrize("strain", [0.0, 0.04])
def test_solutes_are_on_the_shells_of_the_vacancy(shells, radii, strain):
    seen = set()
    for seed in range(8):
        cluster = Cluster("random", 0, 1, None, {"P": 2}, shells)
        perfect = IRON.filling(IRON.cell(SIZE).cell[:] @ (np.eye(3) + strain * np.diag([1, -1, 0.5])), SIZE)
        atoms = place([cluster], perfect, IRON, SIZE, 0.0, np.random.default_rng(seed))
        at = {tuple(position): symbol for position, symbol in zip(atoms.positions, atoms.symbols, strict=True)}
        on_sites = [at.get(tuple(position)) for position in perfect.positions]
        vacant = on_sites.index(None)
        solutes = [index for index, symbol in enumerate(on_sites) if symbol == "P"]
        ideal = IRON.cell(SIZE)
        apart = ideal.get_distances(vacant, solutes, mic=True) / IRON.a
        assert len(apart) == 2
        assert np.abs(apart[:, None] - radii).min(axis=1).max() < 1e-6
        seen.update(np.abs(apart[:, None] - radii).argmin(axis=1).tolist())
    assert len(seen) == len(radii)


def test_without_a_vacancy_shells_are_those_of_the_first_solute():
    for seed in range(5):
        on_sites, _ = chemistry(IRON, Cluster("random", 0, 0, None, {"P": 3}, [2]), seed=seed)
        atoms = IRON.cell(SIZE)[on_sites == "P"]
        apart = atoms.get_all_distances(mic=True) / IRON.a
        # One of them has both others as second neighbours.
        assert np.isclose(apart, 1.0).sum(axis=1).max() == 2


def test_antisites_and_vacancies_are_on_their_sublattices():
    cluster = Cluster("random", 0, {"Al": 2, "Fe": 1}, None, {"Al_Fe": 3, "Fe_Al": 1})
    on_sites, inserted = chemistry(B2, cluster, seed=3)
    iron, aluminium = (on_sites[B2.on(name, len(on_sites))].tolist() for name in ("Fe", "Al"))
    assert Counter(iron) == {"Fe": 216 - 4, None: 1, "Al": 3}
    assert Counter(aluminium) == {"Al": 216 - 3, None: 2, "Fe": 1}
    assert inserted == []
    on_sites, _ = chemistry(DO3, Cluster("random", 0, {"FeI": 2}, None, {"Al_FeII": 4}), size=(3, 3, 3))
    of = {name: Counter(on_sites[DO3.on(name, len(on_sites))].tolist()) for name in ("FeI", "FeII", "Al")}
    assert of == {"FeI": {"Fe": 106, None: 2}, "FeII": {"Fe": 212, "Al": 4}, "Al": {"Al": 108}}


def test_a_void_has_solutes_at_its_surface_and_later_clusters_take_no_solute_away():
    on_sites, _ = chemistry(IRON, Cluster("void", 0, 9, None, {"P": 4}, [1]), seed=2)
    assert Counter(on_sites.tolist()) == {"Fe": 432 - 13, None: 9, "P": 4}
    crowded = [Cluster("random", 0, 0, None, {"P": 60}), Cluster("void", 0, 9, None), Cluster("random", 0, 9, None)]
    for seed in range(5):
        atoms = place(crowded, IRON.cell(5), IRON, (5, 5, 5), 0.0, np.random.default_rng(seed))
        assert atoms.symbols.count("P") == 60
        assert len(atoms) == 250 - 18


@pytest.mark.parametrize(("element", "direction"), [("P", "110"), ("Fe", "111"), ("P", "100")])
def test_mixed_dumbbells_share_a_site(element, direction):
    cluster = Cluster(f"dumbbell_{direction}", {element: 1}, 0, None)
    perfect = IRON.cell(SIZE)
    atoms = place([cluster], perfect, IRON, SIZE, 0.0, np.random.default_rng(4))
    assert len(atoms) == len(perfect) + 1
    own, added = atoms[-2], atoms[-1]
    assert (own.symbol, added.symbol) == ("Fe", element)
    vector = added.position - own.position
    assert np.linalg.norm(vector) == pytest.approx(0.8 * np.sqrt(3) / 2 * IRON.a, abs=0.1)
    cosines = np.sort(np.abs(vector / np.linalg.norm(vector)))[::-1]
    ideal = np.array([int(digit) for digit in direction]) / np.sqrt(direction.count("1"))
    np.testing.assert_allclose(cosines, ideal, atol=0.05)
    middle = (own.position + added.position) / 2
    assert distances(perfect, perfect.positions - middle).min() < 0.05


def test_dumbbells_of_compounds_are_of_the_atom_of_the_site():
    on_sites, inserted = chemistry(B2, Cluster("dumbbell_110", {"Fe": 1}, 0, None), seed=1)
    (site,) = np.flatnonzero(on_sites == None)  # noqa: E711
    assert inserted == [B2.cell(SIZE).symbols[site], "Fe"]


def test_foreign_interstitials():
    on_sites, inserted = chemistry(IRON, Cluster("random", {"P": 2, "Fe": 1}, 0, 5.0))
    assert Counter(on_sites.tolist()) == {"Fe": 432}
    assert Counter(inserted) == {"P": 2, "Fe": 1}


def test_dissolved_solutes_take_what_clusters_leave():
    on_sites, _ = chemistry(IRON, Cluster("random", 0, 4, None, {"P": 2}), dissolved={"P": 30, "Al_Fe": 5})
    assert Counter(on_sites.tolist()) == {"Fe": 432 - 41, None: 4, "P": 32, "Al": 5}
    crowded, _ = chemistry(IRON, None, dissolved={"P": 200, "Al": 200})
    assert Counter(crowded.tolist()) == {"Fe": 32, "P": 200, "Al": 200}


def test_too_many_solutes_are_refused():
    with pytest.raises(StructureError, match=r"the sphere of the cluster has 0 sites left for 1 of P"):
        chemistry(IRON, Cluster("random", 0, 0, 2.0, {"P": 9}))
    with pytest.raises(StructureError, match=r"shell 1 of the cluster has 0 sites left for 1 of P"):
        chemistry(IRON, Cluster("random", 0, 1, None, {"P": 9}, [1]))
    with pytest.raises(StructureError, match=r"the cell has 432 sites left for 433 of P"):
        chemistry(IRON, None, dissolved={"P": 433})
