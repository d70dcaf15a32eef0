"""What a run leaves, as a research object that archives and search engines read: RO-Crate.

The file ``ro-crate-metadata.json`` of a run follows Process Run Crate 0.5, a profile of Workflow Run RO-Crate: which
program made the files of the folder from which inputs, with checksums of all of them. The profile for whole workflows
would ask for a copy of the workflow among the results, which is not there: the version and the hash of the code say
which one it was.

It says when a run ended; nothing else that a run leaves among its results depends on a clock.
"""

import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vibentropy.errors import DataError
from vibentropy.files.atomic import sha256

#: Name that RO-Crate prescribes.
FILE = "ro-crate-metadata.json"

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

#: RO-Crate 1.1 has no term for checksums; Workflow Run RO-Crate has.
_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]

#: Formats that Python has no names for.
_FORMATS = {".h5": "application/x-hdf5", ".md": "text/markdown", "": "text/plain"}


def crate(recorded: Mapping[str, Any], checksums: Path | str) -> dict[str, Any]:
    """Describe the files of a run, and what made them.

    Parameters
    ----------
    recorded : dict
        From `vibentropy.run.provenance.record`.
    checksums : path-like
        Of the files, as from `vibentropy.run.provenance.checksums`; it lies in the folder of the run.

    Returns
    -------
    dict
        For JSON: JSON-LD of RO-Crate 1.1.

    Raises
    ------
    DataError
        If a file with a checksum is not there.
    """
    checksums = Path(checksums)
    sums = {checksums.name: sha256(checksums)}
    for line in checksums.read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        sums[name] = digest
    files = [_file(checksums.parent, name, digest) for name, digest in sorted(sums.items())]
    inputs, values = _taken(recorded)
    own, programs = _programs(recorded)
    ended = datetime.fromtimestamp(checksums.stat().st_mtime, UTC).isoformat(timespec="seconds")
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "A run of the Snakemake workflow of vibentropy",
        "description": f"Its configuration, versions and inputs are in provenance.json. On {_machine(recorded)}.",
        "instrument": _to(own),
        "object": [_to(entity) for entity in inputs + values],
        "result": [_to(file) for file in files],
        "endTime": ended,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    licence = {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "No licence stated",
        "description": "Who owns these results says how they may be used.",
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Vibrational formation entropies: results of a run of vibentropy",
        "description": "Exact entropies of relaxed cells with defects, and the models, predictions, tables and figures "
        "that were made of them",
        "datePublished": ended,
        "license": _to(licence),
        "conformsTo": {"@id": PROFILE},
        "hasPart": [_to(file) for file in files],
        "mentions": _to(run),
    }
    about = {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": _to(root),
    }
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    return {"@context": _CONTEXT, "@graph": [about, root, profile, licence, run, *programs, *inputs, *values, *files]}


def _taken(recorded):
    """Describe what a run takes: files, and values of its configuration."""
    inputs = [
        {"@id": f"#input/{quote(entry['file'])}", "@type": "CreativeWork"}
        | {"name": entry["file"], "description": "A file that the run has read", "sha256": entry["sha256"]}
        for entry in recorded["inputs"]
    ]
    values = [
        {"@id": f"#{name}", "@type": "PropertyValue", "name": name, "value": str(recorded[name])}
        for name in ("config_sha256", "seed")
    ]
    return inputs, values


def _programs(recorded):
    """Describe this package, which needs the others, and all programs in the order of their versions."""
    programs = [
        {"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        for name, version in recorded["versions"].items()
    ]
    (own,) = (program for program in programs if program["name"] == "vibentropy")
    own["softwareRequirements"] = [_to(program) for program in programs if program is not own]
    own["identifier"] = f"code_sha256 {recorded['code_sha256']}"
    return own, programs


def _file(folder, name, digest):
    path = folder / name
    if not path.is_file():
        raise DataError("it has a checksum but is not there; run the same command again", path)
    suffix = path.suffix.lower()
    kind = _FORMATS.get(suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    about = {"name": name, "encodingFormat": kind, "contentSize": str(path.stat().st_size), "sha256": digest}
    return {"@id": quote(name), "@type": "File"} | about


def _machine(recorded):
    return "; ".join([recorded["machine"]["platform"], *recorded["machine"]["linear_algebra"]])


def _to(entity):
    """Refer to an entity."""
    return {"@id": entity["@id"]}
