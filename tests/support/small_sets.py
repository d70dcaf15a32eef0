"""Labelled cells of bcc iron and the configuration of their run, for the steps of the workflow: small, and made up."""

import copy
import io

import numpy as np
import pandas as pd
from workflow_runs import ROOT, TINY

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.files.logs import Progress
from vibentropy.run.config import validate

CRYSTAL = Crystal("Fe", "bcc", 2.8553)


def config():
    """The tiny configuration with its defaults."""
    return validate(copy.deepcopy(TINY), ROOT / "workflow/schemas/config.schema.yaml")


def log():
    """Progress of a step, and the text that it is written to."""
    stream = io.StringIO()
    return Progress(stream), stream


def labelled(dataset, n, repetitions=(3, 3, 3), seed=1):
    """Rattled cells with one vacancy or two, three of each trajectory, and entropies of about 2.5 k_B for each."""
    rng = np.random.default_rng(seed)
    frames, n_sites = [], 2 * int(np.prod(repetitions))
    for number in range(n):
        atoms = CRYSTAL.cell(repetitions)
        del atoms[: 1 + number % 2]
        atoms.rattle(0.03, seed=seed + number)
        frames.append(atoms)
    vacancies = 1 + np.arange(n) % 2
    table = pd.DataFrame(
        {
            "dataset": dataset,
            "trajectory": [f"V-{number // 3}" for number in range(n)],
            "defect_class": [f"V{number}" for number in vacancies],
            "n_sites": n_sites,
            "repetitions": "x".join(map(str, repetitions)),
            "formation_energy": 1.7 * vacancies + rng.normal(scale=0.1, size=n),
            "formation_entropy": 2.5 * vacancies + rng.normal(scale=0.1, size=n),
            "status": "labelled",
            "label_source": "given",
        }
    )
    return ConfigurationSet(frames, table, {"inputs": ""})
