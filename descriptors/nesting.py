"""Descriptors that are made of other descriptors, as the configuration and model files write them down."""

from collections.abc import Iterator
from typing import Any


def walk(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go through a descriptor and everything that it is made of.

    Parameters
    ----------
    block : dict
        Of a descriptor in a configuration (``kind`` and parameters side by side) or in a model file (``kind`` and
        ``parameters``).

    Yields
    ------
    dict
        The block itself, then, depth first and in their order, all mappings in it that have a text as their ``kind``,
        whatever parameter of whatever descriptor they are in: no list of compound kinds has to be kept.
    """
    pending: list[Any] = [block]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if isinstance(value.get("kind"), str):
                yield value
            pending += reversed(value.values())
        elif isinstance(value, list | tuple):
            pending += reversed(value)
