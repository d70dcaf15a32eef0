"""Blocks of configurations to start from; whole ones are in the tests of both ways to them."""

import pytest
import yaml
from iron_files import CONFIG

from vibentropy.atoms.crystal import NEAREST, OF_ONE_ELEMENT, Crystal
from vibentropy.errors import ConfigError
from vibentropy.run.config_text import ConfigText
from vibentropy.run.start_blocks import COARSE, FINE, Start, checked, descriptor_block, nearest


@pytest.mark.parametrize("structure", OF_ONE_ELEMENT)
@pytest.mark.parametrize("repetitions", [1, 3])
def test_nearest_neighbours(structure, repetitions):
    assert nearest(Crystal("Fe", structure, 3.1).cell(repetitions)) == pytest.approx(3.1 * NEAREST[structure])


@pytest.mark.parametrize("structure", OF_ONE_ELEMENT)
@pytest.mark.parametrize("a", [2.0, 6.0])
def test_descriptors_scale_with_the_crystal(structure, a):
    """Any crystal has gaps in the ranges, and cutoffs in them."""
    crystal = Crystal("Fe", structure, a).cell(1)
    for resolution in (FINE, COARSE):
        text = ConfigText()
        descriptor_block(text, crystal, resolution, None)
        angles, union = yaml.safe_load(str(text))["descriptors"].values()
        d = nearest(crystal)
        assert 1.85 * d < angles["r_cut"] < 2.45 * d < 2.3 * d + union["parts"]["pairs"]["r_cut"]
        assert union["parts"]["angles"] == angles
        assert union["parts"]["pairs"]["spacing"] == pytest.approx(resolution.knots * d, abs=6e-3)


def test_what_is_checked_says_what_no_run_could_use():
    assert checked(yaml.safe_dump({**CONFIG, "datasets": {"train": CONFIG["datasets"]["train"]}})).lattice
    block = {
        **CONFIG,
        "datasets": {"train": CONFIG["datasets"]["train"]},
        "potential": {"file": "Ni_u3.eam", "element": "Cu"},
    }
    with pytest.raises(ConfigError, match=r"^no run could use this:\npotential: ") as raised:
        checked(yaml.safe_dump(block))
    assert "Ni" in str(raised.value)


def test_it_is_written_into_a_new_folder(tmp_path):
    Start("é: 1\n", config=None).write(tmp_path / "a/b/run.yaml")
    assert (tmp_path / "a/b/run.yaml").read_text(encoding="utf-8") == "é: 1\n"
