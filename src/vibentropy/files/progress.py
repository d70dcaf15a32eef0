"""How long computations tell their caller how far they are and what comes next, and times in words."""

import time
from typing import Protocol

#: Seconds of a step before anything is said, and between lines; later lines are as far apart as a share of the time.
_PATIENCE, _INTERVAL, _SHARE = 5.0, 30.0, 0.1


class Done(Protocol):
    """Called when an item of a long computation is done, such as a configuration or a trajectory."""

    def __call__(self, name: str, /) -> object:
        """Take note of an item that is done; ``name`` is its id, or says in words what it was."""


class Within(Protocol):
    """Called now and then within an item that takes long, such as a cell of millions of atoms."""

    def __call__(self, share: float, /) -> object:
        """Take note of the share of an item that is done, from 0 to 1."""


class Note(Protocol):
    """Called before a step that takes long, with words that say what it is and what it will cost."""

    def __call__(self, text: str, /) -> object:
        """Take note of what comes next; ``text`` is one line."""


def ignore(_: object, /) -> None:
    """Take no note of progress: for callers that do not want to know.

    Parameters
    ----------
    _ : object
        What `Done`, `Within` and `Note` are called with.
    """


class TimeLeft:
    """Says now and then how far one long step is and how long it will take.

    Parameters
    ----------
    what : str
        The step, in words.
    total : int
        Parts that are to be done.
    note : callable
        See `Note`; called after some seconds, and then less and less often.
    """

    def __init__(self, what: str, total: int, note: Note) -> None:
        self._what, self._total, self._note = what, total, note
        self._done, self._start = 0, time.monotonic()
        self._next = self._start + _PATIENCE

    def __call__(self) -> None:
        """Count one part as done."""
        self._done += 1
        now = time.monotonic()
        if now < self._next or self._done == self._total:
            return
        elapsed = now - self._start
        self._next = now + max(_INTERVAL, _SHARE * elapsed)
        left = duration(elapsed / self._done * (self._total - self._done))
        self._note(f"{self._what}: {self._done / self._total:.0%} in {duration(elapsed)}, {left} left")


def duration(seconds: float) -> str:
    """Put a time into words, to two digits; more are not known of what lies ahead.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
        Such as ``40 s``, ``14 min`` or ``2.3 h``.
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.2g} h" if hours < 100 else f"{hours:.0f} h"
