"""Times in words, and how far a step is."""

import pytest

from vibentropy.files import progress
from vibentropy.files.progress import TimeLeft, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (68, "68 s"), (100, "2 min"), (840, "14 min"), (8280, "2.3 h"), (2e6, "556 h")],
)
def test_times_have_two_digits(seconds, words):
    assert duration(seconds) == words


def test_time_left_is_said_less_and_less_often(monkeypatch):
    now, lines = [100.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    done = TimeLeft("Hessian", 1000, lines.append)
    said = []
    for _ in range(1000):
        now[0] += 2
        before = len(lines)
        done()
        if len(lines) > before:
            said.append(now[0] - 100)
    assert lines[0] == "Hessian: 0% in 6 s, 33 min left"
    assert said[:4] == [6, 36, 66, 96]
    assert said[-1] - said[-2] > 100
    assert len(lines) < 40
    # What is done within seconds says nothing, and neither does the end.
    quick = TimeLeft("Hessian", 2, lines.append)
    quick()
    now[0] += 60
    quick()
    assert len(lines) == len(said)
