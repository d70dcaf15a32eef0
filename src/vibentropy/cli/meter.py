"""How far a command has come and how long it will take: on stderr, and only where that is long."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

#: Seconds before anything is said, between lines where stderr is no terminal, and between pictures of a bar.
PATIENCE, INTERVAL, REDRAWING = 3.0, 30.0, 0.1
#: Steps of a bar for each item: bars count whole steps only.
_PARTS = 1000
#: Empties the line of a bar and shows the cursor, which bars hide.
_ERASE = "\r\033[K\033[?25h"


class Meter:
    """Progress of a command on stderr: a bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    name : str
        What is counted.
    total : callable
        Without arguments, to the number there will be, or to None; asked once, when it takes long.
    quiet : bool
        Whether nothing is shown and notes are left out.
    """

    def __init__(self, name: str, total: Callable[[], int | None], quiet: bool = False) -> None:
        self._name = name
        self._ask: Callable[[], int | None] | None = total
        self._total: int | None = None
        self._bar: Any = None
        self._done, self._share, self._start = 0, 0.0, time.monotonic()
        self._next = math.inf if quiet else self._start + PATIENCE
        self._quiet, self._terminal = quiet, sys.stderr.isatty()

    def __call__(self, name: str = "", /) -> None:
        """Count one item as done, whatever it is called; see `vibentropy.files.progress.Done`."""
        self._done, self._share = self._done + 1, 0.0
        self._show()

    def within(self, share: float, /) -> None:
        """Say how much of the next item is done; see `vibentropy.files.progress.Within`.

        Parameters
        ----------
        share : float
            From 0 to 1.
        """
        self._share = share
        self._show()

    def _show(self):
        """Draw or write where it is time to."""
        now = time.monotonic()
        if now < self._next or not self._done + self._share:
            return
        if self._ask:
            self._total, self._ask = self._ask(), None
        if self._terminal and self._total:
            self._next = now + REDRAWING
            self._draw(now)
        else:
            self._next = now + INTERVAL
            click.echo(f"{self._name}: {self._line(now - self._start)}", err=True)

    def _draw(self, now):
        if not self._bar:
            self._bar = click.progressbar(length=_PARTS * (self._total or 0), label=self._name, file=sys.stderr)
            # The work began before the bar was made: estimate the remaining time from the beginning.
            self._bar.start = time.time() - (now - self._start)
        self._bar.update(round(_PARTS * (self._done + self._share)) - self._bar.pos)

    def _line(self, elapsed):
        done = self._done + self._share
        text = f"{done:.2f}" if self._share else f"{done:.0f}"
        if not self._total:
            return f"{text} in {elapsed:.0f} s"
        remaining = elapsed / done * max(self._total - done, 0)
        return f"{text} of {self._total}, {remaining:.0f} s left"

    def pause(self) -> None:
        """Remove the bar before other lines are written; it comes back after a few seconds without any."""
        if self._bar:
            click.echo(_ERASE, err=True, nl=False)
        if not self._quiet:
            self._bar, self._next = None, time.monotonic() + PATIENCE

    def note(self, text: str, /) -> None:
        """Write a line in place of the bar; see `vibentropy.files.progress.Note`.

        Parameters
        ----------
        text : str
        """
        if not self._quiet:
            self.pause()
            click.echo(text, err=True)

    def clear(self) -> None:
        """End the bar, so that other lines begin where they should."""
        if self._bar:
            self._draw(time.monotonic())
            self._bar.render_finish()


@contextmanager
def meter(name: str, total: Callable[[], int | None], quiet: bool = False) -> Iterator[Meter]:
    """Yield a `Meter` whose bar is ended when the command is done or fails.

    Parameters
    ----------
    name, total, quiet
        See `Meter`.

    Yields
    ------
    Meter
    """
    counter = Meter(name, total, quiet)
    try:
        yield counter
    finally:
        counter.clear()
