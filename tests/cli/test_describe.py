"""`vibentropy describe`."""

import re
from io import StringIO

import ase.io
import numpy as np
import pandas as pd
import pytest
from dumps import write_dump

from vibentropy.descriptors import available, create
from vibentropy.features.extensive import bulk_features, describe_references, extensive_features
from vibentropy.features.sets import FeatureSet


class TestDescribe:
    PARAMETERS = "--descriptor", "afs", "--set", "n_max=2", "--set", "l_max=2", "--set", "r_cut=4.0"

    def test_features_are_those_of_models(self, run):
        descriptor, perfect = create("afs", n_max=2, l_max=2, r_cut=4.0), ase.io.read("bulk.xyz")
        frames = ase.io.read("my.xyz", index=":")
        expected = extensive_features(descriptor, frames, bulk_features(descriptor, perfect))
        printed = run("describe", "my.xyz", *self.PARAMETERS, "--reference", "bulk.xyz")
        lines = [line.split(",") for line in printed.stdout.splitlines()]
        assert lines[0] == ["id", *descriptor.feature_names]
        np.testing.assert_allclose(np.array(lines[1:])[:, 1:].astype(float), expected, atol=1e-9)
        # The same by the name in a configuration, as a file of features.
        run("describe", "my.xyz", "--config", "my.yaml", "-d", "afs_3_10", "--reference", "bulk.xyz", "-o", "f.h5")
        features = FeatureSet.load("f.h5")
        np.testing.assert_allclose(features.X, expected, atol=1e-9)
        assert features.ids == ("my.xyz/0000", "my.xyz/0001", "my.xyz/0002")

    def test_several_elements_take_several_references(self, run):
        descriptor = create("two_body", n_max=2, r_cut=3.5, species=["Fe", "P"])
        settings = "-d", "two_body", "--set", "n_max=2", "--set", "r_cut=3.5", "--set", "species=[Fe, P]"
        perfect, solute, vacancy = (ase.io.read(name) for name in ("bulk.xyz", "solute.xyz", "defect.xyz"))
        vacancy.symbols[5:7] = "P"
        ase.io.write("alloy.xyz", [vacancy, solute], format="extxyz")
        references = "--reference", "bulk.xyz", "--reference", "solute.xyz"
        run("describe", "alloy.xyz", *settings, *references, "-o", "alloy.h5")
        features = FeatureSet.load("alloy.h5")
        expected = extensive_features(descriptor, [vacancy, solute], describe_references(descriptor, perfect, [solute]))
        np.testing.assert_allclose(features.X, expected, atol=1e-9)
        np.testing.assert_allclose(features.X[1], 0, atol=1e-9)
        assert features.bulk.elements == ("Fe", "P")
        refused = run("describe", "alloy.xyz", *settings, "--reference", "solute.xyz", code=2)
        assert "solute.xyz: the configuration holds Fe, P, expected one element" in refused.stderr

    def test_too_little_memory_is_no_traceback(self, run):
        settings = "--set", "grid_spacing=0.001"
        refused = run("describe", "other.xyz", "--descriptor", "scattering", *settings, code=2)
        assert "Error: out of memory (Unable to allocate" in refused.output

    def test_without_a_reference_they_are_sums(self, run):
        run("describe", "other.xyz", *self.PARAMETERS, "-o", "f.csv")
        total = create("afs", n_max=2, l_max=2, r_cut=4.0).total(ase.io.read("other.xyz"))
        np.testing.assert_allclose(pd.read_csv("f.csv").iloc[0, 1:].astype(float), total, rtol=1e-12)

    def test_dumps_of_types_have_the_element_of_the_reference_or_the_potential(self, run):
        write_dump("my.dump", ase.io.read("my.xyz", index=":"), types=True)
        write_dump("bulk.dump", [ase.io.read("bulk.xyz")], types=True)
        named = "--config", "my.yaml", "-d", "afs_3_10"
        expected = run("describe", "my.xyz", *self.PARAMETERS, "--reference", "bulk.xyz").stdout
        for arguments in ([*self.PARAMETERS, "--reference", "bulk.xyz"], [*named, "--reference", "bulk.dump"]):
            found = run("describe", "my.dump", *arguments).stdout.replace("my.dump", "my.xyz")
            table, known = (pd.read_csv(StringIO(text), index_col="id") for text in (found, expected))
            pd.testing.assert_frame_equal(table, known, atol=1e-4)
        assert run("describe", "my.dump", *named).stdout
        assert "elements" in run("describe", "my.dump", *self.PARAMETERS, code=2).stderr

    def test_kinds_are_listed_with_their_parameters(self, run):
        listed = run("describe", "--list").stdout
        assert re.findall(r"^(\w+): ", listed, re.M) == list(available())
        assert "afs: Angular Fourier Series, three-body: " in listed
        assert "  n_max=3  number of radial functions (whole number from 1 to 40)\n" in listed
        assert "  r_cut=5.0  cutoff, Å (number > 0 and ≤ 20)\n" in listed

    def test_bad_frames(self, run):
        result = run("describe", "bad.xyz", "cut.xyz", *self.PARAMETERS, code=1)
        assert "bad.xyz, frame 1: position of atom 3" in result.stderr
        assert len(result.stdout.splitlines()) == 4
        run("describe", "cut.xyz", *self.PARAMETERS, code=2)
        ase.io.write("nan.xyz", ase.io.read("bad.xyz", index=1), format="extxyz")
        run("describe", "nan.xyz", *self.PARAMETERS, code=2)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["my.xyz"], "FILES and --descriptor"),
            (["my.xyz", "-d", "affs"], r"did you mean 'afs'\?"),
            (["my.xyz", "-d", "asf"], r"^Error: .*did you mean 'afs'\?"),
            (["my.xyz", "-d", "afs", "--set", "n_mx=1"], r"did you mean 'n_max'\?"),
            (["my.xyz", "-d", "afs", "--set", "n_max"], "should be NAME=VALUE"),
            (["my.xyz", "-d", "afs", "--set", "n_max=[1"], "which is no YAML"),
            (["my.xyz", "-d", "afs_3_1", "--config", "my.yaml"], r"did you mean 'afs_3_10'\?"),
        ],
    )
    def test_what_is_wrong_from_the_start(self, run, arguments, message):
        assert re.search(message, run("describe", *arguments, code=2).stderr)
