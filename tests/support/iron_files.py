"""What the files of the command line hold."""

from pathlib import Path

from ase.build import bulk

ROOT = Path(__file__).resolve().parents[2]
A = 2.8553127
POTENTIAL = "FeP_mm.eam.fs"


#: A run that makes little, and reads what other tests wrote.
CONFIG = {
    "seed": 7,
    "potential": {"file": POTENTIAL, "element": "Fe"},
    "lattice": {"structure": "bcc", "a": 2.8553},
    "datasets": {
        "train": {
            "role": "train",
            "recipe": {
                "cells": [[3, 3, 3]],
                "anneal": {"temperature": 900, "time_step": 0.002, "steps_between": 20, "snapshots": 1},
                "defects": {"V1": {"vacancies": 1, "trajectories": 3}},
            },
        },
        "mine": {"role": "test", "files": ["my.xyz"], "reference": "bulk.xyz"},
    },
    "descriptors": {"afs_3_10": {"kind": "afs", "n_max": 2, "l_max": 2, "r_cut": 4.0}},
    "regressors": {"ridge": {"kind": "ridge"}},
    "evaluation": {"folds": 2},
}


def crystal(n=3, strain=0.0):
    perfect = bulk("Fe", "bcc", a=A, cubic=True) * n
    perfect.set_cell(perfect.cell[:] * [1 + strain, 1.0, 1.0], scale_atoms=True)
    del perfect.arrays["initial_magmoms"]
    return perfect
