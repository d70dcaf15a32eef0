"""``vibentropy new``."""

import os
from pathlib import Path
from typing import Any

import click

from vibentropy.cli.options import FILE

#: What is written into the folder.
_NAME = "run.yaml"


@click.command(
    epilog="""\b
Examples:
  vibentropy new Cu_mishin1.eam.alloy --element Cu copper/
  vibentropy new Cu_mishin1.eam.alloy --element Cu --structure fcc --quick copper_quick/
  vibentropy new --pair-style sw --pair-coeff '* * Si.sw Si' --element Si silicon/
  vibentropy new --files 'my/*.xyz' --reference bulk.xyz --entropy S_f mine/
  vibentropy new --files 'my/*.xyz' --reference bulk.xyz --potential FeP_mm.eam.fs labelled/
  vibentropy new --files 'my/*.xyz' --reference bulk.xyz --reference solute.xyz --potential FeP_mm.eam.fs alloy/
"""
)
@click.argument("paths", metavar="[POTENTIAL] FOLDER", nargs=-1, required=True)
@click.option("--element", metavar="SYMBOL", help="Element of the crystal; with --files, that of the reference.")
@click.option("--structure", help="bcc, fcc, hcp, diamond or sc; by default the one of lowest energy.")
@click.option("--quick", is_flag=True, help="A run of minutes: a few small cells, coarse descriptors.")
@click.option("--pair-style", metavar="STYLE", help="Pair style of LAMMPS, in place of POTENTIAL.")
@click.option("--pair-coeff", metavar="LINE", multiple=True, help="Its pair_coeff command; may be repeated.")
@click.option(
    "--files", metavar="FILES", multiple=True, help="Your own cells to learn from: files that ASE reads, or patterns."
)
@click.option(
    "--reference",
    "references",
    type=FILE,
    multiple=True,
    help="Perfect crystal of the cells in FILES; repeat it for each further element, such as the crystal with one atom "
    "of it.",
)
@click.option("--test", "tests", metavar="FILES", multiple=True, help="Larger cells, which are never fitted to.")
@click.option("--potential", metavar="FILE", help="Potential to compute the entropies of FILES with.")
@click.option("--entropy", metavar="NAME", help="Name of the entropy in FILES, if they have it.")
@click.option("--unit", type=click.Choice(["k_B", "eV/K", "J/mol/K"]), default="k_B", show_default=True)
@click.option("--kind", type=click.Choice(["formation", "total"]), default="formation", show_default=True)
@click.option("--group", metavar="NAME", help="Name in FILES of the key that cells of one simulation share.")
def new(paths: tuple[str, ...], **options: Any) -> None:
    """Write a configuration to start from, with a reason beside each number: FOLDER/run.yaml.

    It needs a POTENTIAL (a setfl or funcfl file of embedded atoms, by its path or the name of one that ships with
    lammps) and chooses the crystal, defects in cells of it, temperatures, descriptors with cutoffs between the shells
    of neighbours, and tests on larger cells. Or it takes FILES that you have. It ends with what the run will cost and
    the line that starts it. Nothing is written if no run could use the potential or the files.
    """
    *others, folder = paths
    target = Path(folder) / _NAME
    if Path(folder).is_file():
        raise click.UsageError(f"the last argument should be a folder to write to, and {folder} is a file")
    if target.exists():
        raise click.UsageError(f"{target} exists already: name another folder, or remove it")
    start = (_of_files if options["files"] else _of_potential)(others, folder.rstrip("/"), **options)
    start.write(target)
    _tell(start, target)


def _of_potential(others, folder, *, element, structure, quick, pair_style, pair_coeff, **without):
    """Make the configuration for a potential."""
    from vibentropy.atoms.crystal import OF_ONE_ELEMENT
    from vibentropy.errors import did_you_mean
    from vibentropy.run.start_from_potential import start_from_potential

    surplus = [
        f"--{key.removesuffix('s')}" for key in ("references", "tests", "potential", "entropy", "group") if without[key]
    ]
    if surplus:
        raise click.UsageError(f"{', '.join(surplus)} goes with --files")
    if len(others) + bool(pair_style) != 1:
        found = " ".join([*others, *(["--pair-style"] if pair_style else [])]) or "none"
        raise click.UsageError(
            f"give one potential (a file before the folder, or --pair-style), or else --files; found {found}"
        )
    if not element:
        raise click.UsageError("name the element of the crystal: --element and its symbol")
    if structure and structure not in OF_ONE_ELEMENT:
        close = did_you_mean(structure, OF_ONE_ELEMENT)
        raise click.UsageError(f"--structure {structure}{close}: it should be one of {', '.join(OF_ONE_ELEMENT)}")
    if pair_style:
        block = {"pair_style": pair_style, "pair_coeff": list(pair_coeff), "element": element}
    else:
        block = {"file": _potential_file(others[0]), "element": element}
    return start_from_potential(block, _from_the_clone(folder), structure, quick)


def _of_files(
    others, folder, *, element, structure, quick, pair_style, pair_coeff, files, references, tests, **options
):
    """Make the configuration for files; what the shell makes of an unquoted pattern stands before the folder."""
    from vibentropy.atoms.compositions import Compositions
    from vibentropy.run.start_from_files import start_from_files
    from vibentropy.sources.perfect import read_references
    from vibentropy.sources.user_files import GivenEntropy

    if not references:
        raise click.UsageError("--files needs --reference, the perfect crystal in the same cell")
    if structure:
        raise click.UsageError("--structure is for a potential alone: with --files, --reference is the crystal")
    if options["entropy"] and (options["potential"] or pair_style):
        raise click.UsageError("give either --entropy (entropies are in the files) or --potential (to compute them)")
    if element and len(references) > 1:
        raise click.UsageError("--element goes with one --reference: several say of which elements they are")
    elements = Compositions.of(read_references(references, element=element)).elements
    of_elements = {"elements": list(elements)} if len(elements) > 1 else {"element": element or elements[0]}
    block = None
    if pair_style:
        block = {"pair_style": pair_style, "pair_coeff": list(pair_coeff), **of_elements}
    elif options["potential"]:
        block = {"file": _potential_file(options["potential"]), **of_elements}
    given = GivenEntropy(options["entropy"], options["unit"], options["kind"]) if options["entropy"] else None
    return start_from_files(
        [_from_the_clone(file) for file in (*files, *others)],
        [_from_the_clone(file) for file in references],
        _from_the_clone(folder),
        test_files=[_from_the_clone(file) for file in tests],
        potential=block,
        entropy=given,
        group_key=options["group"],
        quick=quick,
    )


def _is_clone():
    """Whether the workflow is in the folder that the command runs in."""
    return Path("Snakefile").is_file() and Path("workflow/rules").is_dir()


def _from_the_clone(path):
    """Path as a run in the clone finds it: as it is typed there, in full elsewhere."""
    return path if _is_clone() else os.path.abspath(path)


def _potential_file(path):
    """Likewise, but for the name of a file that the lammps package ships."""
    return _from_the_clone(path) if os.sep in path or Path(path).exists() else path


def _tell(start, target):
    """Say what there is to know, what the run costs, and how to begin it."""
    from vibentropy.run.cost_estimate import cost_in_words

    for note in start.notes:
        click.echo(note, err=True)
    click.echo(f"{target} is written. Read it and change what you like; `vibentropy check {target}` checks it.")
    click.echo(cost_in_words(start.config))
    where = "Then:" if _is_clone() else "Then, in your clone of vibentropy:"
    path = target if _is_clone() else target.absolute()
    click.echo(f"{where}\n  snakemake --cores 2 --configfile {path}")
