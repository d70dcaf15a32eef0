"""What a run leaves as an RO-Crate: every file with its checksum, what made it, and from what."""

import json
from hashlib import sha256
from urllib.parse import unquote

import pytest
import yaml
from workflow_runs import ROOT

from vibentropy.errors import DataError
from vibentropy.run.config import validate
from vibentropy.run.crate import PROFILE, crate
from vibentropy.run.provenance import checksums, record


@pytest.fixture(scope="module")
def recorded():
    config = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))
    return record(validate(config))


@pytest.fixture
def sums(tmp_path):
    """Of files as a run leaves them, with names that an identifier has to quote."""
    (tmp_path / "tables").mkdir()
    files = [tmp_path / "summary.md", tmp_path / "tables/a b é.csv", tmp_path / "model.h5"]
    for number, file in enumerate(files):
        file.write_bytes(b"x" * number)
    path = tmp_path / "SHA256SUMS"
    path.write_text(checksums(files, tmp_path), encoding="utf-8")
    return path


def entities(described):
    return {entity["@id"]: entity for entity in described["@graph"]}


def test_files_that_are_listed_exist_with_their_checksums(recorded, sums):
    by_id = entities(json.loads(json.dumps(crate(recorded, sums))))
    files = [entity for entity in by_id.values() if entity["@type"] == "File"]
    names = {"summary.md", "tables/a b é.csv", "model.h5", "SHA256SUMS"}
    assert {unquote(file["@id"]) for file in files} == names == {file["name"] for file in files}
    assert all(" " not in file["@id"] and file["@id"].isascii() for file in files)
    for file in files:
        content = (sums.parent / unquote(file["@id"])).read_bytes()
        assert file["sha256"] == sha256(content).hexdigest()
        assert int(file["contentSize"]) == len(content)
    kinds = {file["name"]: file["encodingFormat"] for file in files}
    assert kinds["model.h5"] == "application/x-hdf5"
    assert kinds["tables/a b é.csv"] == "text/csv"
    assert kinds["SHA256SUMS"] == "text/plain"


def test_it_says_what_made_them_and_from_what(recorded, sums):
    by_id = entities(crate(recorded, sums))
    root = by_id["./"]
    assert root["conformsTo"] == {"@id": PROFILE}
    run = by_id[root["mentions"]["@id"]]
    assert run["result"] == root["hasPart"]
    program = by_id[run["instrument"]["@id"]]
    assert program["softwareVersion"] == recorded["versions"]["vibentropy"]
    needed = {by_id[to["@id"]]["name"] for to in program["softwareRequirements"]}
    assert needed == recorded["versions"].keys() - {"vibentropy"}
    read = [by_id[to["@id"]] for to in run["object"]]
    assert {(file["name"], file["sha256"]) for file in read if file["@type"] == "CreativeWork"} == {
        (entry["file"], entry["sha256"]) for entry in recorded["inputs"]
    }
    assert {entity["name"]: entity["value"] for entity in read if entity["@type"] == "PropertyValue"} == {
        "config_sha256": recorded["config_sha256"],
        "seed": "7",
    }


def test_everything_that_is_referred_to_is_described(recorded, sums):
    described = crate(recorded, sums)
    by_id = entities(described)
    assert len(by_id) == len(described["@graph"])
    outside = {"https://w3id.org/ro/crate/1.1"}

    def referred(value):
        if isinstance(value, list):
            return set().union(*map(referred, value)) if value else set()
        return {value["@id"]} if isinstance(value, dict) else set()

    for entity in by_id.values():
        assert set().union(*map(referred, entity.values())) <= by_id.keys() | outside


def test_a_file_that_is_gone_is_named(recorded, sums):
    (sums.parent / "model.h5").unlink()
    with pytest.raises(DataError, match=r"model\.h5.*run the same command again"):
        crate(recorded, sums)
