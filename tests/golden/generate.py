"""Write what every registered descriptor says of two fixed structures: ``python tests/golden/generate.py [kind ...]``.

The files notice when the numbers of a descriptor change, whoever changed them: own code or a library. That they are
right is what the other tests say. Without a kind, files of all of them are written anew.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ase import Atoms

from vibentropy.descriptors import REGISTRY, create, find

FOLDER = Path(__file__).parent
#: Features rounded to this many digits behind the point of the largest one.
DIGITS = 12


def structures(species):
    """A distorted crystal in a skew cell smaller than most cutoffs, and a loose cluster without a cell."""
    symbols = [(species or ["Fe"])[k % len(species or ["Fe"])] for k in range(6)]
    positions = [(0.03, -0.02, 0.05), (1.47, 1.39, 1.46), (2.84, 0.05, 0.02), (4.33, 1.51, 1.37)]
    crystal = Atoms(symbols[:4], positions, cell=[(5.74, 0, 0), (0.12, 2.91, 0), (-0.07, 0.15, 2.83)], pbc=True)
    positions = [(0, 0, 0), (2.1, 0.9, -0.3), (-1.3, 1.9, 0.7), (0.2, -1.1, 2.2), (-1.7, -1.4, -1.2), (1.2, -0.6, -2.3)]
    return {"crystal": crystal, "cluster": Atoms(symbols, positions)}


def features(kind, change=lambda parameters: parameters, noise=0.0):
    """Examples of a descriptor with their features, one dict of names to totals per structure.

    Parameters
    ----------
    kind : str
    change : callable, optional
        What is done to the parameters of each example before.
    noise : float, optional
        Relative change of each coordinate, by chance.

    Returns
    -------
    list of dict
        ``parameters``, ``names``, and ``totals`` by the name of the structure.
    """
    rng = np.random.default_rng(0)
    examples = []
    for parameters in map(change, find(kind).examples):
        descriptor = create(kind, **parameters)
        totals = {}
        for name, atoms in structures(descriptor.species).items():
            if descriptor.everywhere or atoms.pbc.all():
                atoms.positions *= 1 + noise * rng.standard_normal(atoms.positions.shape)
                totals[name] = descriptor.total(atoms)
        examples.append({"parameters": parameters, "names": list(descriptor.feature_names), "totals": totals})
    return examples


def rounded(values):
    """Numbers to `DIGITS` digits of the largest of them."""
    digits = DIGITS - 1 - int(np.floor(np.log10(np.abs(values).max())))
    return [float(f"{value:.{DIGITS}g}") for value in np.round(values, digits) + 0.0]


if __name__ == "__main__":
    for kind in sys.argv[1:] or REGISTRY:
        golden = features(kind)
        for example in golden:
            example["totals"] = {name: rounded(values) for name, values in example["totals"].items()}
        (FOLDER / f"{kind}.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")
