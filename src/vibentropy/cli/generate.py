"""``vibentropy generate``."""

import click

from vibentropy.cli.options import FILE, not_an_input, output_option


@click.command(
    epilog="""\b
Examples:
  vibentropy generate my.yaml --dataset train --trajectories 1 --label --output made.extxyz
"""
)
@click.argument("config", metavar="CONFIG", type=FILE)
@click.option("--dataset", metavar="NAME", help="Data set with a recipe; not needed if there is only one.")
@click.option("--trajectories", type=click.IntRange(min=1), help="Make at most this many of each class and cell.")
@click.option("--label", "labelled", is_flag=True, help="Compute exact formation entropies, too.")
@output_option(".extxyz", ".xyz", ".h5", required=True, help="File to write: extended XYZ, or .h5 with all digits.")
@click.pass_context
def generate(
    context: click.Context, config: str, dataset: str | None, trajectories: int | None, labelled: bool, output: str
) -> None:
    """Make relaxed configurations with defects from a recipe, without the workflow: for small runs.

    CONFIG is the configuration of a run; docs/configurations.md describes its recipes. You get the configurations that
    the workflow makes, on one core. `vibentropy check CONFIG` says how long it will take.
    """
    from vibentropy.cli.meter import meter
    from vibentropy.files.facts import counted
    from vibentropy.run.config import read

    not_an_input(output, config)
    run = read(config)
    recipe = _recipe(run, dataset).limited(trajectories)
    with meter("trajectories", lambda: recipe.planned().trajectories) as progress:
        configurations = recipe.generate(run.potential, run.seed, progress)
    if labelled:
        configurations = _labelled(configurations, run)
    if output.endswith(".h5"):
        configurations.save(output)
    else:
        configurations.to_extxyz(output)
    for row in configurations.table.itertuples():
        if row.reason:
            click.echo(f"{row.id}: {row.reason}", err=True)
    n_bad = int((configurations.table["reason"] != "").sum())
    counts = ", ".join(f"{n} {status}" for status, n in configurations.table["status"].value_counts().items())
    click.echo(f"{output}: {counted(len(configurations), 'configuration')}: {counts}", err=True)
    context.exit(0 if not n_bad else 1 if n_bad < len(configurations) else 2)


def _recipe(config, name):
    """Recipe of the data set that is wanted."""
    from vibentropy.errors import ConfigError, did_you_mean

    recipes = config.generated
    if name is None and len(recipes) == 1:
        return config.sources[recipes[0]]
    if name in recipes:
        return config.sources[name]
    if not recipes:
        raise ConfigError("no data set has a recipe; `vibentropy new` writes a configuration with some")
    asked = "say which with --dataset" if name is None else f"{name!r} is none of them{did_you_mean(name, recipes)}"
    raise ConfigError(f"data sets with a recipe: {', '.join(recipes)}; {asked}")


def _labelled(configurations, config):
    """Compute the entropies of what was made."""
    from vibentropy.atoms.crystal import Crystal
    from vibentropy.cli.meter import meter
    from vibentropy.datasets.table import Status
    from vibentropy.labels.labelling import Labeller
    from vibentropy.potentials.finite_differences import watched
    from vibentropy.potentials.from_config import load_potential
    from vibentropy.sources.perfect import filled
    from vibentropy.sources.random_alloys import RandomCells, make_random_cells
    from vibentropy.sources.references import make_references

    crystal = Crystal.from_facts(configurations.attributes)
    waiting = int((configurations.table["status"] == Status.RELAXED).sum())
    with meter("labels", lambda: waiting) as progress:
        potential = watched(load_potential(**config.potential), progress.note)
        others = make_references(config.lattice.references, crystal, potential).frames
        perfect = filled(crystal)
        if config.lattice.random:
            sizes = [tuple(map(int, size.split("x"))) for size in configurations.table["repetitions"].unique()]
            perfect = RandomCells.of(make_random_cells(config.lattice.random, sizes, crystal, potential))
        labeller = Labeller(potential, others=others, **config.labels.settings, note=progress.note)
        return labeller.label(configurations, perfect, progress)
