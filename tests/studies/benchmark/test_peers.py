"""Implementations of others say what ours say."""

import importlib.util

import numpy as np
import pytest
from measurements import AFS

from vibentropy.descriptors import REGISTRY, create
from vibentropy.studies.benchmark import cells, peers, programs


class TestPeers:
    @pytest.mark.parametrize("name", peers.PEERS)
    def test_sum_over_a_repeated_cell(self, name):
        peer = peers.PEERS[name]
        if importlib.util.find_spec(peer.module) is None:
            pytest.skip(f"{peer.module} is not installed")
        atoms = cells.crystal(4)
        total = programs.load_program(peer)
        np.testing.assert_allclose(total(atoms * (2, 1, 1)), 2 * total(atoms), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize(
        ("name", "kind", "parameters", "tolerance"),
        [
            ("numpy_double_sum_3_10", "afs", {"n_max": 3, "l_max": 10, "r_cut": 5.0}, 1e-8),
            ("numpy_double_sum_8_10", "afs", {"n_max": 8, "l_max": 10, "r_cut": 5.0}, 1e-3),
            ("quippy_cosnx_3_10", "afs", {"n_max": 3, "l_max": 10, "r_cut": 5.0}, 1e-8),
            ("quippy_cosnx_8_10", "afs", {"n_max": 8, "l_max": 10, "r_cut": 5.0}, 1e-3),
            ("dscribe_soap_8_6", "soap", {"n_max": 8, "l_max": 6, "r_cut": 5.0, "sigma": 0.5}, 1e-10),
            ("lammps_snap_8", "snap", {"twojmax": 8, "r_cut": 5.0}, 1e-8),
        ],
    )
    def test_the_same_numbers_as_ours(self, name, kind, parameters, tolerance):
        """Or their speeds could not be compared. Radial functions of eight powers are not exact in plain doubles."""
        peer = peers.PEERS[name]
        if importlib.util.find_spec(peer.module) is None:
            pytest.skip(f"{peer.module} is not installed")
        atoms = cells.crystal(4)
        ours, theirs = create(kind, **parameters).total(atoms), programs.load_program(peer)(atoms)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=tolerance * np.abs(ours).max())


class TestOurs:
    def test_every_registered_kind_is_there_once(self):
        chosen = peers.ours({"mine": AFS}, {"mine": {"kind": "afs"}, "default": {"kind": "afs"}})
        assert chosen["mine"] == AFS
        assert chosen["default"] == {"kind": "afs"}
        # The default one of the kind is there under another name.
        assert {specification["kind"] for specification in chosen.values()} >= REGISTRY.keys()
        assert "afs" not in chosen

    def test_what_cannot_be_built_is_kept(self):
        assert peers.ours({"x": {"kind": "no.such.Thing"}})["x"] == {"kind": "no.such.Thing"}
