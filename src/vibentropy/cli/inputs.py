"""FILES of a command: paths, `-` for standard input, and parts of files as ASE names them, `my.xyz@0:3`."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Standard input among FILES.
STDIN = "-"

#: A frame, or a slice of them; as in Python, but forwards.
_FRAMES = re.compile(r"(?P<one>-?\d+)|(?P<start>-?\d+)?:(?P<stop>-?\d+)?(:(?P<step>\d*[1-9]\d*)?)?")


@dataclass(frozen=True)
class Input:
    """Configurations that a command reads.

    Attributes
    ----------
    name : str
        What rows and messages call the file.
    path : str
        Where it is.
    frames : str
        What was typed behind the @, empty for all frames.
    """

    name: str
    path: str
    frames: str = ""

    @property
    def part(self) -> slice:
        """The frames as a slice; those of a file that holds `frames` from 0 on."""
        found = _FRAMES.fullmatch(self.frames or ":")
        if found is None:
            raise ValueError(self.frames)
        if found["one"] is not None:
            first = int(found["one"])
            return slice(first, first + 1 or None)
        return slice(*(int(found[end]) if found[end] else None for end in ("start", "stop", "step")))


def _inputs(context, parameter, texts):
    """Make inputs of what was typed. Standard input becomes a file until the command ends: readers go back in it."""
    if context.resilient_parsing:
        return texts
    if texts.count(STDIN) > 1:
        raise click.BadParameter("standard input (-) can be read only once", context, parameter)
    return tuple(_input(context, parameter, text) for text in texts)


def _input(context, parameter, text):
    if text == STDIN:
        path = Path(context.with_resource(tempfile.TemporaryDirectory(prefix="vibentropy-"))) / "stdin"
        with open(path, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return Input(STDIN, str(path))
    path, at, frames = text.rpartition("@")
    # A file may have an @ in its name. Of two that are not there, the one as typed is named.
    if os.path.exists(text) or not at or not os.path.exists(path):
        return Input(text, text)
    if not _FRAMES.fullmatch(frames):
        raise click.BadParameter(
            f"{text!r} should end in a frame or a range of them, from 0: {path}@3, {path}@-1, {path}@0:10, {path}@::2",
            context,
            parameter,
        )
    return Input(path, path, frames)


def files_argument(metavar: str = "FILES...", required: bool = True) -> Callable[[_Command], _Command]:
    """Argument ``files`` of a command, a tuple of `Input`. Files that are missing are for the reader to report.

    Parameters
    ----------
    metavar : str
        What the help calls it.
    required : bool
        Whether there must be one.

    Returns
    -------
    callable
        A decorator.
    """
    path = click.Path(allow_dash=True)
    return click.argument("files", metavar=metavar, nargs=-1, required=required, type=path, callback=_inputs)
