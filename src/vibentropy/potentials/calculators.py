"""Calculators of ASE as potentials, by the path of their class or as objects, with a Hessian of their own or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ase import Atoms
from ase.calculators.calculator import Calculator

from vibentropy.atoms.checks import check_geometry, element_indices
from vibentropy.errors import ConfigError, NotAnalyticError, VibentropyError
from vibentropy.potentials.ase_engine import AseEngine
from vibentropy.potentials.engine_potential import EnginePotential
from vibentropy.potentials.finite_differences import FiniteDifferencePotential
from vibentropy.potentials.own_process import IsolatedEngine
from vibentropy.potentials.protocols import HessianEngine, Interaction

#: Displacement of finite differences, Å, where nobody says another.
STEP = 0.01

#: Where the Hessian of a pair style of LAMMPS or of a calculator comes from.
HessianSource = Literal["auto", "analytic", "finite_differences"]


@dataclass(frozen=True)
class CalculatorPotential(EnginePotential):
    """A potential that is a calculator with a Hessian of its own.

    Attributes
    ----------
    engine : vibentropy.potentials.protocols.HessianEngine
    elements : tuple of str
    """

    engine: HessianEngine

    def hessian(self, atoms: Atoms) -> Any:
        """Second derivatives of the potential energy, as the calculator has them.

        Parameters
        ----------
        atoms : ase.Atoms

        Returns
        -------
        sparse array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
            Symmetric and invariant under translation.

        Raises
        ------
        StructureError
            For another element.
        PotentialError
            If it is not the derivative of the forces, see `vibentropy.potentials.own_hessian.checked`.
        VibentropyError
            With the message of the calculator where it fails.
        """
        element_indices(atoms, self.elements)
        return self.engine.own_hessian(atoms)


class IsolatedCalculator(IsolatedEngine):
    """An `AseEngine` in a separate process.

    Parameters
    ----------
    factory, *arguments, timeout_s
        See `vibentropy.potentials.own_process.Isolated`.
    """

    has_hessian: bool

    def own_hessian(self, atoms: Atoms) -> Any:
        """Hessian that the calculator has of its own, computed and checked in the other process."""
        return self.call("own_hessian", atoms)


def calculator_engine(
    calculator: str | Calculator,
    parameters: Mapping[str, Any] | None = None,
    timeout_s: float | None = None,
    processes: int = 1,
) -> AseEngine | IsolatedCalculator:
    """Start an engine that runs a calculator, in a process of its own where that can be.

    Parameters
    ----------
    calculator : str or ase.calculators.calculator.Calculator
        Dotted path of its class, or the calculator. That is copied into the process, and runs here where it cannot be:
        because it cannot be pickled, or is of a class of the program itself, which no other process imports.
    parameters : dict, optional
        Keyword arguments of the class.
    timeout_s : float, optional
        Seconds that a call of the calculator may take; by default there is no limit.
    processes : int
        How many share differences of forces, each with a calculator of its own.

    Returns
    -------
    IsolatedCalculator or AseEngine

    Raises
    ------
    ConfigError
        If it cannot be built, is no calculator or has no forces, or has a time limit or several processes where there
        is none of its own.
    """
    limits: Any = {"timeout_s": timeout_s, "processes": processes}
    if isinstance(calculator, str):
        return IsolatedCalculator(AseEngine.named, calculator, dict(parameters or {}), **limits)
    if parameters:
        raise ConfigError("parameters are for the class of a calculator, named by its dotted path: leave them out")
    here = AseEngine(calculator)
    try:
        properties = getattr(calculator, "implemented_properties", None)
        return IsolatedCalculator(AseEngine.copied, calculator, properties, **limits)
    except (VibentropyError, ChildProcessError, MemoryError):
        raise
    except Exception as error:  # Whatever pickling raises, here or there.
        option = "timeout_s" if timeout_s is not None else "processes"
        if timeout_s is not None or processes > 1:
            name = type(calculator).__name__
            raise ConfigError(
                f"{option} is for calculators in a process of their own, which {name} cannot be copied into "
                f"({type(error).__name__}: {error}): name its class by its dotted path, or leave {option} out"
            ) from error
        return here


def calculator_potential(
    calculator: str | Calculator,
    elements: Sequence[str],
    parameters: Mapping[str, Any] | None = None,
    hessian: HessianSource | None = None,
    step: float = STEP,
    timeout_s: float | None = None,
    coupling_range: float | None = None,
    processes: int = 1,
) -> CalculatorPotential | FiniteDifferencePotential:
    """Make a potential of a calculator.

    Parameters
    ----------
    calculator, parameters, timeout_s, processes
        See `calculator_engine`.
    elements : sequence of str
        Chemical symbols.
    hessian : {"auto", "analytic", "finite_differences"}, optional
        That of the calculator where it offers one (auto, the default), or one of both.
    step : float
        Displacement of finite differences, in Å.
    coupling_range : float, optional
        See `vibentropy.potentials.differences.difference_hessian`.

    Returns
    -------
    CalculatorPotential or FiniteDifferencePotential

    Raises
    ------
    ConfigError
        See `calculator_engine`.
    NotAnalyticError
        If an analytic Hessian is asked for and the calculator offers none.
    """
    engine = calculator_engine(calculator, parameters, timeout_s, processes)
    if hessian != "finite_differences" and engine.has_hessian:
        return CalculatorPotential(engine, tuple(elements))
    if hessian == "analytic":
        name = calculator if isinstance(calculator, str) else type(calculator).__name__
        raise NotAnalyticError(
            f"{name} offers no Hessian, neither as the property `hessian` nor by `get_hessian`; "
            "use finite differences: `hessian: finite_differences`"
        )
    return FiniteDifferencePotential(engine, tuple(elements), step, coupling_range)


def as_potential(potential: Any, *cells: Atoms) -> Interaction:
    """Take a potential as it is, and make one of a calculator of ASE.

    Parameters
    ----------
    potential : vibentropy.potentials.protocols.Interaction or ase.calculators.calculator.Calculator
        A calculator becomes a potential of the elements of the atoms, with its own Hessian if it offers one, in a
        process of its own if it can be copied there (see `calculator_engine`), which takes a second. To do that once
        for many calls, use `vibentropy.load_potential`.
    *cells : ase.Atoms

    Returns
    -------
    vibentropy.potentials.protocols.Interaction

    Raises
    ------
    ConfigError
        If it is neither.
    StructureError
        If it is a calculator and a cell is none.
    """
    if not hasattr(potential, "get_forces"):
        if not (hasattr(potential, "energy_and_forces") and hasattr(potential, "hessian")):
            raise ConfigError(
                f"{potential!r} is no potential: expected one of vibentropy.load_potential, or a calculator of ASE"
            )
        return potential
    for atoms in cells:
        check_geometry(atoms)
    symbols = dict.fromkeys(symbol for atoms in cells for symbol in atoms.get_chemical_symbols())
    return calculator_potential(potential, list(symbols))
