"""Progress of long computations and their deliberate errors, in a log that can be followed."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from vibentropy.errors import MORE_MEMORY, VibentropyError


class Progress:
    """Log of a long computation: counts what is done and writes a line with the remaining time.

    Parameters
    ----------
    stream : text file
        Lines that it refuses are lost: results do not depend on their log.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.expect(0)

    def expect(self, total: int) -> None:
        """Say how many items the computation will have, from now on.

        Parameters
        ----------
        total : int
        """
        self._total, self._done, self._start = total, 0, time.monotonic()

    def __call__(self, name: str) -> None:
        """Count one item as done; see `vibentropy.files.progress.Done`."""
        self._done += 1
        elapsed = time.monotonic() - self._start
        remaining = elapsed / self._done * (self._total - self._done)
        self.note(f"{self._done}/{self._total} {name} ({elapsed:.1f} s, {remaining:.0f} s left)")

    def note(self, text: str) -> None:
        """Write one line to the log.

        Parameters
        ----------
        text : str
            Without the end of the line.
        """
        with suppress(OSError):
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Close the log."""
        with suppress(OSError):
            self._stream.close()


@contextmanager
def logged(path: Path | str) -> Iterator[Progress]:
    """Log a computation to a file; what can be expected to fail ends the program with a message, not a traceback.

    Those are deliberate errors, files that cannot be read or written, processes that were killed, and memory.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    Progress
    """
    try:
        stream = open(path, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        sys.exit(f"error: no log can be written: {error}")
    with closing(Progress(stream)) as progress:
        try:
            yield progress
        except (VibentropyError, OSError, MemoryError) as error:
            text = f"out of memory ({error}): {MORE_MEMORY}" if isinstance(error, MemoryError) else error
            progress.note(f"error: {text}")
            sys.exit(f"error: {text}")
