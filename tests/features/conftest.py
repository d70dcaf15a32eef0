"""A descriptor of atoms."""

import pytest

from vibentropy.descriptors import create


@pytest.fixture(scope="session")
def afs():
    return create("afs", n_max=2, l_max=3, r_cut=4.0)
