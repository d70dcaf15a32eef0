"""Defective cells, and files of them in all formats."""

import gzip
from contextlib import chdir

import ase.db
import ase.io
import numpy as np
import pandas as pd
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from dumps import write_dump

from vibentropy.datasets.store import ConfigurationSet

A = 2.8553
ENTROPIES = [1.25, 2.5, -0.75, 4.0]
FORMATION = {"key": "S_f", "unit": "k_B", "kind": "formation"}


def perfect(n=2):
    return bulk("Fe", a=A, cubic=True).repeat(n)


def defective_cells():
    """Vacancy, divacancy, an interstitial and a perfect cell, displaced a little and partly outside the box."""
    rng = np.random.default_rng(0)
    vacancy, divacancy, interstitial, complete = (perfect() for _ in range(4))
    del vacancy[3]
    del divacancy[[3, 7]]
    interstitial.append("Fe")
    interstitial.positions[-1] = [A / 2, 0, A / 4]
    frames = [vacancy, divacancy, interstitial, complete]
    for atoms, entropy in zip(frames, ENTROPIES, strict=True):
        atoms.rattle(0.01, rng=rng)
        atoms.positions[0] += atoms.cell[0]
        atoms.info |= {"S_f": entropy, "walk": f"run {len(atoms) % 2}", "kind": "odd" if len(atoms) % 2 else "even"}
        atoms.calc = SinglePointCalculator(
            atoms, energy=-4.0 * len(atoms) + entropy, forces=np.full((len(atoms), 3), 1e-5)
        )
    return frames


def write_database(frames, name="a.db", place="key_value_pairs"):
    with ase.db.connect(name) as database:
        for atoms in frames:
            info = dict(atoms.info)
            database.write(atoms, **{place: info})


def concatenate(parts):
    """Put shards together, in the order of the ids."""
    table = pd.concat([part.table for part in parts], ignore_index=True)
    whole = ConfigurationSet([atoms for part in parts for atoms in part.frames], table)
    return whole.subset(np.argsort(table["id"].to_numpy(str)))


def write_many(folder):
    """Write seven frames in each format whose frames can be counted."""
    frames = [atoms for number in range(2) for atoms in defective_cells()][:7]
    for number, atoms in enumerate(frames):
        atoms.rattle(0.01, seed=number)
    with chdir(folder):
        ase.io.write("a.xyz", frames, format="extxyz")
        with open("a.xyz", "rb") as plain, gzip.open("b.xyz.gz", "wb") as packed:
            packed.write(plain.read())
        ase.io.write("a.traj", frames)
        write_database(frames)
        write_dump("a.dump", frames)
    return frames


COUNTED = ["a.xyz", "b.xyz.gz", "a.traj", "a.db", "a.dump"]
