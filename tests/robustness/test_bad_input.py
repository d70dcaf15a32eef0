"""Bad input, case by case and by chance: every reader that users meet says what is wrong, where, and what to do.

`CASES` is the table: each damages one small file, reads it, and lists what the message must hold (the file, the place,
the value found, what was expected). No case may take long, allocate much, or end in anything but an error of this
package. Below it, files are damaged at random, and files that try to be executed are read.
"""

import ast
import io
import pickle
import re
import resource
import subprocess
import sys
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import ase.db
import ase.io
import h5py
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from small_files import A, configuration_set, defective, feature_set, perfect, write_model
from workflow_runs import HANGS

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.errors import VibentropyError
from vibentropy.features.sets import FeatureSet, concatenate
from vibentropy.model.entropy_model import EntropyModel
from vibentropy.potentials.setfl import SetflTable, read_setfl, write_setfl
from vibentropy.run.config import load, validate
from vibentropy.sources import archives
from vibentropy.sources.source import source_of
from vibentropy.sources.unit_check import check_entropies
from vibentropy.units import KB_PER_ENTROPY_UNIT

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
FORMATION = {"key": "S_f", "unit": "k_B", "kind": "formation"}

# ---- Small files without a fault, one of each kind; all paths are relative to the current folder.


def arrays(**changes):
    """Published arrays by file and name, with changes."""
    crystal, vacancies = perfect(4), perfect(4)
    del vacancies[[1, 5]]
    whole = {
        "configurations": {"V2_EAM": np.array([vacancies.positions] * 3), "lattice": crystal.cell[:]},
        "entropies": {"V2": np.array([4.5, 5.0, 0.0])},
        "bulk": crystal.positions[None],
    }
    for place, value in changes.items():
        file, _, name = place.partition("__")
        if name:
            whole[file][name] = value
        else:
            whole[file] = value
    return whole


def write_arrays(whole=None):
    whole = whole or arrays()
    np.savez("configurations.npz", **whole["configurations"])
    np.savez("entropies.npz", **whole["entropies"])
    np.save("bulk.npy", whole["bulk"])


def setfl_table():
    r = 0.05 * np.arange(120)
    functions = -np.sqrt(0.1 * np.arange(120))[None], (6 - r)[None, None], (r * (6 - r))[None, None]
    return SetflTable(("Fe",), (55.845,), (2.8553,), ("bcc",), 0.1, 0.05, 6.0, *functions)


WRITERS = {
    "a.xyz": lambda path: ase.io.write(path, defective(), format="extxyz"),
    "bulk.xyz": lambda path: ase.io.write(path, perfect(), format="extxyz"),
    "POSCAR": lambda path: ase.io.write(path, perfect(), format="vasp", direct=True),
    "a.lmp": lambda path: ase.io.write(path, perfect(), format="lammps-data", masses=True),
    "set.h5": lambda path: configuration_set().save(path),
    "archive.h5": lambda path: archives.write_archive(path, configuration_set(), Crystal("Fe", "bcc", A)),
    "features.h5": lambda path: feature_set().save(path),
    "model.h5": write_model,
    "fe.eam": lambda path: write_setfl(path, setfl_table(), "test"),
    "run.yaml": lambda path: Path(path).write_bytes((ROOT / "workflow/configs/tiny.yaml").read_bytes()),
}


@cache
def whole(name):
    """Bytes of a file without a fault, made in the current folder."""
    path = Path(f"whole-{name}")
    WRITERS[name](path)
    content = path.read_bytes()
    path.unlink()
    return content


READERS = {
    "a.xyz": lambda path: source_of("mine", {"files": [path], "reference": "bulk.xyz", "entropy": FORMATION}).read(),
    "POSCAR": lambda path: source_of("mine", {"files": [path], "reference": "bulk.xyz"}).read(),
    "a.lmp": lambda path: source_of("mine", {"files": [path], "reference": path, "format": "lammps-data"}).read(),
    "set.h5": ConfigurationSet.load,
    "archive.h5": lambda path: (
        archives.read_archive(path, "mine"),
        source_of("a", {"archive": path, "classes": None}).shards(2),
        archives.read_header(path).crystal,
    ),
    "features.h5": FeatureSet.load,
    "model.h5": EntropyModel.load,
    "fe.eam": lambda path: read_setfl(path, ["Fe"]),
    "run.yaml": lambda path: validate(load(path), SCHEMA),
}


def read_arrays(**changes):
    files = {"configurations": "configurations.npz", "entropies": "entropies.npz", "bulk": "bulk.npy"}
    return source_of("EAM", {"arrays": files | {"element": "Fe"} | changes}).read("V2")


# ---- The table.


class Case(NamedTuple):
    """One fault: what is written and read, and what the message must hold."""

    name: str
    run: object
    message: tuple


CASES = []


def case(name, run, *message):
    CASES.append(Case(name, run, message))


def damaged(kind, change, **keys):
    """Write a file of a kind with its bytes changed, and read it."""

    def run():
        Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
        Path(kind).write_bytes(change(whole(kind)))
        if keys:
            source_of("mine", {"files": [kind], "reference": "bulk.xyz", "entropy": FORMATION} | keys).read()
        else:
            READERS[kind](kind)

    return run


def unread(kind, prepare, path):
    """Read another path with the reader of a kind."""

    def run():
        Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
        prepare()
        READERS[kind](path)

    return run


def swapped(old, new):
    """Replace text once."""

    def change(content):
        found = re.subn(old.encode(), new.encode(), content, count=1, flags=re.MULTILINE)
        assert found[1], f"{old} is not in the file"
        return found[0]

    return change


def frames(change, **keys):
    """Change the frames before they are written as extended XYZ."""

    def run():
        configurations = defective()
        change(configurations)
        Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
        ase.io.write("a.xyz", configurations, format="extxyz")
        source_of("mine", {"files": ["a.xyz"], "reference": "bulk.xyz", "entropy": FORMATION} | keys).read()

    return run


def each(change):
    return lambda configurations: [change(atoms) for atoms in configurations]


def edited(kind, change):
    """Change an HDF5 file in place, and read it."""

    def run():
        Path(kind).write_bytes(whole(kind))
        with h5py.File(kind, "r+") as file:
            change(file)
        READERS[kind](kind)

    return run


def put(name, value, index=None):
    """Change one number of a data set, or all of it."""

    def change(file):
        if index is None:
            del file[name]
            file[name] = value
        else:
            data = file[name][()]
            data[index] = value
            file[name][...] = data

    return change


def huge(name, shape):
    """A data set that claims terabytes and stores nothing."""

    def change(file):
        del file[name]
        file.create_dataset(name, shape=shape, dtype=float, chunks=(1000, *shape[1:]))

    return change


def written_arrays(read=read_arrays, **changes):
    def run():
        write_arrays(arrays(**changes))
        read()

    return run


def configured(**changes):
    """Change the tiny configuration, write it, and read it."""

    def run():
        config = yaml.safe_load(whole("run.yaml"))
        for place, value in changes.items():
            *path, key = place.split("__")
            part = config
            for step in path:
                part = part[step]
            part[key] = value
        Path("run.yaml").write_text(yaml.safe_dump(config))
        READERS["run.yaml"]("run.yaml")

    return run


GARBAGE = bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + GARBAGE

# Files of every kind that are empty, of another kind, cut, missing.
FAULTS = {
    "a.xyz": (r"^a\.xyz", "DataError"),
    "POSCAR": (r"^POSCAR", "DataError"),
    "a.lmp": (r"^a\.lmp", "DataError"),
    "set.h5": (r"^set\.h5: not a complete HDF5 file", "copy it again"),
    "archive.h5": (r"^archive\.h5: not a complete HDF5 file", "copy it again"),
    "features.h5": (r"^features\.h5: not a complete HDF5 file", "delete it to have the workflow make it again"),
    "model.h5": (r"^model\.h5: not a complete HDF5 file", "copy it again"),
    "fe.eam": (r"^fe\.eam", "PotentialError"),
    "run.yaml": (r"^run\.yaml", "ConfigError"),
}
for kind, (place, *rest) in FAULTS.items():
    rest = [part for part in rest if not part.endswith("Error")]
    case(f"{kind} empty", damaged(kind, lambda content: b""), place, *rest)
    case(f"{kind} a picture", damaged(kind, lambda content: PNG), place, *rest)
    if kind != "run.yaml":
        case(f"{kind} cut", damaged(kind, lambda content: content[: 2 * len(content) // 3]), place, *rest)
    case(f"{kind} missing", unread(kind, lambda: None, f"no/{kind}"), f"no/{kind}: ", "[Nn]o such file")

# Extended XYZ.
case("xyz frame cut", damaged("a.xyz", lambda c: c[:-80]), "a.xyz, frame 2", "truncated")
case("xyz reference missing", frames(lambda f: None, reference="no.xyz"), r"^no\.xyz: no such file")
case("xyz a folder", unread("a.xyz", lambda: Path("no").mkdir(), "no"), "no: a folder", r"add /\*")
case(
    "xyz atoms claimed",
    damaged("a.xyz", swapped("^15$", str(10**12))),
    "a.xyz, frame 0: line 1 counts 1000000000000",
    "and 50 lines follow",
)
case(
    "xyz count negative",
    damaged("a.xyz", swapped("^14$", "-14")),
    "a.xyz, frame 1: line 18 is '-14'",
    "expected the number",
)
case("xyz count no integer", damaged("a.xyz", swapped("^14$", "14.5")), "a.xyz, frame 1: line 18 is '14.5'")
case(
    "xyz unknown element", damaged("a.xyz", swapped("^Fe ", "Qq ")), "a.xyz, frame 0", "'Qq' is not a chemical element"
)
case("xyz position is text", damaged("a.xyz", swapped(r"^Fe +\S+", "Fe here")), "a.xyz, frame 0", "here")
case(
    "xyz duplicate key",
    damaged("a.xyz", swapped("S_f=2.6", "S_f=2.6 S_f=21.6")),
    "a.xyz, frame 0",
    "key 'S_f' occurs more than once",
    "S_f=21.6",
)
case("xyz columns unlike properties", damaged("a.xyz", swapped("pos:R:3", "pos:R:4")), "a.xyz, frame 0")
case(
    "xyz without a cell",
    damaged("a.xyz", lambda c: re.sub(rb'Lattice="[^"]*"|pbc="[^"]*"', b"", c)),
    "a.xyz, frame 0",
    r"it has no cell \(in extended XYZ, Lattice=",
)
case("xyz missing key", frames(each(lambda a: a.info.pop("S_f"))), "a.xyz", "frame 0: no 'S_f' in it")
case("xyz entropy nan", frames(each(lambda a: a.info.update(S_f=np.nan))), "a.xyz", "'S_f' is nan, expected a finite")
case("xyz entropy text", frames(each(lambda a: a.info.update(S_f="much"))), "a.xyz", "'S_f' is much, expected a finite")
case(
    "xyz position nan",
    frames(each(lambda a: a.positions.__setitem__((4, 1), np.nan))),
    "a.xyz",
    "frame 0",
    r"position of atom 4 is \[.*nan",
)
case(
    "xyz position inf",
    frames(each(lambda a: a.positions.__setitem__((4, 1), np.inf))),
    "a.xyz",
    "frame 0",
    r"position of atom 4 is \[.*inf",
)
case(
    "xyz cell nan",
    damaged("a.xyz", lambda c: c.replace(b'Lattice="5.7106', b'Lattice="nan')),
    "a.xyz",
    "frame 0",
    "the cell is not finite",
)
case(
    "xyz cell zero",
    frames(each(lambda a: a.set_cell(0 * a.cell))),
    "a.xyz, frame 0|a.xyz: none",
    "zero or parallel|periodic boundary conditions",
)
case(
    "xyz cell singular",
    frames(each(lambda a: a.set_cell([[5, 0, 0], [5, 0, 0], [0, 0, 5]]))),
    "a.xyz",
    "frame 0",
    "zero or parallel",
)
case("xyz cell thin", frames(each(lambda a: a.set_cell([1e-7, 5, 5]))), "a.xyz", "so thin that|on one site")
case(
    "xyz coinciding atoms",
    frames(each(lambda a: a.positions.__setitem__(4, a.positions[5]))),
    "a.xyz",
    "frame 0",
    "atoms 4 and 5 are on one site",
)
case(
    "xyz another lattice",
    frames(each(lambda a: a.set_cell(1.05 * a.cell, scale_atoms=True))),
    "a.xyz, frame 0",
    r"volume of 18\.5\d+ sites",
    "expected 16, as many as its atoms show",
    "is `reference` the crystal",
)
case(
    "xyz another element", frames(lambda f: f[1].symbols.__setitem__(2, "Cr")), "a.xyz, frame 1", "holds Cr", "only Fe"
)
case(
    "xyz forces above the gate",
    frames(each(lambda a: a.new_array("forces", np.full((len(a), 3), 9.0)))),
    "a.xyz",
    r"frame 0: the largest force is 1\.56e\+01 eV/Å, expected at most 1\.00e-04",
)
case(
    "xyz entropies in J/mol/K",
    frames(each(lambda a: a.info.update(S_f=8.314462618 * a.info["S_f"]))),
    "a.xyz, frame 1: 'S_f': the entropy is 37.4. k_B",
    "expected at most 12",
    "Is the unit J/mol/K",
    "check_size: false",
)
case(
    "xyz entropies in eV/K",
    frames(each(lambda a: a.info.update(S_f=8.617333e-5 * a.info["S_f"]))),
    "a.xyz, frame 1: 'S_f': the entropy is 0.00038",
    "expected some above 0.02 k_B",
    "Is the unit eV/K",
)
case(
    "xyz entropies not in eV/K",
    frames(lambda f: None, entropy=FORMATION | {"unit": "eV/K"}),
    "a.xyz, frame 1: 'S_f': the entropy is 4.5 eV/K",
    "expected at most",
    "Is the unit k_B",
)
case(
    "xyz entropies not in J/mol/K",
    frames(each(lambda a: a.info.update(S_f=8.617333e-5 * a.info["S_f"])), entropy=FORMATION | {"unit": "J/mol/K"}),
    "a.xyz, frame 1",
    "J/mol/K",
    "Is the unit eV/K",
)
case(
    "xyz entropies of whole cells",
    frames(each(lambda a: a.info.update(S_f=6.4 * len(a)))),
    "a.xyz, frame 2",
    "6.4 k_B per atom",
    "`kind: total`",
)
case(
    "xyz reference of two frames",
    frames(lambda f: None, reference="a.xyz"),
    "a.xyz: holds 3 configurations",
    "expected one",
)
case(
    "xyz entropies for totals without that of the crystal",
    frames(lambda f: None, entropy=FORMATION | {"kind": "total"}),
    "a.xyz",
    "the reference: no 'S_f' in it",
)

# POSCAR and LAMMPS data.
case("POSCAR atoms claimed", damaged("POSCAR", swapped(r"^ +16$", f" {10**12}")), "POSCAR: line 7 counts 10{12}")
case("POSCAR atoms claimed, 10^8", damaged("POSCAR", swapped(r"^ +16$", f" {10**8}")), "POSCAR", "counts 10{8}")
case("POSCAR count negative", damaged("POSCAR", swapped(r"^ +16$", " -16")), "POSCAR, frame 0", "negative")
case("POSCAR unknown element", damaged("POSCAR", lambda c: c.replace(b"Fe", b"Qq")), "POSCAR, frame 0", "'Qq' is not")
case("POSCAR cell zero", damaged("POSCAR", swapped(r"^ *1\.0+$", " 0.0")), "POSCAR", "zero|site|finite|malformed")
case(
    "POSCAR position nan",
    damaged("POSCAR", swapped(r"(?<=irect\n)\s*\S+", " nan")),
    "POSCAR",
    "frame 0",
    "position of atom 0|nan",
)
case("POSCAR coinciding atoms", damaged("POSCAR", swapped(r"(?<=irect\n)(.*\n).*\n", r"\1\1")), "POSCAR", "on one site")
case(
    "POSCAR another cell",
    damaged("POSCAR", swapped(r"5\.71\d+", "5.82")),
    "POSCAR, frame 0",
    "length a .Å. is 5.8200 and should be 5.7106",
)
case("LAMMPS atoms claimed", damaged("a.lmp", swapped("^16 +atoms", f"{10**12} atoms")), "a.lmp", "counts 10{12} atoms")
case(
    "LAMMPS count negative",
    damaged("a.lmp", swapped("^16 +atoms", "-16 atoms")),
    "a.lmp, frame 0",
    "negative|malformed",
)
case("LAMMPS fewer atoms than said", damaged("a.lmp", swapped("^16 +atoms", "17 atoms")), "a.lmp, frame 0", "malformed")
case("LAMMPS box nan", damaged("a.lmp", swapped(r"0\.0 +5\.7\S* +xlo", "0.0 nan xlo")), "a.lmp", "finite")
case(
    "LAMMPS box singular",
    damaged("a.lmp", swapped(r"0\.0 +5\.7\S* +xlo", "0.0 0.0 xlo")),
    "a.lmp",
    "zero or parallel|malformed",
)
case(
    "LAMMPS position is text",
    damaged("a.lmp", swapped(r"^( *1 +1) +\S+", r"\1 here")),
    "a.lmp, frame 0",
    "here|malformed",
)

# HDF5.
case(
    "set of another kind",
    lambda: (feature_set().save("set.h5"), ConfigurationSet.load("set.h5")),
    "set.h5",
    "kind 'features'",
    "expected 'configurations'",
)
case("set of a later schema", edited("set.h5", lambda f: f.attrs.update(schema=7)), "set.h5", "schema 7", "schema 1")
case("set without positions", edited("set.h5", lambda f: f.__delitem__("positions")), "set.h5", "'positions'")
case(
    "set claims 1e12 atoms",
    edited("set.h5", huge("positions", (10**12, 3))),
    "set.h5",
    r"/positions",
    "1000000000000",
    "0 are stored",
)
case("set of 1e12 numbers", edited("set.h5", huge("numbers", (10**12,))), "set.h5", "/numbers", "1000000000000")
case("set with negative counts", edited("set.h5", put("first", -3, 1)), "set.h5", r"/first\[1\] is -3 after 0")
case("set with offsets beyond", edited("set.h5", put("first", 10**12, 3)), "set.h5", "/first", "1000000000000", "to 46")
case("set position nan", edited("set.h5", put("positions", np.nan, (4, 1))), "set.h5", "made/a/0000", "atom 4", "nan")
case("set cell singular", edited("set.h5", put("cells", 0.0, 1)), "set.h5", "made/b/0000", "zero or parallel")
case("set cell inf", edited("set.h5", put("cells", np.inf, 1)), "set.h5", "made/b/0000", "not finite")
case("set unknown element", edited("set.h5", put("numbers", 200, 3)), "set.h5", "made/a/0000: atom 3", "200")
case(
    "set labelled without a label",
    edited("set.h5", put("table/formation_entropy", np.nan, 2)),
    "set.h5",
    "made/c/0000",
    "labelled",
    "nan",
)
case(
    "set with labels of more structures",
    edited("set.h5", put("table/formation_entropy", np.ones(4))),
    "set.h5",
    "damaged",
)
case(
    "set with labels of structures that are not there",
    edited(
        "set.h5",
        lambda f: [
            put(name, f[name][:n])(f)
            for name, n in {"first": 3, "positions": 29, "numbers": 29, "cells": 2, "pbc": 2}.items()
        ],
    ),
    "set.h5",
    "2 configurations but 3 rows",
)
case("set with sites below zero", edited("set.h5", put("table/n_sites", -7, 0)), "set.h5", "made/a/0000", "-7 sites")
case("set with other counts of atoms", edited("set.h5", put("table/n_atoms", 99, 0)), "set.h5", "15 atoms, and 99")
case(
    "set with an unknown status",
    edited("set.h5", put("table/status", "good", 0)),
    "set.h5",
    "'good'",
    "relaxed, labelled",
)
case(
    "set with ids that repeat",
    edited("set.h5", put("table/id", "made/a/0000", 1)),
    "set.h5",
    "made/a/0000",
    "more than once",
)
case("archive without its crystal", edited("archive.h5", lambda f: f.attrs.__delitem__("a")), "archive.h5", "'a'")
case(
    "archive with sites beyond", edited("archive.h5", put("site", 99, 3)), "archive.h5", "made/a/0000", "99", "16 sites"
)
case("archive with negative sites", edited("archive.h5", put("site", -1, 3)), "archive.h5", "made/a/0000", "from -1")
case("archive with parts that overlap", edited("archive.h5", put("first", 40, 1)), "archive.h5", r"/first\[2\] is 29")
case("archive cell nan", edited("archive.h5", put("cells", np.nan, 0)), "archive.h5", "made/a/0000", "finite")
case(
    "archive claims 1e12 atoms",
    edited("archive.h5", huge("displacement", (10**12, 3))),
    "archive.h5",
    "/displacement",
    "are stored",
)
case("features nan", edited("features.h5", put("X", np.nan, (2, 1))), "features.h5", r"/X\[2, 1\] is nan", "finite")
case(
    "features of fewer columns",
    edited("features.h5", put("X", np.ones((3, 1)))),
    "features.h5",
    r"\(3, 1\)",
    r"\(3, 2\)",
)
case("features of configurations twice", edited("features.h5", put("ids", "a", 1)), "features.h5", "/ids", "unique")
case(
    "features without a descriptor",
    edited("features.h5", lambda f: f.attrs.update(descriptor="{")),
    "features.h5",
    "JSON",
)
case(
    "features of two crystals",
    lambda: concatenate([feature_set(), feature_set("def", (1.1, 2.0))]),
    "different perfect",
)
case(
    "features of one configuration twice", lambda: concatenate([feature_set(), feature_set()]), "a has features in more"
)
case("model weights inf", edited("model.h5", put("coef", np.inf, 1)), "model.h5", r"/coef\[1\] is inf", "finite")
case(
    "model of other sizes",
    edited("model.h5", put("bulk", np.ones(5))),
    "model.h5",
    r"/bulk has shape \(5,\)",
    r"\(2,\)",
)
case("model with a scale of zero", edited("model.h5", put("scale", 0.0, 0)), "model.h5", "/scale holds 0.0", "positive")
case("model without its element", edited("model.h5", lambda f: f.attrs.update(element="Qq")), "model.h5", "'Qq'")
case(
    "model with a negative volume",
    edited("model.h5", lambda f: f.attrs.update(volume_per_atom=-1.0)),
    "model.h5",
    "-1.0",
)
case(
    "model of a class to import",
    edited("model.h5", lambda f: f.attrs.update(descriptor='{"kind": "this.Up", "parameters": {}}')),
    "model.h5",
    "'this.Up'",
    "executes nothing",
    "`import this`",
)
case(
    "model of a part to import",
    edited(
        "model.h5",
        lambda f: f.attrs.update(descriptor='{"kind": "union", "parameters": {"parts": {"x": {"kind": "this.Up"}}}}'),
    ),
    "model.h5",
    "'this.Up'",
)

# Published arrays.
case(
    "npz empty",
    lambda: (write_arrays(), Path("configurations.npz").write_bytes(b""), read_arrays()),
    "configurations.npz: truncated",
    "published at",
)
case(
    "npz a picture",
    lambda: (write_arrays(), Path("entropies.npz").write_bytes(PNG), read_arrays()),
    "entropies.npz: truncated, or no file of numpy arrays",
)
case(
    "npz cut",
    lambda: (
        write_arrays(),
        Path("configurations.npz").write_bytes(Path("configurations.npz").read_bytes()[:-300]),
        read_arrays(),
    ),
    "configurations.npz: truncated",
)
case(
    "npz without the class",
    lambda: (
        write_arrays(),
        source_of(
            "E",
            {
                "arrays": {
                    "configurations": "configurations.npz",
                    "entropies": "entropies.npz",
                    "bulk": "bulk.npy",
                    "element": "Fe",
                }
            },
        ).read("I4"),
    ),
    "configurations.npz: found the arrays V2_EAM, lattice, expected one I4",
)
case(
    "npz objects",
    written_arrays(entropies={"V2": np.array([None, {}], dtype=object)}),
    "entropies.npz",
    "without pickled",
)
case(
    "npz text",
    written_arrays(entropies={"V2": np.array(["4.5", "5"])}),
    "entropies.npz, V2: holds <U3, expected numbers",
)
case(
    "npz fewer labels than structures",
    written_arrays(entropies={"V2": np.ones(2)}),
    "entropies.npz, V2: has shape",
    r"\(2,\), expected \(3\)",
)
case(
    "npz structures without a label",
    written_arrays(entropies={"V2": np.zeros(3)}),
    "configurations.npz: none of the 3",
    "no label",
)
case(
    "npz entropies in J/mol/K",
    written_arrays(entropies={"V2": np.array([45.0, 50.0, 60.0])}),
    r"entropies.npz: V2\[2\]: the entropy is 60",
    "Is the unit J/mol/K",
    "Convert them to k_B",
)
case(
    "npz lattice zero",
    written_arrays(configurations__lattice=np.zeros((3, 3))),
    "configurations.npz",
    "zero or parallel",
)
case(
    "npz lattice inf",
    written_arrays(configurations__lattice=np.full((3, 3), np.inf)),
    "configurations.npz",
    "not finite",
)
case("npz of another number of atoms", written_arrays(bulk=perfect(4).positions[None, :-2]), "bulk.npy")
case(
    "npy claims 1e12 atoms",
    lambda: (write_arrays(), Path("bulk.npy").write_bytes(claimed((1, 10**12, 3))), read_arrays()),
    "bulk.npy: truncated, or no file",
)
case(
    "npy negative shape",
    lambda: (write_arrays(), Path("bulk.npy").write_bytes(claimed((1, -5, 3))), read_arrays()),
    "bulk.npy",
)


def claimed(shape):
    """Write the header of an array of this shape, and one number after it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(8)


# setfl.
case(
    "setfl lines missing",
    damaged("fe.eam", lambda c: b"\n".join(c.split(b"\n")[:4])),
    "fe.eam: not a setfl file",
    "lines 4 and 5",
)
case(
    "setfl values missing",
    damaged("fe.eam", lambda c: c[:-100]),
    "fe.eam: holds 3.. values",
    "expected 364",
    "truncated",
)
case(
    "setfl number is text",
    damaged("fe.eam", swapped("^6$", "six")),
    "fe.eam: value 0 of the density function of Fe is six",
)
case(
    "setfl number nan", damaged("fe.eam", swapped("^6$", "nan")), "fe.eam: value 0 of the density function of Fe is nan"
)
case(
    "setfl number inf",
    damaged("fe.eam", swapped("^6$", "1e999")),
    "fe.eam",
    "density function of Fe is 1e999",
    "finite",
)
case(
    "setfl element missing",
    lambda: (Path("fe.eam").write_bytes(whole("fe.eam")), read_setfl("fe.eam", ["W"])),
    "fe.eam: holds Fe, not W",
)
case("setfl element twice", damaged("fe.eam", swapped("^1 Fe$", "2 Fe Fe")), "fe.eam: line 4 names an element twice")
case(
    "setfl elements miscounted", damaged("fe.eam", swapped("^1 Fe$", "3 Fe")), "line 4 announces 3 elements and names 1"
)
case("setfl 1e12 points", damaged("fe.eam", swapped("^120 ", f"{10**12} ")), "fe.eam: holds 364 values", "10{9}")
case("setfl negative points", damaged("fe.eam", swapped("^120 ", "-120 ")), "fe.eam: line 5", "found '-120")
case("setfl infinite step", damaged("fe.eam", swapped("^120 0.1", "120 inf")), "fe.eam: line 5", "inf")
case(
    "setfl cutoff beyond",
    damaged("fe.eam", swapped("6.0$", "60.0")),
    "fe.eam: line 5: the cutoff of 60.0 Å is beyond",
    "end at 6 Å",
)
case("setfl negative mass", damaged("fe.eam", swapped("55.845", "-1")), "fe.eam: the mass of Fe is -1.0 u")

# YAML.
case(
    "yaml duplicate key",
    damaged("run.yaml", swapped("^seed: 7$", "seed: 7\nseed: 8")),
    "run.yaml",
    "'seed' on line 6",
    "on line 5 already",
    "remove one",
)
case(
    "yaml duplicate data set",
    damaged("run.yaml", swapped("^  test:$", "  train:")),
    "run.yaml",
    "'train' on line 2",
    "on line 16",
)
case(
    "yaml indented with a tab",
    damaged("run.yaml", swapped("^  train:$", "\ttrain:")),
    "run.yaml",
    "line 16",
    "\\\\t|tab",
)
case(
    "yaml a list", damaged("run.yaml", lambda c: b"- 1\n- 2\n"), "run.yaml: holds a list, expected a mapping with keys"
)
case("yaml brackets without end", damaged("run.yaml", lambda c: b"[" * 500), "run.yaml: not a configuration")
case(
    "yaml object",
    damaged("run.yaml", lambda c: b"a: !!python/object/apply:os.getcwd []"),
    "run.yaml",
    "line 1",
    "os.getcwd",
)
case("yaml unknown key", configured(sead=8), "sead", "did you mean 'seed'")
case("yaml missing key", configured(datasets={"train": {"role": "train"}}), r"datasets\.train")
case("yaml nan", configured(lattice__a=float("nan")), r"lattice\.a")
case("yaml infinite lattice", configured(lattice__a=float("inf")), r"lattice\.a")
case(
    "yaml negative count",
    configured(datasets__train__recipe__defects__I2__interstitials=-2),
    r"I2\.interstitials",
    "-2",
)
case("yaml number as text", configured(lattice__a="2.85 Å"), r"lattice\.a: found '2.85 Å', expected a number")
case("yaml cutoff beyond limits", configured(descriptors__afs_2_3__r_cut=50.0), r"descriptors\.afs_2_3\.r_cut", "50")
case("yaml negative cutoff", configured(descriptors__afs_2_3__r_cut=-1.0), r"descriptors\.afs_2_3\.r_cut", "-1")
case("yaml unknown element", configured(potential__element="Qq"), r"potential: element is 'Qq'.*, expected a chemical")
case(
    "yaml unknown unit",
    configured(
        datasets__train={
            "role": "train",
            "files": ["a"],
            "reference": "b",
            "entropy": {"key": "S", "unit": "cal/mol/K", "kind": "total"},
        }
    ),
    r"entropy\.unit: found 'cal/mol/K'",
    "k_B, eV/K, J/mol/K",
)
case("yaml cells of zero", configured(datasets__train__recipe__cells=[[0, 3, 3]]), r"recipe\.cells", "0")


@pytest.fixture(scope="module", autouse=True)
def sound_files(tmp_path_factory):
    """Read what the cases damage; what is compiled once is compiled now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("sound"))
        write_arrays()
        assert read_arrays().table["status"].tolist() == ["labelled", "labelled", "rejected"]
        Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
        for kind, read in READERS.items():
            Path(kind).write_bytes(whole(kind))
            read(kind)


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_bad_input_has_a_clear_message_and_takes_little_memory(one, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings(action="ignore"), pytest.raises(VibentropyError) as caught:
        one.run()
    text = str(caught.value)
    for part in one.message:
        assert re.search(part, text), f"{part!r} is not in the message: {text}"
    assert len(text) < 2000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 300 * 1024  # KiB


@pytest.mark.parametrize("number", [pytest.param(len(CASES), id=f"{len(CASES)} cases")])
def test_the_table_is_long_and_its_names_are_unique(number):
    print(f"{number} cases of bad input")
    assert number >= 60
    assert len({one.name for one in CASES}) == len(CASES)


# ---- Entropies of unusual size.


@pytest.mark.parametrize("unit", KB_PER_ENTROPY_UNIT)
def test_units_that_fit_pass_and_others_are_named(unit):
    """Labels of the reference work: medians of 1.7 to 5.2 k_B per atom more or less; 250 k_B in 3456 sites."""
    for entropies, net in ([4.08, 1.10, 15.44], 2), ([17.55, 12.81, 27.94], 4), ([100.0, 250.0], 60), ([-0.5, 2.6], 1):
        places, n = ["here"] * len(entropies), len(entropies)
        check_entropies(entropies, [1024 - net] * n, [1024] * n, places, unit)
        check_entropies(entropies, [1024] * n, [1024] * n, places, unit)
        check_entropies(entropies, [1024 - net] * n, [-1] * n, places, unit)
    check_entropies([], [], [], [], unit)
    check_entropies([0.0, 1e-9], [1024] * 2, [1024] * 2, ["here"] * 2, unit)


def test_unusual_entropies_can_be_taken_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    change = each(lambda atoms: atoms.info.update(S_f=30.0))
    frames(change, entropy=FORMATION | {"check_size": False})()
    write_arrays(arrays(entropies={"V2": np.array([45.0, 50.0, 60.0])}))
    assert len(read_arrays(check_size=False)) == 3


# ---- Names of files.

NAMES = ["with space", 'd\'été "a"', "Ångström@5", "-a[1]*?", "%d $HOME; #鉄"]


@pytest.mark.parametrize("stem", NAMES)
def test_names_of_files_are_taken_as_they_are(stem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
    for kind, read in READERS.items():
        Path(stem + kind).write_bytes(whole(kind))
        read(stem + kind)
    with ase.db.connect(f"{stem}.db") as database:
        database.write(defective()[0], data={"S_f": 2.6})
    READERS["a.xyz"](f"{stem}.db")


# ---- Nothing that is read is executed.


class Payload:
    """Leaves a trace where it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def test_pickles_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payload = pickle.dumps(Payload())
    pickle.loads(payload)
    Path("executed").unlink()
    objects = np.array([Payload()], dtype=object)
    for changes in ({"bulk": objects}, {"entropies": {"V2": objects}}, {"configurations__lattice": objects}):
        with pytest.raises(VibentropyError, match="without pickled objects"):
            written_arrays(**changes)()
    for kind, read in READERS.items():
        Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
        for name in (kind, "a.traj", "a.pckl", "a.db", "a.json"):
            Path(name).write_bytes(payload)
            with pytest.raises(VibentropyError):
                read(name)
    assert not Path("executed").exists()
    assert "this" not in sys.modules


def test_sources_execute_no_data():
    """No eval, no exec, YAML safe, arrays without pickles; pickle itself is kept out by the layers."""
    for path in [*(ROOT / "src/vibentropy").rglob("*.py"), *(ROOT / "workflow/scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called, keys = ast.unparse(node.func), {key.arg: ast.unparse(key.value) for key in node.keywords}
                assert called not in {"eval", "exec", "compile", "yaml.unsafe_load", "yaml.full_load"}, path
                assert called != "yaml.load" or keys.get("Loader") in {"_Loader", "_SafeLoader"}, path
                assert called != "np.load" or keys.get("allow_pickle") == "False", path


# ---- Damage by chance.


@st.composite
def damage(draw, content):
    """Some bytes of a file changed, and perhaps its end cut off or something put in."""
    content = bytearray(content)
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)):
        content[place] = byte
    where = draw(st.integers(0, len(content)))
    return bytes(draw(st.sampled_from([content, content[:where], content[:where] + b"\x00\n" + content[where:]])))


def check_damage(kind, data):
    content = data.draw(damage(whole(kind)))
    Path("bulk.xyz").write_bytes(whole("bulk.xyz"))
    Path("fuzzed-" + kind).write_bytes(content)
    with warnings.catch_warnings(action="ignore"), suppress(VibentropyError):
        READERS[kind]("fuzzed-" + kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A current folder for many examples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("fuzz"))
        yield


@pytest.mark.parametrize("kind", sorted(READERS))
@given(data=st.data())
@settings(max_examples=12)
def test_damaged_bytes_raise_nothing_else(folder, kind, data):
    check_damage(kind, data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(READERS))
@given(data=st.data())
@settings(max_examples=300)
def test_many_damaged_bytes_raise_nothing_else(folder, kind, data):
    check_damage(kind, data)


# ---- Through the workflow.


@pytest.mark.slow
def test_the_workflow_ends_with_the_message(tmp_path):
    """Twice without a start, once when the file is read; names of files have spaces, quotes and other letters."""
    config = tmp_path / "d'été 1.yaml"
    data = tmp_path / 'Å "1".xyz'
    ase.io.write(data, [a for a in defective() if a.info.update(S_f=8.3 * a.info["S_f"]) is None], format="extxyz")
    ase.io.write(tmp_path / "bulk.xyz", perfect(), format="extxyz")
    sets = {"mine": {"role": "train", "files": [data.name], "reference": "bulk.xyz", "entropy": FORMATION}}
    blocks = {"descriptors": {"two": {"kind": "two_body"}}, "regressors": {"ridge": {"kind": "ridge"}}}
    sound = yaml.safe_dump({"results": "out", "datasets": sets} | blocks, allow_unicode=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    command += ["--configfile", config, "--cores", "1"]
    for text, message in [
        (sound + "results: other\n", "d'été 1.yaml: .*the key 'results' on line"),
        (sound.replace("k_B", "calories"), "unit: found 'calories', expected one of k_B"),
        (sound, "Å \"1\".xyz, frame 1: 'S_f': the entropy is 37.* Is the unit J/mol/K"),
    ]:
        config.write_text(text, encoding="utf-8")
        run = subprocess.run(command, capture_output=True, text=True, timeout=HANGS)
        assert run.returncode
        assert re.search(message, run.stderr), run.stderr
