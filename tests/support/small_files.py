"""Small cells, sets and files without a fault."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from ase.build import bulk

from vibentropy.datasets.store import ConfigurationSet
from vibentropy.descriptors import create
from vibentropy.features.sets import FeatureSet
from vibentropy.model.entropy_model import EntropyModel

A = 2.8553


ENTROPIES = (2.6, 4.5, 1.7)


def perfect(n=2, a=A):
    return bulk("Fe", a=a, cubic=True) * n


def defective():
    """Vacancy, divacancy and interstitial."""
    frames = [perfect() for _ in ENTROPIES]
    del frames[0][3]
    del frames[1][[3, 8]]
    frames[2].append("Fe")
    frames[2].positions[-1] = A / 2, 0, A / 4
    for atoms, entropy in zip(frames, ENTROPIES, strict=True):
        atoms.info["S_f"] = entropy
    return frames


def configuration_set():
    rows = {"dataset": "made", "trajectory": ["a", "b", "c"], "n_sites": 16, "status": "labelled"}
    sizes = {"repetitions": "2x2x2", "defect_class": ["V1", "V2", "I1"]}
    return ConfigurationSet(defective(), pd.DataFrame(rows | sizes | {"formation_entropy": ENTROPIES}))


def feature_set(ids="abc", bulk=(1.0, 2.0)):
    descriptor = {"kind": "two_body", "parameters": {"n_max": 2}}
    return FeatureSet(np.ones((len(ids), 2)), tuple(ids), ("R_n1", "R_n2"), np.array(bulk), descriptor)


def write_model(path):
    fitted = SimpleNamespace(coef_=np.ones(2), scale_=np.ones(2), noise_variance_=0.1, covariance_=np.eye(2))
    known = {"element": "Fe", "volume_per_atom": 11.6, "entropy_range": (1.0, 9.0)}
    EntropyModel.from_fit(create("two_body", n_max=2), fitted, np.ones(2), **known).save(path)
