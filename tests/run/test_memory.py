"""Memory that jobs ask for is more than what was measured."""

from dataclasses import replace

from configurations import configuration

from vibentropy.run.memory import configurations_memory, features_memory, fit_memory, labels_memory, structures_memory


def test_memory_grows_as_it_was_measured():
    """Peaks in MB of jobs of runs with these configurations, 1.2 times of which is enough."""
    config = configuration("workflow/configs/paper.yaml", shard_size=200)
    for found, measured in [
        (structures_memory(config, 1024), 711),
        (labels_memory(config, 2000), 492),
        (labels_memory(config, 3456), 804),
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
    assert labels_memory(dense, 3456) - labels_memory(config, 3456) > 100 * 3456**2 / 1e6 - 100
