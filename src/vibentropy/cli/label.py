"""``vibentropy label``."""

from itertools import pairwise
from typing import Any

import click

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import (
    FILE,
    ROW_SUFFIXES,
    Numbers,
    format_option,
    is_stdout,
    not_an_input,
    output_option,
    per_atom_suffix,
    quiet_option,
)
from vibentropy.cli.potential_options import PotentialChoice, potential_options, processes_option, with_elements

#: Columns of the table of configurations that are written.
_COLUMNS = [
    "n_atoms",
    "status",
    "formation_entropy",
    "formation_entropy_per_atom_convention",
    "formation_entropy_uncertainty",
    "smallest_eigenvalue",
    "energy",
    "formation_energy",
    "max_force",
]


@click.command(
    epilog="""\b
Examples:
  vibentropy label my.xyz --reference bulk.xyz --potential FeP_mm.eam.fs
  vibentropy label my.xyz --reference bulk.xyz --potential FeP_mm.eam.fs --relax --output labelled.extxyz
  vibentropy label my.xyz --reference bulk.xyz --config my.yaml --temperatures 300,600 --output labels.csv
  vibentropy label my.xyz@0:2 --reference bulk.xyz --pair-style eam/fs --pair-coeff '* * FeP_mm.eam.fs Fe'
  vibentropy label copper.xyz --reference copper_bulk.xyz --calculator ase.calculators.emt.EMT --relax --processes 2
  vibentropy label defect.xyz --reference bulk.xyz --potential FeP_mm.eam.fs --infinite --output labels.csv
  vibentropy label solutes.xyz --reference bulk.xyz --reference solute.xyz --potential FeP_mm.eam.fs --relax
"""
)
@files_argument()
@click.option(
    "--reference",
    "reference_files",
    type=FILE,
    required=True,
    multiple=True,
    help="Perfect crystal in the cell of the configurations (may be rotated); for each further element, repeat it "
    "with a cell that holds that element, such as the crystal with one such atom.",
)
@potential_options
@click.option(
    "--relax",
    is_flag=True,
    help="Relax first, at fixed cell: to 1e-6 eV/Å, or a hundredth of `max_force` of `labels` in --config.",
)
@click.option("--site-entropies", is_flag=True, help="Add the entropy of each atom as `site_entropy`; takes O(N³).")
@click.option(
    "--temperatures",
    type=Numbers(),
    default=None,
    help="Temperatures in K at which quantum harmonic entropies and free energies are added, such as 300,600; "
    "takes O(N³).",
)
@click.option(
    "--infinite",
    is_flag=True,
    help="Add the entropy of each defect in the infinite crystal, from larger cells; takes minutes for each.",
)
@click.option(
    "--sizes",
    type=Numbers(),
    default=None,
    help="About how many sites these cells have: three or more ascending numbers.  [default: 3456,8192,16000]",
)
@processes_option
@output_option(*ROW_SUFFIXES)
@format_option
@quiet_option
@click.pass_context
def label(
    context: click.Context,
    files: tuple[Input, ...],
    reference_files: tuple[str, ...],
    choice: PotentialChoice,
    relax: bool,
    site_entropies: bool,
    temperatures: tuple[float, ...] | None,
    infinite: bool,
    sizes: tuple[float, ...] | None,
    processes: int,
    output: str | None,
    file_format: str | None,
    quiet: bool,
) -> None:
    """Compute exact formation entropies of relaxed cells, from the Hessian of a potential.

    Entropies are classical and in k_B, compared with the reference mode by mode; those in the N_d/N_0 convention stand
    beside them, and so does the uncertainty that the tables of a potential leave. Analytic Hessians take O(N²) time: a
    second for 1000 atoms, a minute and 1.4 GB for 16 000. Saddles, and cells with forces above 1e-4 eV/Å (or
    `max_force` of `labels` in --config), have no entropy: `status`, `reason` and a line on stderr say so.

    Name the potential in one of four ways: --potential, --pair-style, --calculator or --config. FILES are anything
    that ASE reads; - is standard input, my.xyz@0:3 part of a file.

    Give one --reference for each element: the perfect crystal, then for each solute a cell that holds it; --relax
    relaxes these, too.

    You may interrupt a long command: finished rows are kept in OUTPUT.partial, and forces of finite differences in
    OUTPUT.forces.partial; the same command goes on from there. What belongs to other options, or to files that have
    changed, is computed anew.

    Finite differences take 6N forces for N atoms. --processes shares them, with the same label to the last digit. If
    one process takes all cores already, begin the command with OMP_NUM_THREADS=1.

    Periodic images change the entropy of a defect by a share that falls as 1/N. --infinite puts the defect of each cell
    into three larger ones and adds the limit with its uncertainty. If there is no limit, for instance with several
    defects, the row keeps its label and says why, and the exit code is 1.
    """
    from vibentropy.atoms.reference import repeats
    from vibentropy.cli.meter import meter
    from vibentropy.cli.output import rows_to
    from vibentropy.cli.reading import Reader
    from vibentropy.cli.resuming import resumed
    from vibentropy.labels.labelling import Labeller
    from vibentropy.potentials.finite_differences import watched
    from vibentropy.potentials.from_config import load_potential
    from vibentropy.potentials.relaxation import relax as relax_cell
    from vibentropy.sources.perfect import read_references

    block = choice.block()
    cells = _cells_of_infinite(infinite, sizes)
    not_an_input(output, *(file.path for file in files), *reference_files, choice.config, choice.file)
    if site_entropies:
        per_atom_suffix(output, "--site-entropies")
    references = read_references(reference_files, element=block.get("element"))
    block = with_elements(block, references)
    interaction = load_potential(**block, processes=processes)
    crystal, *others = (relax_cell(cell, interaction) if relax and not repeats(cell) else cell for cell in references)

    # The element is that of dumps that say types only, too.
    reader = Reader(files, file_format, str(crystal.symbols[0]), quiet)
    names, screen = _columns(files, temperatures or (), infinite)
    settings: dict[str, Any] = {
        **choice.gates(),
        "site_entropies": site_entropies,
        "temperatures": temperatures or (),
        "infinite": cells,
    }
    into = None if is_stdout(output) else output
    with meter("configurations", reader.total, quiet) as progress:
        if infinite:
            progress.note(_cost_of_infinite(block, cells))
        forces = _kept_forces(interaction, block, into, processes, progress.note)
        labeller = Labeller(watched(interaction, progress.note, forces), others=others, **settings, note=progress.note)
        with (
            resumed(
                into,
                _about(block, references, relax, settings),
                lambda atoms: labeller.label_cell(atoms, crystal, relax),
                progress.note,
                forces,
            ) as labels,
            rows_to(output, names, screen) as write,
        ):
            for file, number, atoms in reader:
                labelled, columns = _label_of(atoms, labels)
                dressed = None if labelled is None else _dressed(labelled, atoms, columns, names, relax)
                _count_faults(reader, file, number, columns)
                if site_entropies and not columns["reason"]:
                    columns["site_entropy"] = labelled.arrays["site_entropy"]
                if not output or is_stdout(output):
                    progress.pause()
                write({"file": file, "frame": number, **columns}, dressed)
                progress()
    reader.finish(context, output)


def _kept_forces(interaction, block, into, processes, note):
    """Name the file beside the output that keeps forces of finite differences; None where there are none to keep."""
    from vibentropy.potentials.finite_differences import FiniteDifferencePotential
    from vibentropy.potentials.from_config import identity
    from vibentropy.potentials.response_file import ResponseFile

    if not isinstance(interaction, FiniteDifferencePotential):
        if processes > 1:
            note("the Hessian is no matter of finite differences: --processes changes nothing")
        return None
    return ResponseFile(f"{into}.forces.partial", identity(block), note) if into else None


def _label_of(atoms, labels):
    """Label what a reader yields; None in place of the cell, and the error as the reason, where that fails."""
    from vibentropy.datasets.table import Status
    from vibentropy.errors import VibentropyError

    try:
        if isinstance(atoms, Exception):
            raise atoms
        return labels(atoms)
    except VibentropyError as error:
        return None, {"status": Status.REJECTED, "reason": error}


def _count_faults(reader, file, number, columns):
    """Report why a row has no label, or only that of its cell; its reason is left without the place."""
    if columns["reason"]:
        columns["reason"] = reader.bad(file, number, columns["reason"])
    elif columns.get("infinite_reason"):
        reader.partial(file, number, f"infinite crystal: {columns['infinite_reason']}")


def _cells_of_infinite(infinite, sizes):
    """Sites of the cells that --infinite takes, none without it."""
    from vibentropy.labels.infinite import SIZES

    if not infinite:
        if sizes is not None:
            raise click.UsageError("--sizes needs --infinite")
        return ()
    cells = tuple(round(size) for size in sizes or SIZES)
    if len(cells) < 3 or any(large <= small for small, large in pairwise(cells)):
        raise click.UsageError(f"--sizes {','.join(map(str, cells))} should be three or more ascending numbers")
    return cells


def _about(potential, references, relax, settings):
    """Everything but the configuration that its label depends on."""
    from importlib.metadata import version

    from vibentropy.cli.resuming import files_named
    from vibentropy.potentials.from_config import identity

    return {
        "version": version("vibentropy"),
        "potential": identity(potential),
        "files": files_named(potential.get("parameters", {})),
        "references": [[c.get_chemical_symbols(), c.positions.tolist(), c.cell.tolist()] for c in references],
        "relax": relax,
        **settings,
    }


def _dressed(labelled, atoms, columns, names, relaxed):
    """Add the label to what the file says, without an earlier one and without predictions of other positions."""
    from vibentropy.cli.predict import PREFIX

    added = {name: value for name, value in columns.items() if value == value and value != ""}
    kept = {
        name: value
        for name, value in atoms.info.items()
        if name not in names and not (relaxed and name.startswith(PREFIX))
    }
    labelled.info = {**kept, **added}
    return labelled


def _cost_of_infinite(potential, sizes):
    """Say what labels of the infinite crystal will cost."""
    from vibentropy.files.progress import duration
    from vibentropy.potentials.from_config import is_analytic
    from vibentropy.run.cost_estimate import infinite_seconds
    from vibentropy.run.memory import determinant_memory

    cells = f"infinite crystal: each defect is put into cells of {', '.join(map(str, sizes))} sites"
    analytic = is_analytic(potential)
    time = f"about {duration(infinite_seconds(sizes))}" if analytic else "hours or days of finite differences"
    memory = determinant_memory(sizes[-1], analytic) / 1e9
    return f"{cells}, which takes {time} and up to {memory:.1f} GB"


def _columns(files, temperatures, infinite):
    """Names of columns for files, and columns for the screen."""
    from vibentropy.cli.output import Column, number, place_columns
    from vibentropy.datasets.table import INFINITE_COLUMNS
    from vibentropy.labels.labelling import temperature_columns

    at_temperatures = [name for t in temperatures for name in temperature_columns(t)]
    names = ["file", "frame", *_COLUMNS, *at_temperatures, *(INFINITE_COLUMNS if infinite else ()), "reason"]
    quantum = [Column(f"S_f at {t:g} K", 14, number(temperature_columns(t)[0])) for t in temperatures]
    limit = [
        Column("infinite", 10, number("formation_entropy_infinite")),
        Column("+-", 6, number("formation_entropy_infinite_uncertainty", 4)),
    ]
    screen = [
        *place_columns(files),
        Column("atoms", 8, lambda row: str(row.get("n_atoms", "-"))),
        Column("S_f (k_B)", 10, number("formation_entropy")),
        Column("+-", 8, number("formation_entropy_uncertainty", 5)),
        Column("by N_d/N_0", 10, number("formation_entropy_per_atom_convention")),
        Column("E_f (eV)", 10, number("formation_energy")),
        *quantum,
        *(limit if infinite else ()),
        Column("status", -8, lambda row: row["status"]),
    ]
    return names, screen
