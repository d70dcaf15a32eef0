"""Options that commands share, under the same names and with the same meaning."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: A file that is there.
FILE = click.Path(exists=True, dir_okay=False)

#: Suffixes of the files that rows and configurations are written to (`vibentropy.cli.output.rows_to`).
ROW_SUFFIXES = ".csv", ".json", ".extxyz", ".xyz"

format_option = click.option(
    "--format", "file_format", metavar="NAME", help="Format of FILES, by ASE's name, if ASE cannot tell."
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Only problems on stderr: no notes, no progress.")


def is_stdout(output: str | None) -> bool:
    """Whether an output is standard output: `-.csv` and the like.

    Parameters
    ----------
    output : str or None
        As `output_option` passes it; None for the table on the screen.

    Returns
    -------
    bool
    """
    return output is not None and output.startswith("-.")


def output_option(*suffixes: str, **settings: Any) -> Callable[[_Command], _Command]:
    """Option ``--output`` of a command that writes files with one of these suffixes; others are wrong usage.

    Parameters
    ----------
    *suffixes : str
        With their dot. Where the first is ``.csv``, ``-`` is standard output, and a suffix behind it says how; the
        command gets ``-`` as ``-.csv``.
    **settings
        Of `click.option`, such as ``required`` and ``help``.

    Returns
    -------
    callable
        A decorator.
    """

    def check(context, parameter, path):
        if path == "-":
            path = "-.csv"
        if is_stdout(path) and not (".csv" in suffixes and path.endswith(ROW_SUFFIXES)):
            raise click.BadParameter(f"{path!r}: this kind of file cannot go to stdout", context, parameter)
        if path is not None and not path.endswith(suffixes):
            raise click.BadParameter(f"{path!r} should end in {', '.join(suffixes)}", context, parameter)
        if path is not None and not is_stdout(path) and not Path(path).parent.is_dir():
            raise click.BadParameter(f"there is no folder {Path(path).parent}: make it first", context, parameter)
        return path

    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, writable=True, allow_dash=True),
        callback=check,
        help=settings.pop(
            "help",
            f"Write to this file instead of the screen; {', '.join(suffixes)} say how. To stdout, for programs: - for "
            "CSV, -.json and the like.",
        ),
        **settings,
    )


def not_an_input(output: str | None, *inputs: str | None) -> None:
    """Refuse to write over a file that is read.

    Parameters
    ----------
    output : str or None
        File to write; None for the screen.
    *inputs : str or None
        Files to read, and names that may be none.

    Raises
    ------
    click.UsageError
        If one of them is the output, by whatever path or link.
    """
    if output is None or is_stdout(output) or not os.path.exists(output):
        return
    for path in inputs:
        if path is not None and os.path.exists(path) and os.path.samefile(path, output):
            other = Path(output).with_stem(f"{Path(output).stem}_new")
            raise click.UsageError(f"{path} is an input: write to another file, such as --output {other}")


def per_atom_suffix(output: str | None, flag: str) -> None:
    """Refuse an option for values of atoms where there is no file that could hold them.

    Parameters
    ----------
    output : str or None
        File to write.
    flag : str
        Option that asks for values of atoms.

    Raises
    ------
    click.UsageError
        If there is no file, or its format is CSV.
    """
    if not output or output.endswith(".csv"):
        raise click.UsageError(
            f"{flag} needs a file that can hold values per atom: --output x.extxyz or x.json, or -.json for stdout"
        )


class Settings(click.ParamType):  # type: ignore[type-arg]  # which has parameters since click 8.2
    """Option ``name=value``, the value in YAML: numbers, lists, true and false, text."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split what was typed into a name and a value, which is parsed as YAML."""
        import yaml

        name, separator, text = value.partition("=")
        if not separator or not name:
            self.fail(f"{value!r} should be NAME=VALUE", param, ctx)
        try:
            return name, yaml.safe_load(text)
        except yaml.YAMLError:
            self.fail(f"the value of {name} is {text!r}, which is no YAML", param, ctx)


class Numbers(click.ParamType):  # type: ignore[type-arg]  # which has parameters since click 8.2
    """Option of numbers above zero with commas between them."""

    name = "NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split what was typed at its commas and parse the numbers."""
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            numbers = []
        if not numbers or not all(0 < number < float("inf") for number in numbers):
            self.fail(f"{value!r} should be positive numbers separated by commas, such as 300,600", param, ctx)
        return numbers
