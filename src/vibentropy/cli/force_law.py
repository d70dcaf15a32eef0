"""``vibentropy force-law``."""

import json
import os
import shlex
from typing import Any

import click
from click.core import ParameterSource

from vibentropy.cli.inputs import Input, files_argument
from vibentropy.cli.options import FILE, format_option, not_an_input, output_option, quiet_option

#: How files of embedded atoms end, and of modified ones, and most cells to learn them from.
_EMBEDDED, _MODIFIED = ".eam.alloy", ".meam"
_MOST, _MOST_MODIFIED = 200, 8


@click.command(
    "force-law",
    epilog="""\b
Examples:
  vibentropy force-law my.xyz --reference bulk.xyz --spacing 0.1 --output law.eam.alloy
  vibentropy force-law data/clusters.h5@::80 --reference data/clusters.h5 --spacing 0.05 --output law.eam.alloy
  vibentropy force-law data/meam/clusters_1.h5 --reference data/meam/clusters_1.h5 --output law.meam
""",
)
@files_argument()
@click.option(
    "--reference", type=FILE, required=True, help="Perfect crystal, of any size, or an archive, which knows its own."
)
@click.option(
    "--r-cut",
    type=click.FloatRange(min=0, min_open=True),
    default=5.6,
    show_default=True,
    help="Cutoff of embedded atoms, Å.",
)
@click.option(
    "--spacing",
    type=click.FloatRange(min=0, min_open=True),
    default=0.0075,
    show_default=True,
    help="Of the knots of the splines of embedded atoms, Å. The finer, the more cells it takes.",
)
@click.option(
    "--most",
    type=click.IntRange(min=2),
    show_default="200, or 8 for MEAM",
    help="Cells to learn from: of more, some are taken evenly. Each takes 10 MB, and half a second, or half a minute "
    "for MEAM.",
)
@output_option(
    _EMBEDDED,
    _MODIFIED,
    required=True,
    help="File to write, in the format of LAMMPS: of embedded atoms (.eam.alloy), or of modified ones (.meam), with a "
    "library beside it.",
)
@format_option
@quiet_option
@click.pass_context
def force_law(
    context: click.Context,
    files: tuple[Input, ...],
    reference: str,
    r_cut: float,
    spacing: float,
    most: int | None,
    output: str,
    file_format: str | None,
    quiet: bool,
) -> None:
    """Learn how atoms pull at each other from relaxed positions alone: no potential, energies or labels.

    FILES are minima with defects, of one element and one crystal, of all the kinds of defects that you have. For the
    default of --spacing, a hundred cells of a thousand atoms do, in a minute. Where angles between bonds matter, ask
    for modified embedded atoms (--output law.meam): a handful of cells, some minutes. What is written is a potential in
    a unit of energy of its own: name it as the potential of hessian_stiffness, and do not read its energies.
    """
    from vibentropy.cli.meter import meter
    from vibentropy.cli.reading import Reader
    from vibentropy.errors import VibentropyError
    from vibentropy.sources.archives import crystal_of
    from vibentropy.sources.perfect import reference_crystal

    modified = output.endswith(_MODIFIED)
    for option, name in (("--r-cut", "r_cut"), ("--spacing", "spacing")):
        if modified and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} is for embedded atoms, and {output} for modified ones: leave it out")
    not_an_input(output, *(file.path for file in files), reference)
    if modified:
        _check_library(output)
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
        cells = _taken_evenly(usable(progress), most or (_MOST_MODIFIED if modified else _MOST))
    with meter("steps", lambda: None, quiet) as progress:
        n_forces, told = (
            _learn_modified(cells, crystal, output, progress)
            if modified
            else _learn_embedded(cells, crystal, output, progress, r_cut=r_cut, spacing=spacing)
        )
    if not quiet:
        learnt = f"{n_forces} components of forces in {len(cells)} of {reader.n_read} cells"
        click.echo(f"{output}: from {learnt}; {told}", err=True)
    reader.finish(context)


def _learn_embedded(cells, crystal, output, done, **settings):
    """Learn and write embedded atoms; the number of forces, and how well the law does."""
    from vibentropy.files.atomic import atomic
    from vibentropy.learning.force_law import learn_force_law
    from vibentropy.potentials.setfl import write_setfl

    law = learn_force_law(cells, crystal, done=done, **settings)
    with atomic(output) as temporary:
        write_setfl(temporary, law.table(), _comment(law))
    return law.n_forces, (
        f"what is left of them is {law.unbalanced:.1e} of the forces of single bonds. Bonds shorter than "
        f"{law.r_min:.2f} Å are guessed."
    )


def _learn_modified(cells, crystal, output, done):
    """Learn and write modified embedded atoms; the number of forces, how well the law does, and how to name it."""
    from vibentropy.files.atomic import atomic
    from vibentropy.learning.meam_law import EXACT, learn_meam_law
    from vibentropy.potentials.meam.files import write_meam

    law = learn_meam_law(cells, crystal, done=done)
    library, element = _library(output), law.parameters.element
    with atomic(output) as settings, atomic(library) as records:
        write_meam(records, settings, law.parameters, _comment(law))
    doubt = (
        " The law is not exact: the potential is of another form, cells are not relaxed or not written that closely, "
        "or the search ended too early; other cells, or more, may tell."
    )
    line = f"* * {shlex.quote(library)} {element} {shlex.quote(output)} {element}"
    return law.n_forces, (
        f"the largest one that is left, divided by the stiffness of an atom, is {law.displacement:.1e} Å."
        f"{doubt if law.displacement > EXACT else ''} Name it by `pair_style: meam`, "
        f"`pair_coeff: [{json.dumps(line)}]` and `element: {element}`."
    )


def _library(output):
    """Name the library beside a parameter file."""
    return f"{output.removesuffix(_MODIFIED)}.library{_MODIFIED}"


def _check_library(output):
    """Check that the library that comes beside a parameter file replaces none but that of a law."""
    from vibentropy.potentials.potential_files import is_force_law

    library = _library(output)
    if output.endswith(_library(_MODIFIED)):
        raise click.UsageError(f"{output}: name the file of parameters, such as law.meam; the library comes beside it")
    for path in (library, output):
        if os.path.exists(path) and not is_force_law(path):
            raise click.UsageError(f"{path} is there and holds no force law: name another --output")


def _comment(law):
    """First line of a file, by which it is told from a potential."""
    from vibentropy.potentials.potential_files import FORCE_LAW

    return f"{FORCE_LAW} of {law.n_cells} relaxed cells, unit of energy unknown"


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
