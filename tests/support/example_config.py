"""A configuration to make mistakes in."""

from pathlib import Path

import pytest

from vibentropy.errors import ConfigError
from vibentropy.run.config import validate

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


EXAMPLE = """
potential: {file: FeP_mm.eam.fs, element: Fe}
lattice: {structure: bcc, a: 2.8553}
labels: {duplicates: {exclude: false}}
evaluation: {folds: 3}
datasets:
  train:
    role: train
    recipe:
      cells: [[5, 5, 5]]
      defects:
        I2+V1: {interstitials: 2, vacancies: 1, radius: 5.0, trajectories: 3}
      anneal: {temperature: 600, steps_between: 100, snapshots: 2}
      quench: {}
  given:
    role: test
    files: [FOLDER/*.xyz]
    reference: FOLDER/bulk.xyz
    entropy: {key: S_f, unit: eV/K, kind: formation}
descriptors: {afs_3_10: {kind: afs, n_max: 3, l_max: 10, r_cut: 5.0}}
regressors:
  ridge: {kind: ridge}
  bayes: {kind: bayesian_ridge}
"""


def at(config, path):
    """Block of a configuration at a path of keys."""
    for key in path:
        config = config[key]
    return config


def problems(config):
    """Lines of the error message, without the first."""
    with pytest.raises(ConfigError) as caught:
        validate(config, SCHEMA)
    return str(caught.value).splitlines()[1:]
