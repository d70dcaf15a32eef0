"""How long computations tell their caller how far they are: one call for each item, or the share of the current one."""

from typing import Protocol


class Done(Protocol):
    """Called when an item of a long computation is done, such as a configuration or a trajectory."""

    def __call__(self, name: str, /) -> object:
        """Take note of an item that is done; ``name`` is its id, or says in words what it was."""


class Within(Protocol):
    """Called now and then within an item that takes long, such as a cell of millions of atoms."""

    def __call__(self, share: float, /) -> object:
        """Take note of the share of an item that is done, from 0 to 1."""


def ignore(_: object, /) -> None:
    """Take no note of progress: for callers that do not want to know.

    Parameters
    ----------
    _ : object
        What `Done` and `Within` are called with.
    """
