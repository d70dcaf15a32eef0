"""``vibentropy describe``."""

from typing import Any

import click

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import FILE, Settings, format_option, is_stdout, not_an_input, output_option


@click.command(
    epilog="""\b
Examples:
  vibentropy describe --list
  vibentropy describe my.xyz --descriptor afs --set n_max=3 --set l_max=10 --reference bulk.xyz -o features.csv
  vibentropy describe my.xyz --config my.yaml --descriptor afs_3_10 --reference bulk.xyz -o features.h5
"""
)
@files_argument(required=False)
@click.option(
    "-d", "--descriptor", "kind", metavar="KIND", help="Kind of descriptor; with --config, a name from there."
)
@click.option("--set", "settings", type=Settings(), multiple=True, help="Parameter of the descriptor, in YAML.")
@click.option("--config", type=FILE, help="Configuration of a run to take the descriptor from.")
@click.option(
    "--reference",
    "references",
    type=FILE,
    multiple=True,
    help="Perfect crystal, of any size: features become those of the models, the sum over the cell minus that over as "
    "many atoms of the crystal; once more for each further element, such as the crystal with one atom of it. Without "
    "it, they are plain sums.",
)
@click.option("--list", "listed", is_flag=True, help="List the kinds with their parameters, defaults and bounds.")
@output_option(".csv", ".h5", help="Write to this file instead of CSV to stdout (-); .h5 is a feature file.")
@format_option
@click.pass_context
def describe(
    context: click.Context,
    files: tuple[Input, ...],
    kind: str | None,
    settings: tuple[tuple[str, Any], ...],
    config: str | None,
    references: tuple[str, ...],
    listed: bool,
    output: str | None,
    file_format: str | None,
) -> None:
    """Compute descriptors of cells: features that are summed over all atoms.

    Lengths in Å. Kinds are those of --list, or dotted paths of classes of your own. FILES may be - for standard input,
    and my.xyz@0:3 for a part of a file.
    """
    from vibentropy.cli.meter import meter
    from vibentropy.cli.reading import Reader
    from vibentropy.sources.perfect import read_references

    if listed:
        _list()
        return
    if not files or not kind:
        raise click.UsageError("FILES and --descriptor are needed, or --list")
    not_an_input(output, *(file.path for file in files), *references, config)
    descriptor, element = _descriptor(kind, dict(settings), config)
    cells = read_references(references, element=element) if references else []
    reader = Reader(files, file_format, str(cells[0].symbols[0]) if cells else element)
    with meter("configurations", reader.total) as progress:
        features = _features(reader, descriptor, cells, progress)
    if output and output.endswith(".h5"):
        features.save(output, units="Å; features as their descriptor defines them")
    else:
        _write(features, output)
    reader.finish(context, output)


def _list():
    from vibentropy.descriptors import available, find
    from vibentropy.descriptors.parameters import arguments, summary
    from vibentropy.errors import ConfigError

    for kind in available():
        try:
            described = find(kind)
        except ConfigError as error:
            click.echo(f"{kind}: {error}")
            continue
        click.echo(f"{kind}: {summary(described)}")
        for argument in arguments(described):
            click.echo(f"  {argument.name}={argument.default_text}{_expected(argument.parameter)}")


def _expected(parameter):
    """Say what a parameter is and may be, behind its default."""
    return "" if parameter is None else f"  {parameter.description} ({parameter.values})"


def _descriptor(kind, settings, config):
    """Descriptor by kind and parameters, or as a configuration has it, and the element of its potential."""
    from vibentropy.descriptors import create
    from vibentropy.errors import ConfigError, did_you_mean

    if config is None:
        return create(kind, **settings), None
    from vibentropy.run.config import read

    run = read(config)
    blocks = run.descriptors
    if kind not in blocks:
        raise ConfigError(f"no descriptor {kind!r}{did_you_mean(kind, blocks)}; there are {', '.join(blocks)}", config)
    return create(**(blocks[kind] | settings)), (run.potential or {}).get("element")


def _features(reader, descriptor, cells, progress):
    """Features of all configurations, of which one is in memory at a time."""
    import numpy as np

    from vibentropy.errors import DataError
    from vibentropy.features.extensive import describe_references
    from vibentropy.features.sets import FeatureSet, concatenate

    bulk = describe_references(descriptor, cells[0], cells[1:]) if cells else np.zeros(descriptor.n_features)
    parts = []
    for path, number, atoms in reader:
        if isinstance(atoms, Exception):
            reader.bad(path, number, atoms)
            continue
        parts.append(FeatureSet.compute(descriptor, [f"{path}/{number:04d}"], [atoms], bulk))
        for reason in parts[-1].failures.values():
            reader.bad(path, number, reason)
        progress()
    if not parts:
        raise DataError("none of the files has a configuration that can be read")
    return concatenate(parts)


def _write(features, output):
    """Write CSV, to the screen where no file is given."""
    import sys

    import pandas as pd

    from vibentropy.files.atomic import atomic

    table = pd.DataFrame(features.X, columns=list(features.feature_names))
    table.insert(0, "id", list(features.ids))
    if output is None or is_stdout(output):
        table.to_csv(sys.stdout, index=False)
        return
    with atomic(output) as temporary:
        table.to_csv(temporary, index=False)
