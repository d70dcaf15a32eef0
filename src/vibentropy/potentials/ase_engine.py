"""Molecular dynamics and relaxation by ASE with any of its calculators: general, but slow."""

import pkgutil
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray
from scipy.sparse import bsr_array

from vibentropy.errors import ConfigError, PotentialError, StructureError, VibentropyError, how_to_install
from vibentropy.potentials.differences import central_differences
from vibentropy.potentials.own_hessian import offers_hessian, own_hessian
from vibentropy.potentials.own_process import report_progress
from vibentropy.potentials.protocols import Engine
from vibentropy.potentials.swaps import Moving, Swaps, exchange, segments

#: FIRE brings a configuration this close to its minimum (largest force, eV/Å), L-BFGS the rest of the way.
_NEARLY_AT_REST = 0.1

#: Steps of L-BFGS without a smaller largest force after which rounding is in the way: single precision ends here.
_STALLED = 100

#: Relaxation time of the thermostat, fs.
_DAMPING = 100.0


class AseEngine(Engine):
    """Anneals and relaxes cells with a calculator of ASE.

    Parameters
    ----------
    calculator : ase.calculators.calculator.Calculator
        With energies and forces.
    handover : float
        See `vibentropy.potentials.protocols.Engine`.

    Attributes
    ----------
    has_hessian : bool
        Whether the calculator offers a Hessian of its own.

    Raises
    ------
    ConfigError
        If it is no calculator, or has no forces.
    """

    def __init__(self, calculator: Calculator, handover: float = 1e-6) -> None:
        self._calculator = calculator
        if not hasattr(calculator, "get_forces"):
            raise ConfigError(f"{self._name} is not a calculator of ASE: it has no method get_forces")
        properties = getattr(calculator, "implemented_properties", None)
        if properties and "forces" not in properties:
            raise ConfigError(f"the calculator {self._name} has no forces, which labels need: {', '.join(properties)}")
        self.handover = handover
        self.has_hessian = offers_hessian(calculator)

    @classmethod
    def named(cls, path: str, parameters: dict[str, Any]) -> "AseEngine":
        """Build an engine from the name of a calculator's class.

        Parameters
        ----------
        path : str
            Dotted path of its class.
        parameters : dict
            Keyword arguments.

        Returns
        -------
        AseEngine

        Raises
        ------
        ConfigError
            If it cannot be built, or is no calculator with forces.
        """
        if "." not in path:
            raise ConfigError(f"calculator {path!r}: expected the dotted path of a class: ase.calculators.emt.EMT")
        try:
            calculator = pkgutil.resolve_name(path)(**parameters)
        except Exception as error:  # Whatever its module and its constructor raise.
            raise ConfigError(
                f"the calculator {path!r} cannot be built: {type(error).__name__}: {error}{how_to_install(error)}"
            ) from error
        return cls(calculator)

    @classmethod
    def copied(cls, calculator: Calculator, properties: Sequence[str] | None) -> "AseEngine":
        """Build an engine from a copy of a calculator in another process.

        Parameters
        ----------
        calculator : ase.calculators.calculator.Calculator
        properties : sequence of str or None
            What it has there where it was made: MACE adds to a list of its class, which does not go with the copy.

        Returns
        -------
        AseEngine
        """
        if properties is not None:
            calculator.implemented_properties = list(properties)
        return cls(calculator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces of the calculator."""
        atoms = self._prepared(atoms)
        return float(self._guarded(atoms.get_potential_energy)), self._forces(atoms)

    def response(self, atoms: Atoms, step: float, groups: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Responses of forces to displacements, by central differences."""
        moving = self._prepared(atoms)

        def forces(positions):
            moving.positions = positions
            return self._forces(moving)

        return central_differences(atoms.positions, step, groups, forces)

    def own_hessian(self, atoms: Atoms) -> bsr_array | NDArray[np.float64]:
        """Hessian that the calculator has of its own; see `vibentropy.potentials.protocols.HessianEngine`."""
        return self._guarded(lambda: own_hessian(self._calculator, self._prepared(atoms), self._forces_of))

    def relax(self, atoms: Atoms, max_force: float, max_steps: int = 2000) -> Atoms:
        """Relax by FIRE from afar and L-BFGS at the end, each with so many steps or until rounding is in the way."""
        # ASE's optimizers and dynamics take a third of a second to load: only those who use them wait.
        from ase.optimize import FIRE, LBFGS

        # Types of ASE know neither that there may be no log nor that atoms may have temperatures of their own.
        moving: Any = self._prepared(atoms)
        no_log: Any = None
        largest = max_force / np.sqrt(len(atoms))

        def relax():
            for optimizer, bound, patience in (
                (FIRE(moving, logfile=no_log), max(largest, _NEARLY_AT_REST), max_steps),
                (LBFGS(moving, logfile=no_log, maxstep=0.1), largest, _STALLED),
            ):
                smallest, idle = np.inf, 0
                for _ in optimizer.irun(fmax=bound, steps=max_steps):
                    # Forces of the last step are at hand.
                    found = np.linalg.norm(self._forces(moving), axis=1).max()
                    idle = idle + 1 if found >= smallest else 0
                    smallest = min(smallest, found)
                    if idle > patience:
                        break

        self._guarded(relax)
        return self._snapshot(atoms, moving)

    def anneal(
        self,
        atoms: Atoms,
        temperature: float,
        time_step: float,
        steps_between: int,
        snapshots: int,
        seed: int,
        molten: Sequence[int] = (),
        melt_temperature: float | None = None,
        swaps: Swaps | None = None,
    ) -> list[Atoms]:
        """Molecular dynamics by the Langevin thermostat of ASE; molten atoms have a temperature of their own in it."""
        from ase.md.langevin import Langevin

        moving = self._prepared(atoms)
        weightless = np.flatnonzero(~(moving.get_masses() > 0))
        if len(weightless):
            mass = moving.get_masses()[weightless[0]]
            raise StructureError(f"the mass of atom {weightless[0]} is {mass:g} u, expected a positive one")
        temperatures: Any = np.full((len(atoms), 1), float(temperature))
        if len(molten):
            temperatures[np.asarray(molten)] = melt_temperature
        rng = np.random.default_rng(seed)
        # Half of the kinetic energy goes into the potential energy within a fraction of a picosecond.
        widths = np.sqrt(moving.get_masses()[:, None] * units.kB * 2 * temperatures)
        momenta = widths * rng.standard_normal((len(atoms), 3))
        moving.set_momenta(momenta - momenta.mean(axis=0))
        dynamics = Langevin(
            moving,
            timestep=1000 * time_step * units.fs,
            temperature_K=temperatures,
            friction=1 / (_DAMPING * units.fs),
            fixcm=False,
            rng=rng,
        )
        dynamics.attach(self._forces, 1, moving)
        images = []
        for _ in range(snapshots):
            for steps, attempts in segments(steps_between, swaps if len(set(atoms.numbers)) > 1 else None):
                self._guarded(lambda steps=steps: dynamics.run(steps))
                if attempts:
                    self._exchange(moving, temperature, attempts, rng)
            images.append(self._snapshot(atoms, moving))
        return images

    def _exchange(self, moving, temperature, attempts, rng):
        def energy_of(positions):
            moving.positions = positions
            report_progress()
            return float(self._guarded(moving.get_potential_energy))

        before = Moving(moving.get_positions(), moving.get_velocities())
        after, _ = exchange(before, moving.numbers, moving.get_masses(), energy_of, temperature, attempts, rng)
        moving.positions = after.positions
        moving.set_velocities(after.velocities)

    @property
    def _name(self):
        return type(self._calculator).__name__

    def _forces_of(self, atoms):
        return self._forces(self._prepared(atoms))

    def _forces(self, prepared):
        """Compute forces on atoms that have the calculator, and begin the time limit anew."""
        # What follows is in double precision also where the calculator is not.
        forces = np.asarray(self._guarded(prepared.get_forces), dtype=float)
        report_progress()
        bad = np.flatnonzero(~np.isfinite(forces).all(axis=1))
        if len(bad):
            raise PotentialError(f"{self._name} gives a force of {forces[bad[0]].tolist()} eV/Å on atom {bad[0]}")
        return forces

    def _prepared(self, atoms):
        """Copy atoms for a calculation that does not depend on earlier ones, whose neighbours a calculator may keep."""
        if hasattr(self._calculator, "reset"):
            self._calculator.reset()
        prepared = atoms.copy()
        prepared.calc = self._calculator
        return prepared

    def _snapshot(self, atoms, moved):
        snapshot = atoms.copy()
        snapshot.positions = moved.positions
        if not np.isfinite(snapshot.positions).all():
            raise VibentropyError("positions are not finite: the configuration exploded")
        return snapshot

    def _guarded(self, compute):
        try:
            return compute()
        except VibentropyError:
            raise
        except Exception as error:  # Calculators raise whatever they like.
            raise VibentropyError(f"{self._name} failed: {type(error).__name__}: {error}") from error
