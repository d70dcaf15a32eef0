"""Times in words."""

import pytest

from vibentropy.files.progress import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (68, "68 s"), (100, "2 min"), (840, "14 min"), (8280, "2.3 h"), (2e6, "556 h")],
)
def test_times_have_two_digits(seconds, words):
    assert duration(seconds) == words
