"""``vibentropy check``."""

import click

from vibentropy.cli.options import FILE, format_option

#: Faults of single configurations that are listed; the number of the others is said.
_LISTED = 20


@click.command(
    epilog="""\b
Examples:
  vibentropy check my.yaml
  vibentropy check my.xyz
  vibentropy check my.xyz --reference bulk.xyz --entropy S_f --unit k_B
"""
)
@click.argument("paths", metavar="CONFIG | FILES...", nargs=-1, required=True, type=FILE)
@click.option(
    "--reference",
    "references",
    type=FILE,
    multiple=True,
    help="Perfect crystal of the cells in FILES; repeat it for each further element, such as the "
    "crystal with one atom of it.",
)
@click.option("--entropy", metavar="KEY", help="Name of the entropy in FILES, if they have it.")
@click.option("--unit", type=click.Choice(["k_B", "eV/K", "J/mol/K"]), default="k_B", show_default=True)
@click.option("--kind", type=click.Choice(["formation", "total"]), default="formation", show_default=True)
@format_option
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[str, ...],
    references: tuple[str, ...],
    entropy: str | None,
    unit: str,
    kind: str,
    file_format: str | None,
) -> None:
    """Check a configuration or files of data, before you spend hours on them.

    CONFIG is one YAML file (.yaml, .yml): the check validates it, builds everything that it names once, reads its data
    sets, and estimates what the run will cost. FILES are anything that ASE reads. With --reference they are read as a
    run would read them, which finds wrong cells, units and forces. Without, the check finds only what no run could
    use, and lists the names of what the files hold.
    """
    configurations = [path for path in paths if path.endswith((".yaml", ".yml"))]
    if configurations and len(paths) > 1:
        raise click.UsageError("give one configuration (.yaml), or files of data")
    if not references and entropy:
        raise click.UsageError("--entropy needs --reference: a formation entropy is relative to a perfect crystal")
    if configurations:
        inspections = _of_configuration(*configurations)
    elif references:
        inspections = [_as_a_data_set(paths, references, entropy, unit, kind, file_format)]
    else:
        from vibentropy.run.data_check import inspect_frames

        inspections = (inspect_frames(path, file_format) for path in paths)
    context.exit(max([_show(inspection) for inspection in inspections], default=0))


def _of_configuration(path):
    """Yield what is found in each data set of a run, after everything that needs no data."""
    from vibentropy.run import build_check
    from vibentropy.run.config import read
    from vibentropy.run.cost_estimate import cost_in_words
    from vibentropy.run.data_check import inspect_configuration

    config = read(path)
    build_check.check_build(config)
    yield from inspect_configuration(config)
    click.echo(cost_in_words(config))


def _as_a_data_set(paths, references, entropy, unit, kind, file_format):
    from vibentropy.run.data_check import inspect_source
    from vibentropy.sources.user_files import Files, GivenEntropy

    given = GivenEntropy(entropy, unit, kind) if entropy else None
    return inspect_source(Files(name="files", files=paths, reference=references, format=file_format, entropy=given))


def _show(inspection):
    """Print what was found; the exit code that it deserves."""
    counts = ", ".join(f"{number} {status}" for status, number in inspection.counts.items() if number)
    facts = "; ".join(f"{name}: {value}" for name, value in inspection.facts.items())
    if counts or facts or not (inspection.warning or inspection.problem):
        found = f"{inspection.name}: {counts or 'nothing that can be used'}"
        click.echo("; ".join(part for part in (found, facts) if part))
    if inspection.warning:
        click.echo(f"{inspection.name}: warning: {inspection.warning}", err=True)
    for reason in inspection.rejected[:_LISTED]:
        click.echo(reason, err=True)
    if len(inspection.rejected) > _LISTED:
        click.echo(f"{inspection.name}: {len(inspection.rejected) - _LISTED} more are rejected", err=True)
    if inspection.problem:
        click.echo(f"{inspection.name}: {inspection.problem}", err=True)
        return 2
    used = sum(number for status, number in inspection.counts.items() if status != "rejected")
    return 0 if not inspection.rejected else 1 if used else 2
