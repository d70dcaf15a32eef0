"""The perfect crystal that a configuration is compared with."""

import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.sources.source import source_of


def test_recipes_find_the_perfect_crystal_of_each_row(tmp_path):
    Crystal("Fe", "bcc", 2.9).save(tmp_path / "lattice.json")
    reference = source_of("a", {"recipe": {}}).perfect(tmp_path / "lattice.json")
    found = reference({"repetitions": "2x3x4"})
    assert len(found) == 48
    np.testing.assert_allclose(found.cell.lengths(), [5.8, 8.7, 11.6])
