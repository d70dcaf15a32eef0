"""Finding descriptors by name, and what happens to names and values that do not exist."""

import subprocess
import sys

import pytest
from ase.build import bulk

from vibentropy.descriptors import REGISTRY, Descriptor, LocalDescriptor, available, create, find
from vibentropy.descriptors.afs import AngularFourierSeries
from vibentropy.errors import ConfigError

HOMEMADE = """
import numpy as np
from vibentropy.descriptors import LocalDescriptor
from vibentropy.atoms.neighbours import neighbour_pairs

class Coordination(LocalDescriptor):
    def __init__(self, r_cut, species=None):
        self.r_cut, self.species = r_cut, species

    feature_names = ["neighbours"]

    def _blocks(self, atoms):
        first, *_ = neighbour_pairs(atoms, self.r_cut)
        yield slice(None), np.diff(first)[:, None]

not_a_descriptor = 3
"""


@pytest.fixture
def homemade(tmp_path, monkeypatch):
    """A module of one's own, installed with an entry point."""
    (tmp_path / "homemade_descriptor.py").write_text(HOMEMADE)
    info = tmp_path / "homemade-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: homemade\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[vibentropy.descriptors]\ncoordination = homemade_descriptor:Coordination\nafs = homemade_descriptor:nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "homemade_descriptor"
    sys.modules.pop("homemade_descriptor", None)


class TestFind:
    def test_registered(self):
        assert find("afs") is AngularFourierSeries
        for kind in REGISTRY:
            assert issubclass(find(kind), Descriptor)

    @pytest.mark.parametrize("kind", ["coordination", "homemade_descriptor.Coordination"])
    def test_of_ones_own(self, homemade, kind):
        descriptor = create(kind, r_cut=2.6)
        assert isinstance(descriptor, LocalDescriptor)
        assert descriptor.total(bulk("Fe", "bcc", a=2.8553, cubic=True).repeat(3)) == 54 * 8

    def test_available(self, homemade):
        assert available()["coordination"] == "homemade_descriptor:Coordination"
        assert available().items() >= REGISTRY.items()

    def test_unknown(self):
        with pytest.raises(ConfigError, match=r"'afz' \(did you mean 'afs'\?\); there are .*afs"):
            create("afz")

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("no.such.Module", "cannot be imported.*no"),
            ("homemade_descriptor.Missing", "cannot be imported.*Missing"),
            ("homemade_descriptor.not_a_descriptor", "is 3, not a subclass of Descriptor"),
            ("collections.OrderedDict", "not a subclass"),
        ],
    )
    def test_unusable(self, homemade, kind, message):
        with pytest.raises(ConfigError, match=message):
            create(kind)

    def test_nothing_is_imported_before_it_is_asked_for(self):
        modules = {place.split(":")[0] for place in REGISTRY.values()}
        code = f"import sys, vibentropy.descriptors; assert not {modules} & set(sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestParameters:
    def test_unknown(self):
        with pytest.raises(ConfigError, match=r"no parameter 'nmax' \(did you mean 'n_max'\?\); it takes n_max, l_max"):
            create("afs", nmax=3)

    def test_missing(self, homemade):
        with pytest.raises(ConfigError, match="needs r_cut"):
            create("coordination")

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"n_max": 0}, "n_max == 0, must be >= 1"),
            ({"n_max": 3.0}, "n_max == 3.0, must be a whole number"),
            ({"n_max": "3"}, "n_max == '3', must be a whole number"),
            ({"l_max": -1}, "l_max == -1, must be >= 0"),
            ({"r_cut": 0}, "r_cut == 0, must be > 0"),
            ({"r_cut": "5 A"}, "r_cut == '5 A', must be a number"),
            ({"r_cut": float("nan")}, "r_cut == nan, must be finite"),
            ({"r_cut": float("inf")}, "r_cut == inf, must be finite"),
            ({"species": "Fe"}, "species == 'Fe', must be a list"),
            ({"species": [26]}, r"species == \[26\], must be a list of chemical symbols"),
            ({"species": 26}, "species == 26, must be a list of chemical symbols"),
            ({"species": ["Fe", "Qq"]}, "'Qq' is no chemical symbol"),
            ({"species": ["Fe", "Fe"]}, "each of them once"),
            ({"species": []}, "at least one element"),
        ],
    )
    def test_not_valid(self, parameters, message):
        with pytest.raises(ConfigError, match=f"^descriptor 'afs': .*{message}"):
            create("afs", **parameters)

    def test_not_valid_when_set_later(self):
        descriptor = create("afs").set_params(n_max=0)
        with pytest.raises(ConfigError, match="n_max == 0"):
            descriptor.total(bulk("Fe"))
