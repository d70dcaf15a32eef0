"""``vibentropy force-law``."""

from typing import Any

import click

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import FILE, format_option, not_an_input, output_option, quiet_option


@click.command(
    "force-law",
    epilog="""\b
Examples:
  vibentropy force-law my.xyz --reference bulk.xyz --spacing 0.1 --output law.eam.alloy
  vibentropy force-law data/clusters.h5@::80 --reference data/clusters.h5 --spacing 0.05 --output law.eam.alloy
""",
)
@files_argument()
@click.option(
    "--reference", type=FILE, required=True, help="Perfect crystal, of any size, or an archive, which knows its own."
)
@click.option("--r-cut", type=click.FloatRange(min=0, min_open=True), default=5.6, show_default=True, help="Cutoff, Å.")
@click.option(
    "--spacing",
    type=click.FloatRange(min=0, min_open=True),
    default=0.0075,
    show_default=True,
    help="Of the knots of the splines, Å. The finer, the more cells it takes.",
)
@click.option(
    "--most",
    type=click.IntRange(min=2),
    default=200,
    show_default=True,
    help="Cells to learn from: of more, some are taken evenly. Each takes 10 MB, and half a second.",
)
@output_option(".eam.alloy", required=True, help="File to write, in the format of LAMMPS.")
@format_option
@quiet_option
@click.pass_context
def force_law(
    context: click.Context,
    files: tuple[Input, ...],
    reference: str,
    r_cut: float,
    spacing: float,
    most: int,
    output: str,
    file_format: str | None,
    quiet: bool,
) -> None:
    """Learn how atoms pull at each other from relaxed positions alone: no potential, energies or labels.

    FILES are minima with defects, of one element and one crystal, of all the kinds of defects that you have. For the
    default of --spacing, a hundred cells of a thousand atoms do, in a minute. What is written is an embedded-atom
    potential in a unit of energy of its own: name it as the potential of hessian_stiffness, and do not read its
    energies.
    """
    from vibentropy.cli.meter import meter
    from vibentropy.cli.reading import Reader
    from vibentropy.errors import VibentropyError
    from vibentropy.files.atomic import atomic
    from vibentropy.learning.force_law import learn_force_law
    from vibentropy.potentials.setfl import FORCE_LAW, write_setfl
    from vibentropy.sources.archives import crystal_of
    from vibentropy.sources.perfect import reference_crystal

    not_an_input(output, *(file.path for file in files), reference)
    crystal = crystal_of(reference).cell(2) if reference.endswith(".h5") else reference_crystal(reference)
    reader = Reader(files, file_format, str(crystal.symbols[0]), quiet)

    def usable(progress):
        for name, number, atoms in reader:
            progress()
            if isinstance(atoms, VibentropyError):
                reader.bad(name, number, atoms)
            else:
                yield atoms

    with meter("configurations", reader.total, quiet) as progress:
        cells = _taken_evenly(usable(progress), most)
    with meter("steps", lambda: None, quiet) as progress:
        law = learn_force_law(cells, crystal, r_cut=r_cut, spacing=spacing, done=progress)
    with atomic(output) as temporary:
        write_setfl(temporary, law.table(), f"{FORCE_LAW} of {law.n_cells} relaxed cells, unit of energy unknown")
    if not quiet:
        click.echo(
            f"{output}: from {law.n_forces} components of forces in {law.n_cells} of {reader.n_read} cells; what is "
            f"left of them is {law.unbalanced:.1e} of the forces of single bonds. Bonds shorter than {law.r_min:.2f} Å "
            "are guessed.",
            err=True,
        )
    reader.finish(context)


def _taken_evenly(cells, most):
    """Take all cells, or each second, fourth and so on, so that there are never more than so many in memory."""
    taken: list[Any] = []
    stride = 1
    for number, atoms in enumerate(cells):
        if number % stride == 0:
            if len(taken) == most:
                taken, stride = taken[::2], 2 * stride
                if number % stride:
                    continue
            taken.append(atoms)
    return taken
