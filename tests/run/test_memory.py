"""Memory that jobs ask for is more than what was measured."""

from dataclasses import replace

import pytest
from configurations import configuration

from vibentropy.run.memory import (
    configurations_memory,
    determinant_memory,
    features_memory,
    fit_memory,
    labels_memory,
    structures_memory,
)


def test_memory_grows_as_it_was_measured():
    """Peaks in MB of jobs of runs with these configurations, 1.2 times of which is enough."""
    config = configuration("workflow/configs/paper.yaml", shard_size=200)
    made = config.generated[0]
    for found, measured in [
        (structures_memory(config, made, 1024), 711),
        (structures_memory(config, made, 16_000), 663),
        (structures_memory(config, made, 31_250), 1345),
        (labels_memory(config, 2000), 373),
        (labels_memory(config, 3456), 486),
        (features_memory(config, "afs_20_10", 1024), 339),
        (configurations_memory(config, 155), 197),
        (fit_memory(config, 155, 250), 1254),
        (fit_memory(config, 155, 33), 414),
    ]:
        assert 1.2 * measured < found < 4 * measured
    union = {"kind": "union", "parts": {"a": {"kind": "scattering"}, "b": {"kind": "afs"}}}
    config = replace(config, descriptors={**config.descriptors, "s": union})
    # The waves of scattering took 638 MB where others took 320.
    assert features_memory(config, "s", 3456) - features_memory(config, "afs_3_10", 3456) > 1.2 * (638 - 320)
    dense = replace(config, labels=replace(config.labels, site_entropies=True))
    assert labels_memory(dense, 3456) - labels_memory(config, 3456) > 100 * 3456**2 / 1e6


def test_cells_that_are_read_have_no_hessian():
    config = configuration("config.yaml")
    of_small, of_large = (structures_memory(config, "clusters", sites) for sites in (1000, 54_000))
    # Only what the configurations of a full shard take.
    assert of_large - of_small == pytest.approx(130e-6 * config.shard_size * 53_000, abs=2)


def test_determinants_take_what_the_cheaper_factor_takes():
    """Fronts of iron in GB, as they were predicted, with room for potentials of half as much again."""
    for sites, fronts in [(3456, 0.18), (8192, 0.56), (16_000, 1.35), (54_000, 7.9)]:
        assert 1.5 < determinant_memory(sites) / (1e9 * fronts) < 2.2
    # Small cells have dense factors.
    assert determinant_memory(500) == 36 * 500**2 + 15_000 * 500
    assert determinant_memory(3456, analytic=False) == 108 * 3456**2
    config = configuration("workflow/configs/tiny.yaml")
    spectra = replace(config, labels=replace(config.labels, temperatures=(300.0,)))
    general = replace(config, potential={"calculator": "ase.calculators.emt.EMT", "element": "Cu", "step": 0.01})
    both = replace(general, labels=spectra.labels)
    rest = labels_memory(config, 10_000) - determinant_memory(10_000) // 10**6
    memory = [labels_memory(c, 10_000) - rest for c in (spectra, general, both)]
    assert memory == [7200, 10_800, 14_400]
