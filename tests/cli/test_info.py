"""`vibentropy info`."""

import json
import re
from pathlib import Path

from iron_files import ROOT

from vibentropy import EntropyModel
from vibentropy.data import SHIPPED
from vibentropy.sources import archives

N_FEATURES = {"iron": 127, "iron-law": 7, "iron-stiffness": 5}
AFS = "--descriptor", "afs", "--set", "n_max=2", "--set", "l_max=2", "--set", "r_cut=4.0"


class TestInfo:
    def test_the_models_that_ship(self, run):
        for line, name in zip(run("info", "--json").stdout.splitlines(), SHIPPED, strict=True):
            found, model = json.loads(line), EntropyModel.load(name)
            assert found["kind"] == "entropy model"
            assert found["validity"] == model.validity()
            assert found["features"] == model.descriptor.n_features == N_FEATURES[name]
        shown = run("info").stdout
        assert shown.count("training entropies: 1.09114 to 21.6876") == len(SHIPPED)
        # By name, one at a time, with a line between them where all are shown.
        assert "\n\n".join(run("info", name).stdout.strip() for name in SHIPPED) == shown.strip()

    def test_a_file_comes_before_a_model_of_its_name(self, run):
        Path("iron").write_text("mine")
        assert "not a file of this package" in run("info", "iron", code=2).stderr

    def test_a_model_of_a_run_says_everything_once(self, run, shipped, tmp_path):
        origin = {"seed": 7, "versions": "python 3, numpy 2", "inputs": "aa  my.xyz\nbb  bulk.xyz"}
        shipped.with_provenance(**origin).save(tmp_path / "model.h5", **origin, config_sha256="c" * 64)
        result = run("info", tmp_path / "model.h5")
        assert result.stdout.count("python 3, numpy 2") == result.stdout.count("bb  bulk.xyz") == 1
        assert "  inputs: \n    aa  my.xyz\n    bb  bulk.xyz\n" in result.stdout
        # What the file says otherwise than the model is not lost.
        assert f"  config_sha256: {'c' * 64}" in result.stdout.split("made by:")[1]

    def test_an_archive_and_a_set(self, run):
        found = json.loads(run("info", "data/clusters.h5", "--json").stdout)
        table = archives.read_archive(ROOT / "data/cells_1024.h5", "x").table
        assert found["kind"] == "archive"
        assert found["status"] == {"labelled": len(table)}
        assert found["classes"] == table["defect_class"].value_counts().to_dict()
        assert found["formation entropies"] == [table["formation_entropy"].min(), table["formation_entropy"].max()]
        assert found["made by"]["potential"]["element"] == "Fe"

    def test_features(self, run):
        run("describe", "bad.xyz", *AFS, "-o", "f.h5", code=1)
        found = json.loads(run("info", "f.h5", "--json").stdout)
        assert (found["kind"], found["configurations"], found["features"]) == ("features", 3, 6)
        assert list(found["without features"]) == ["bad.xyz/0001"]

    def test_other_files(self, run):
        assert "not a file of this package" in run("info", "my.xyz", code=2).stderr
        Path("cut.h5").write_bytes(Path("model.h5").read_bytes()[:-500])
        assert re.search(r"^Error: cut.h5: not a complete HDF5 file", run("info", "cut.h5", code=2).stderr)
