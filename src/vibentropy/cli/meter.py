"""How far a command is and how long it will take, on stderr and only where it takes long."""

import sys
import time
from contextlib import contextmanager

import click

#: Seconds before anything is said, and between lines where stderr is no terminal.
PATIENCE, INTERVAL = 3.0, 30.0


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
        self._done, self._start = 0, time.monotonic()
        self._next = self._start + PATIENCE
        self._terminal = sys.stderr.isatty()

    def __call__(self, item=None):
        """Count one, whatever it is called."""
        self._done += 1
        now = time.monotonic()
        if self._bar:
            self._bar.update(1)
        elif now >= self._next:
            if callable(self._total):
                self._total = self._total()
            if self._terminal and self._total:
                self._bar = click.progressbar(length=self._total, label=self._name, file=sys.stderr)
                # It began with the first item, not with the bar: the remaining time is reckoned from there.
                self._bar.start = time.time() - (now - self._start)
                self._bar.update(self._done)
            else:
                self._next = now + INTERVAL
                click.echo(f"{self._name}: {self._line(now - self._start)}", err=True)

    def _line(self, elapsed):
        if not self._total:
            return f"{self._done} in {elapsed:.0f} s"
        remaining = elapsed / self._done * max(self._total - self._done, 0)
        return f"{self._done} of {self._total}, {remaining:.0f} s left"

    def clear(self):
        """End the bar, so that other lines begin where they should."""
        if self._bar:
            self._bar.render_finish()


@contextmanager
def meter(name, total):
    """Yield a `Meter` that is cleared at the end."""
    counter = Meter(name, total)
    try:
        yield counter
    finally:
        counter.clear()
