"""Text of a configuration that people read: YAML with comments beside the keys, in columns."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import yaml

#: Longest line, and where comments begin at the latest beside keys that are no longer.
_WIDTH, _COLUMN = 120, 44


class Verbatim(str):
    """Text that is YAML already, such as an alias."""


class ConfigText:
    """YAML that is written line by line; comments are aligned within each section."""

    def __init__(self) -> None:
        #: YAML and comment of each line of the section at hand.
        self._section: list[tuple[str, str]] = []
        self._done: list[str] = []

    def remark(self, text: str) -> None:
        """Add a comment in lines of its own.

        Parameters
        ----------
        text : str
        """
        self._close()
        self._done += textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")

    def section(self) -> None:
        """Leave a line empty and begin new columns."""
        self._close()
        self._done.append("")

    def add(self, depth: int, key: str, value: Any = None, comment: str = "") -> None:
        """Add a key.

        Parameters
        ----------
        depth : int
            Number of keys above it.
        key : str
        value
            None for a key with others below; lists and mappings stand in one line.
        comment : str
        """
        self._section.append((f"{'  ' * depth}{key}:{'' if value is None else f' {_inline(value)}'}", comment))

    def aside(self, depth: int, comment: str) -> None:
        """Add a comment in a line of its own among keys.

        Parameters
        ----------
        depth : int
            Of the keys.
        comment : str
        """
        self._section.append((f"{'  ' * depth}# {comment}", ""))

    def items(self, depth: int, values: list[Any], comment: str = "") -> None:
        """Add items of a list, each in a line of its own.

        Parameters
        ----------
        depth : int
            Number of keys above them.
        values : list
        comment : str
            Beside the first.
        """
        lines = [f"{'  ' * depth}- {_inline(value)}" for value in values]
        self._section += [(line, "" if number else comment) for number, line in enumerate(lines)]

    def __str__(self) -> str:
        self._close()
        return "\n".join(self._done) + "\n"

    def _close(self):
        """Put the comments of the section into their column."""
        longest = max((len(line) for line, comment in self._section if comment), default=0)
        for line, comment in self._section:
            if not comment:
                self._done.append(line)
                continue
            column = max(min(longest, _COLUMN), len(line)) + 2
            first, *others = textwrap.wrap(comment, _WIDTH - column - 2)
            self._done.append(f"{line:<{column}}# {first}")
            self._done += [f"{'':<{column}}# {other}" for other in others]
        self._section = []


def _inline(value):
    """Value of YAML in one line."""
    match value:
        case Verbatim():
            return str(value)
        case bool():
            return "true" if value else "false"
        case str():
            return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
        case dict():
            return "{" + ", ".join(f"{key}: {_inline(of_key)}" for key, of_key in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case _:
            return str(value)


def _is_plain(text):
    """Whether text is the same in YAML without quotes, in lists as well, as most paths are and ``true`` is not."""
    try:
        return yaml.safe_load(f"[{text}]") == [text]
    except yaml.YAMLError:
        return False
