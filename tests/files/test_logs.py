"""Logs of jobs: a line for each item, and a message in place of a traceback for what can be expected to fail."""

import re

import pytest

from vibentropy.errors import DataError
from vibentropy.files.logs import logged


def test_a_line_for_each_item_says_how_many_are_left(tmp_path):
    with logged(tmp_path / "log") as progress:
        progress.expect(2)
        progress("Å 1")
        # Whoever looks at a log of a job at work sees what is done.
        assert re.fullmatch(r"1/2 Å 1 \(\d+\.\d s, \d+ s left\)\n", (tmp_path / "log").read_text(encoding="utf-8"))
        progress("2")
        progress.note("done")
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" (")[0] for line in lines] == ["1/2 Å 1", "2/2 2", "done"]
    assert lines[1].endswith("0 s left)")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("a.xyz: 3 atoms"), "error: a.xyz: 3 atoms"),
        (FileNotFoundError(2, "No such file", "a.xyz"), "error: .*No such file.*a.xyz"),
        (MemoryError("8 GB"), r"error: out of memory \(8 GB\)"),
    ],
)
def test_what_can_be_expected_ends_with_a_message_in_the_log_and_on_the_screen(tmp_path, error, message):
    with pytest.raises(SystemExit, match=message), logged(tmp_path / "log"):
        raise error
    assert re.match(message, (tmp_path / "log").read_text(encoding="utf-8"))


def test_faults_of_the_program_keep_their_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), logged(tmp_path / "log"):
        1 / 0  # noqa: B018
