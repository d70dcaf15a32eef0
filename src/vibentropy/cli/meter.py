"""How far a command is and how long it will take, on stderr and only where it takes long."""

import sys
import time
from contextlib import contextmanager

import click

#: Seconds before anything is said, between lines where stderr is no terminal, and between pictures of a bar.
PATIENCE, INTERVAL, REDRAWING = 3.0, 30.0, 0.1
#: Steps of a bar for each item, as it takes no fractions.
_PARTS = 1000
#: Empties the line of a bar and shows the cursor, which bars hide.
_ERASE = "\r\033[K\033[?25h"


class Meter:
    """Counts what is done; a bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    name : str
        What is counted.
    total : callable
        Without arguments, to the number there will be, or to None; asked once, when it takes long.
    """

    def __init__(self, name, total):
        self._name, self._total, self._bar = name, total, None
        self._done, self._share, self._start = 0, 0.0, time.monotonic()
        self._next = self._start + PATIENCE
        self._terminal = sys.stderr.isatty()

    def __call__(self, name=None):
        """Count one, whatever it is called; see `vibentropy.files.progress.Done`."""
        self._done, self._share = self._done + 1, 0.0
        self._show()

    def within(self, share):
        """Say how much of the next one is done, from 0 to 1; see `vibentropy.files.progress.Within`."""
        self._share = share
        self._show()

    def _show(self):
        """Draw or write where it is time to."""
        now = time.monotonic()
        if now < self._next or not self._done + self._share:
            return
        if callable(self._total):
            self._total = self._total()
        if self._terminal and self._total:
            self._next = now + REDRAWING
            self._draw(now)
        else:
            self._next = now + INTERVAL
            click.echo(f"{self._name}: {self._line(now - self._start)}", err=True)

    def _draw(self, now):
        if not self._bar:
            self._bar = click.progressbar(length=_PARTS * self._total, label=self._name, file=sys.stderr)
            # It began with the first item, not with the bar: the remaining time is reckoned from there.
            self._bar.start = time.time() - (now - self._start)
        self._bar.update(round(_PARTS * (self._done + self._share)) - self._bar.pos)

    def _line(self, elapsed):
        done = self._done + self._share
        text = f"{done:.2f}" if self._share else f"{done:.0f}"
        if not self._total:
            return f"{text} in {elapsed:.0f} s"
        remaining = elapsed / done * max(self._total - done, 0)
        return f"{text} of {self._total}, {remaining:.0f} s left"

    def pause(self):
        """Take the bar away, for lines of others; it comes back where these are rare."""
        if self._bar:
            click.echo(_ERASE, err=True, nl=False)
        self._bar, self._next = None, time.monotonic() + PATIENCE

    def clear(self):
        """End the bar, so that other lines begin where they should."""
        if self._bar:
            self._draw(time.monotonic())
            self._bar.render_finish()


@contextmanager
def meter(name, total):
    """Yield a `Meter` that is cleared at the end."""
    counter = Meter(name, total)
    try:
        yield counter
    finally:
        counter.clear()
