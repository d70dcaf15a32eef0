"""``vibentropy binding``."""

import click

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import (
    FILE,
    ROW_SUFFIXES,
    format_option,
    is_stdout,
    not_an_input,
    output_option,
    quiet_option,
)
from vibentropy.cli.potential_options import PotentialChoice, potential_options, processes_option, with_elements

#: Columns of the table of complexes that are written.
_COLUMNS = ["n_atoms", "status", "binding_energy", "binding_entropy", "convention", "reason"]


@click.command(
    epilog="""\b
Examples:
  vibentropy binding VP.xyz --part vacancy.xyz --part solute.xyz --reference bulk.xyz --potential FeP_mm.eam.fs --relax
  vibentropy binding pairs.xyz --part vacancy.xyz --part vacancy.xyz --reference bulk.xyz --potential FeP_mm.eam.fs
"""
)
@files_argument()
@click.option(
    "--part",
    "part_files",
    type=FILE,
    required=True,
    multiple=True,
    help="One part of the complexes in a cell of its own, such as the vacancy or the solute; once for each part, twice "
    "for a part that is there twice.",
)
@click.option(
    "--reference",
    "reference_file",
    type=FILE,
    required=True,
    help="Perfect crystal in the cell of the complexes and parts; in a random alloy, the cell without a defect.",
)
@potential_options
@click.option(
    "--relax",
    is_flag=True,
    help="Relax complexes and parts first, at fixed cell: to 1e-6 eV/Å, or a hundredth of `max_force` of `labels` in "
    "--config.",
)
@processes_option
@output_option(*ROW_SUFFIXES)
@format_option
@quiet_option
@click.pass_context
def binding(
    context: click.Context,
    files: tuple[Input, ...],
    part_files: tuple[str, ...],
    reference_file: str,
    choice: PotentialChoice,
    relax: bool,
    processes: int,
    output: str | None,
    file_format: str | None,
    quiet: bool,
) -> None:
    """Compute how the parts of complexes bind: vacancies and solutes, or any other defects.

    Binding energy (eV) and entropy (k_B, classical) are those of the complex and n - 1 perfect crystals minus those of
    its n parts, all in the same cell: where the energy is below zero, the parts attract each other. Much of the
    literature has the opposite sign. The free energy of binding is E_b - k_B T S_b.

    FILES are complexes of the same parts, in any number, such as a vacancy and a solute at several distances. Name the
    potential as for `vibentropy label`. What is no minimum, or not relaxed, is named on stderr and in `reason`; a part
    that is not ends the command.
    """
    from vibentropy.atoms.reference import repeats
    from vibentropy.cli.meter import meter
    from vibentropy.cli.output import Column, number, place_columns, rows_to
    from vibentropy.cli.reading import Reader
    from vibentropy.errors import at
    from vibentropy.labels.binding import Parts
    from vibentropy.labels.determinants import MAX_FORCE
    from vibentropy.potentials.finite_differences import watched
    from vibentropy.potentials.from_config import load_potential
    from vibentropy.potentials.relaxation import RELAXED_FORCE
    from vibentropy.potentials.relaxation import relax as relax_cell
    from vibentropy.sources.perfect import reference_cell

    if len(part_files) < 2:
        raise click.UsageError(
            "a complex has two parts or more: give --part for each, twice for one that is there twice"
        )
    block, gates = choice.block(), choice.gates()
    not_an_input(output, *(file.path for file in files), *part_files, reference_file, choice.config, choice.file)
    bulk = reference_cell(reference_file, element=block.get("element"))
    # A part that is there twice is computed once.
    cells = {path: reference_cell(path, element=block.get("element")) for path in dict.fromkeys(part_files)}
    potential = load_potential(**with_elements(block, [bulk, *cells.values()]), processes=processes)

    def at_rest(atoms):
        force = gates.get("max_force", MAX_FORCE) / MAX_FORCE * RELAXED_FORCE
        return relax_cell(atoms, potential, force) if relax else atoms

    reader = Reader(files, file_format, str(bulk.symbols[0]), quiet)
    screen = [
        *place_columns(files),
        Column("atoms", 8, lambda row: str(row.get("n_atoms", "-"))),
        Column("E_b (eV)", 10, number("binding_energy", 4)),
        Column("S_b (k_B)", 10, number("binding_entropy")),
        Column("parts", -7, _what_parts_do),
        Column("status", -8, lambda row: row["status"]),
    ]
    with meter("complexes", reader.total, quiet) as progress:
        for path in cells:
            with at(path):
                cells[path] = at_rest(cells[path])
        with at(reference_file):
            bulk = bulk if repeats(bulk) else at_rest(bulk)
        parts = Parts(
            [cells[path] for path in part_files], bulk, watched(potential, progress.note), note=progress.note, **gates
        )
        parts.apart  # noqa: B018  # Without it there is nothing to compare complexes with.
        with rows_to(output, ["file", "frame", *_COLUMNS], screen) as write:
            for file, frame, atoms in reader:
                bound, columns = _bound(atoms, parts, at_rest)
                if columns["reason"]:
                    columns["reason"] = reader.bad(file, frame, columns["reason"])
                if bound is not None:
                    bound.info |= {name: value for name, value in columns.items() if value != ""}
                if not output or is_stdout(output):
                    progress.pause()
                write({"file": file, "frame": frame, **columns}, bound)
                progress()
    reader.finish(context, output)


def _what_parts_do(row):
    """Say the sign of a binding energy in words."""
    if "binding_energy" not in row:
        return "-"
    return "attract" if row["binding_energy"] < 0 else "repel"


def _bound(atoms, parts, at_rest):
    """Compare what a reader yields with its parts; None in place of a cell that cannot be read."""
    from numpy.linalg import LinAlgError

    from vibentropy.datasets.table import Status
    from vibentropy.errors import VibentropyError
    from vibentropy.labels.binding import CONVENTION
    from vibentropy.labels.labelling import refused

    if isinstance(atoms, Exception):
        return None, {"status": Status.REJECTED, "reason": atoms}
    row = {"n_atoms": len(atoms)}
    try:
        relaxed = at_rest(atoms)
        relaxed.info = dict(atoms.info)
        found = parts.bind(relaxed)
    except (VibentropyError, LinAlgError) as error:
        return atoms, row | refused(error)
    columns = {"binding_energy": found.energy, "binding_entropy": found.entropy, "convention": CONVENTION}
    return relaxed, row | {"status": Status.LABELLED, **columns, "reason": ""}
