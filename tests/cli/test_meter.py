"""Progress on the screen."""

import sys

import pytest

from vibentropy.cli import meter, reading
from vibentropy.cli.inputs import Input
from vibentropy.sources import archives


class TestMeter:
    def test_a_quiet_one_says_nothing(self, monkeypatch, capsys):
        monkeypatch.setattr(meter, "PATIENCE", 0.0)
        monkeypatch.setattr(meter, "INTERVAL", 0.0)
        with meter.meter("things", lambda: 4, quiet=True) as progress:
            progress.note("long")
            for _ in range(2):
                progress.pause()
                progress()
        assert capsys.readouterr().err == ""

    def test_lines_begin_late_and_say_what_remains(self, monkeypatch, capsys):
        clock = iter([0.0, *range(1, 101)])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 100) as progress:
            for _ in range(100):
                progress()
        lines = capsys.readouterr().err.splitlines()
        assert lines == [f"things: {n} of 100, {100 - n} s left" for n in (3, 33, 63, 93)]

    def test_a_terminal_gets_a_bar(self, monkeypatch, capsys):
        monkeypatch.setattr(meter, "PATIENCE", 0.0)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        with meter.meter("things", lambda: 4) as progress:
            for _ in range(4):
                progress()
        assert "things" in capsys.readouterr().err

    def test_shares_of_one_that_takes_long(self, monkeypatch, capsys):
        clock = iter([0.0, 2.0, 40.0, 50.0, 80.0, 81.0])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 2) as progress:
            for share in (0.2, 0.5, 0.6):
                progress.within(share)
            progress()
            progress.within(0.5)
        assert capsys.readouterr().err == "things: 0.50 of 2, 120 s left\nthings: 1 of 2, 80 s left\n"

    def test_a_bar_makes_way_for_other_lines(self, monkeypatch, capsys):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        clock = iter([0.0, 4.0, 5.0, 7.0, 8.0, 9.0])
        monkeypatch.setattr(meter.time, "monotonic", lambda: next(clock))
        with meter.meter("things", lambda: 4) as progress:
            progress.within(0.5)
            progress.pause()
            # Before it was away for as long as it waits to begin with, it does not come back.
            progress()
            shown = capsys.readouterr().err
            assert shown.endswith("\r\033[K\033[?25h")
            assert shown.count("things") == 1
            progress()
        assert "things" in capsys.readouterr().err

    @pytest.mark.parametrize(("name", "number"), [("my.xyz", 3), ("data/clusters.h5", 24), ("model.h5", None)])
    def test_configurations_are_counted_without_reading_them(self, folder, name, number):
        path = str(folder / name)
        counted = reading.Reader([Input(path, path)], None).total()
        assert counted == (number if name != "data/clusters.h5" else len(archives.read_archive(folder / name, "x")))
