"""``vibentropy info``."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vibentropy.data import SHIPPED
from vibentropy.files.facts import in_words


class _FileOrModel(click.Path):
    """A file that is there, or the name of a model that comes with the package."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Path of what was typed; a file comes before a model of that name."""
        return super().convert(value if os.path.exists(value) else SHIPPED.get(value, value), param, ctx)


@click.command(
    epilog="""\b
Examples:
  vibentropy info
  vibentropy info iron-law
  vibentropy info results/models/afs_3_10/ridge.h5
  vibentropy info data/clusters.h5 --json
"""
)
@click.argument("paths", metavar="[FILES...]", nargs=-1, type=_FileOrModel(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs: an object for each file, a line each.")
def info(paths: tuple[str, ...], as_json: bool) -> None:
    """Say what is in a model, a set of configurations, an archive or a file of features, and what made it.

    Models that come with the package go by their names, iron, iron-law and iron-stiffness. Without FILES, all
    are shown.
    """
    from vibentropy.run.file_info import contents

    chosen: Sequence[str | Path] = paths or [*SHIPPED.values()]
    for number, path in enumerate(chosen):
        facts = contents(path)
        if as_json:
            click.echo(json.dumps(facts, ensure_ascii=False))
        else:
            if number:
                click.echo()
            for name, value in facts.items():
                _show(name, value)


def _show(name, value):
    """Print a line, or an indented one for each part."""
    if isinstance(value, dict):
        click.echo(f"{name}:")
        for part, value_of_part in value.items():
            click.echo(f"  {part}: {_text(value_of_part)}")
    else:
        click.echo(f"{name}: {_text(value)}")


def _text(value):
    """Short text of a value."""
    return _lines(value) if isinstance(value, str) else in_words(value)


def _lines(value):
    """Text of one line or, indented below the name, of several."""
    text = str(value)
    return "\n".join(["", *(f"    {line}" for line in text.splitlines())]) if "\n" in text else text
