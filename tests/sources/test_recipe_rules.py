"""What is wrong with solutes, sublattices and references of recipes is said before anything is made."""

import pytest
from example_config import EXAMPLE, SCHEMA, problems
from yaml import safe_load

from vibentropy.run.config import validate

RECIPE = "datasets.train.recipe"


def example(defect=None, lattice=None, elements=("Fe", "P"), **recipe):
    """A configuration with one class X of solutes in iron, or in a compound."""
    config = safe_load(EXAMPLE)
    del config["datasets"]["given"]
    config["potential"] = {"file": "FeP_mm.eam.fs", "elements": list(elements)}
    config["lattice"]["references"] = [{"defect": f"{elements[-1]}_Fe", "cell": [3, 3, 3]}]
    if lattice:
        config["lattice"] = lattice
    if defect:
        config["datasets"]["train"]["recipe"]["defects"] = {"X": defect | {"trajectories": 3}}
    config["datasets"]["train"]["recipe"] |= recipe
    return config


FEAL = {"structure": "B2", "a": 2.9, "elements": ["Fe", "Al"], "references": [{"defect": "Al_Fe", "cell": [4, 4, 4]}]}
DO3 = FEAL | {"structure": "DO3", "a": 5.8}
SWAPS = {"temperature": 900, "steps_between": 100, "snapshots": 1, "swaps": {"every": 50, "attempts": 5}}


@pytest.mark.parametrize(
    ("defect", "keys"),
    [
        ({"vacancies": 1, "solutes": {"P": 2}, "shells": [1, 2]}, {}),
        ({"solutes": {"P_Fe": 3}, "radius": 6.0}, {"anneal": SWAPS}),
        ({"composition": {"P": 0.02}}, {}),
        ({"shape": "dumbbell_110", "interstitials": {"P": 1}}, {}),
        ({"mixture": [{"vacancies": 2}, {"solutes": {"P": 2}, "shells": [1]}], "composition": {"P": 0.01}}, {}),
        ({"shape": "void", "vacancies": 9, "solutes": {"P": 2}, "shells": [1]}, {}),
        ({"vacancies": {"Al": 1}, "solutes": {"Al_Fe": 1, "Fe": 1}}, {"lattice": FEAL, "elements": ("Fe", "Al")}),
        ({"vacancies": {"FeII": 1}, "interstitials": {"Al": 1}}, {"lattice": DO3, "elements": ("Al", "Fe")}),
    ],
)
def test_what_can_be_made_is_accepted(defect, keys):
    checked = validate(example(defect, **keys), SCHEMA)
    # Validating it again changes nothing.
    assert validate(checked, SCHEMA) == checked


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (
            {"solutes": {"Pb": 1}},
            "X.solutes: 'Pb' (did you mean 'P'?) is no element of the potential, which has Fe, P;",
        ),
        ({"interstitials": {"X": 1}}, "X.interstitials: 'X' is no element of the potential, which has Fe, P;"),
        ({"solutes": {"P_Cr": 1}}, "X.solutes: 'Cr' is no sublattice of bcc Fe, which has Fe"),
        ({"vacancies": {"Al": 1}}, "X.vacancies: 'Al' is no sublattice of bcc Fe, which has Fe"),
        ({"solutes": {"Fe": 1}}, "X.solutes: 'Fe' replaces Fe by itself"),
        ({"composition": {"P": 0.7, "P_Fe": 0.4}}, "X.composition: adds up to 1.1 of the sites, expected at most 1"),
        ({"composition": {"P": 1e-4}}, "X.composition: 0.0001 of 250 sites is no atom of P"),
        ({"solutes": {"P": 251}}, "X: takes 251 sites, of which a cell of 250 has 250"),
        ({"solutes": {"P_Fe": 130}, "clusters": 2}, "X: takes 260 sites of Fe, of which a cell of 250 has 250"),
        ({"solutes": {"P": 60}, "composition": {"P_Fe": 0.8}}, "X: takes 260 sites of a cell that has 250"),
        ({"solutes": {"P": 20}, "radius": 3.0}, "sites on average, too few for 0 vacancies and 20 solutes"),
        ({"solutes": {"P": 1}, "shells": [1]}, "there are 1 solutes and 0 vacancies"),
        ({"vacancies": 1, "shells": [1]}, "there are 0 solutes and 1 vacancies"),
        ({"shape": "void", "vacancies": 3, "solutes": {"P": 1}}, "X.solutes: say on which shells of neighbours"),
        ({"shape": "void", "vacancies": {"Fe": 3}}, "X.vacancies: a void takes the sites next to a point"),
        (
            {"shape": "loop_111", "interstitials": 7, "solutes": {"P": 1}},
            "X.solutes: go with the shapes random and void",
        ),
        ({"shape": "dumbbell_110", "interstitials": {"P": 2}}, "X.interstitials: a dumbbell is of one interstitial"),
        ({"solutes": {"P_fe": 1}}, "'P_fe'"),
        ({"vacancies": 0}, "neither interstitials nor vacancies, nor solutes"),
    ],
)
def test_solutes_that_cannot_be_are_refused(defect, message):
    (problem,) = problems(example(defect))
    assert problem.startswith(f"{RECIPE}.defects.X")
    assert message in problem


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (
            {"vacancies": {"FeI": 1}},
            "X.vacancies: 'FeI' (did you mean 'Fe'?) is no sublattice of B2 FeAl, which has Fe, Al",
        ),
        ({"solutes": {"Al_Al": 1}}, "X.solutes: 'Al_Al' replaces Al by itself"),
        ({"interstitials": 2}, "X.interstitials: say of which element in B2 FeAl, such as {Fe: 2}, found 2"),
        ({"shape": "loop_111", "interstitials": {"Fe": 7}}, "loop_111 is defined in crystals of one element"),
        ({"shape": "c15", "interstitials": {"Fe": 2}}, "c15 clusters are defined in bcc, found lattice.structure B2"),
        ({"solutes": {"Al_Fe": 126}}, "X: takes 126 sites of Fe, of which a cell of 250 has 125"),
    ],
)
def test_sublattices_of_a_compound(defect, message):
    (problem,) = problems(example(defect, FEAL, ("Fe", "Al")))
    assert problem.startswith(f"{RECIPE}.defects.X")
    assert message in problem


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"elements": ["Fe", "Cr"]}, "lattice.elements: 'Cr' is no element of the potential, which has Fe, Al"),
        ({"elements": None}, "lattice.elements: B2 is a compound AB, expected its two elements in that order"),
        ({"structure": "bcc"}, "lattice.elements: bcc is a crystal of one element, the first of the potential (Fe)"),
        ({"references": []}, "lattice.references: nothing says what an atom of Al counts beside B2 FeAl: add a cell"),
        ({"references": [{"defect": "Al_Al", "cell": [2, 2, 2]}]}, "lattice.references: 'Al_Al' replaces Al by itself"),
        ({"references": [{"defect": "Al_Cr", "cell": [2, 2, 2]}]}, "'Cr' is no sublattice of B2 FeAl"),
        ({"references": [{"defect": "Al_Fe", "cell": [2, 2, 2]}] * 2}, "3 reference cells for 2 elements"),
        ({"references": [{"cell": [2, 2, 2]}]}, "exactly one of the keys defect, structure is expected"),
        ({"references": [{"structure": "fcc", "cell": [2, 2, 2]}]}, "element"),
    ],
)
def test_lattices_and_their_references(changes, message):
    lattice = {key: value for key, value in (FEAL | changes).items() if value is not None}
    found = problems(example({"vacancies": {"Fe": 1}}, lattice, ("Fe", "Al")))
    assert any(problem.startswith("lattice") and message in problem for problem in found), found


def test_a_solute_without_a_reference_says_which_to_add():
    config = example({"solutes": {"P": 1}})
    del config["lattice"]["references"]
    assert problems(config) == [
        "lattice.references: nothing says what an atom of P counts beside bcc Fe: add a cell, such as "
        "`- {defect: P_Fe, cell: [8, 8, 8]}`"
    ]
    # Where nothing but the crystal's own atoms is there, none is needed.
    config["datasets"]["train"]["recipe"]["defects"] = {"V1": {"vacancies": 1, "trajectories": 3}}
    validate(config, SCHEMA)


def test_exchanges_need_two_elements_and_time():
    (problem,) = problems(
        example({"vacancies": 1}, elements=("Fe",), anneal=SWAPS) | {"lattice": {"structure": "bcc", "a": 2.86}}
    )
    assert problem.startswith(
        f"{RECIPE}.anneal.swaps: exchanges atoms of different elements, and the potential is of Fe"
    )
    (problem,) = problems(example({"solutes": {"P": 2}}, anneal=SWAPS | {"steps_between": 40}))
    assert "anneal.swaps.every is 50 steps, and snapshots are 40 apart" in problem


def test_strained_do3_is_not_at_rest_nor_are_there_strained_references():
    at_rest, references = problems(example({"vacancies": {"Al": 1}}, DO3, ("Fe", "Al"), strain=0.01))
    assert "a strained DO3 crystal is not at rest on its sites" in at_rest
    assert "recipe.strain: the cells of lattice.references are at rest" in references


IRON = {"structure": "bcc", "element": "Fe", "a": 2.86, "cell": [4, 4, 4]}
MIXED = {"structure": "bcc", "a": 2.86, "composition": {"P": 0.05}, "arrangements": 2, "seed": 1, "references": [IRON]}


@pytest.mark.parametrize(
    "defect",
    [
        {"vacancies": 1},
        {"vacancies": {"P": 1}, "solutes": {"P_Fe": 1, "Fe": 1}, "shells": [1]},
        {"shape": "dumbbell_110", "interstitials": {"P": 1}},
        {"shape": "void", "vacancies": 5},
    ],
)
def test_defects_in_random_alloys_are_accepted(defect):
    checked = validate(example(defect, MIXED), SCHEMA)
    assert validate(checked, SCHEMA) == checked


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"structure": "B2", "elements": ["Fe", "P"]}, "lattice.composition: B2 is an ordered compound"),
        ({"composition": {"Pb": 0.5}}, "lattice.composition: 'Pb' (did you mean 'P'?) is no element of the potential"),
        ({"composition": {"Fe": 0.5}}, "lattice.composition: Fe, the first element of the potential, has the sites"),
        (
            {"composition": {"P": 0.7, "Fe": 0.5}},
            "lattice.composition: adds up to 1.2 of the sites, expected less than 1",
        ),
        (
            {"composition": {"P": 0.001}},
            "lattice.composition: 0.001 of the 250 sites of a cell [5, 5, 5] is no atom of P",
        ),
        ({"composition": None}, "lattice.composition: missing; arrangements and seed are those of a random alloy"),
        (
            {"references": [{"defect": "P_Fe", "cell": [3, 3, 3]}]},
            "lattice.references: in a random alloy no site is like another, so that P_Fe has no entropy",
        ),
        (
            {"references": []},
            "lattice.references: nothing says what an atom of P counts beside a random alloy of Fe and P: add a cell, "
            "such as `- {structure: bcc, element: Fe, a: 2.86, cell: [8, 8, 8]}`",
        ),
        ({"references": [IRON, IRON]}, "lattice.references: 3 reference cells for 2 elements"),
    ],
)
def test_what_is_wrong_with_a_random_alloy(changes, message):
    lattice = {key: value for key, value in (MIXED | changes).items() if value is not None}
    found = problems(example({"vacancies": 1}, lattice))
    assert any(problem.startswith(message) for problem in found), found


@pytest.mark.parametrize(
    ("defect", "keys", "message"),
    [
        ({"composition": {"P": 0.1}}, {}, ".defects.X.composition: lattice.composition says it for all cells"),
        ({"vacancies": 1}, {"anneal": SWAPS}, ".anneal.swaps: exchanged atoms make another arrangement"),
        ({"shape": "c15", "interstitials": 2}, {}, ".defects.X.shape: c15 is defined in crystals of one element"),
        ({"interstitials": 1}, {}, ".defects.X.interstitials: say of which element in a random alloy of Fe and P"),
        ({"vacancies": {"P": 20}}, {}, ".defects.X: takes 20 sites of P, of which a cell of 250 has 12"),
        (
            {"vacancies": {"Fee": 1}},
            {},
            ".defects.X.vacancies: 'Fee' (did you mean 'Fe'?) is no sublattice of a random",
        ),
        ({"vacancies": 1}, {"strain": 0.01}, ".strain: the cells of lattice.references are at rest"),
    ],
)
def test_what_does_not_go_with_a_random_alloy(defect, keys, message):
    found = problems(example(defect, MIXED, **keys))
    assert any(problem.startswith(RECIPE + message) for problem in found), found
