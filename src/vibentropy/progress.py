"""Progress of long computations and their deliberate errors, in a log that can be followed."""

import sys
import time
from contextlib import contextmanager

from vibentropy.errors import VibentropyError


class Progress:
    """Counts what is done and writes a line with the remaining time.

    Parameters
    ----------
    stream : text file
    total : int
        How many items there will be.
    """

    def __init__(self, stream, total):
        self._stream, self._total = stream, total
        self._done, self._start = 0, time.monotonic()

    def __call__(self, item):
        """Count one item, named by its text."""
        self._done += 1
        elapsed = time.monotonic() - self._start
        remaining = elapsed / self._done * (self._total - self._done)
        self.note(f"{self._done}/{self._total} {item} ({elapsed:.1f} s, {remaining:.0f} s left)")

    def note(self, text):
        """Write one line."""
        print(text, file=self._stream, flush=True)


@contextmanager
def logged(path, total=0):
    """Log a computation to a file; a deliberate error ends the program with its message instead of a traceback.

    Parameters
    ----------
    path : path-like
    total : int
        How many items the computation has.

    Yields
    ------
    Progress
    """
    with open(path, "w", encoding="utf-8") as stream:
        try:
            yield Progress(stream, total)
        except VibentropyError as error:
            print(f"error: {error}", file=stream)
            sys.exit(f"error: {error}")
