"""Configurations that ship, as a run has them."""

from pathlib import Path

import yaml

from vibentropy.run.config import validate
from vibentropy.run.settings import Config

ROOT = Path(__file__).resolve().parents[2]


def configuration(name, **changes):
    config = yaml.safe_load((ROOT / name).read_text())
    for dataset in config["datasets"].values():
        if "archive" in dataset:
            dataset["archive"] = str(ROOT / dataset["archive"])
    return Config.from_block(validate(config | changes))
