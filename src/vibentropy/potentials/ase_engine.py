"""Molecular dynamics and relaxation by ASE with any of its calculators: general, but slow."""

import pkgutil
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray

from vibentropy.errors import ConfigError, VibentropyError
from vibentropy.potentials.protocols import Engine

#: FIRE brings a configuration this close to its minimum (largest force, eV/Å), L-BFGS the rest of the way.
_NEARLY_AT_REST = 0.1

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
    """

    def __init__(self, calculator: Calculator, handover: float = 1e-6) -> None:
        self._calculator = calculator
        self.handover = handover

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
            If it cannot be built, or is no calculator.
        """
        try:
            calculator = pkgutil.resolve_name(path)(**parameters)
        except Exception as error:  # Whatever its module and its constructor raise.
            raise ConfigError(f"the calculator {path!r} cannot be built: {type(error).__name__}: {error}") from error
        if not hasattr(calculator, "get_forces"):
            raise ConfigError(f"{path!r} is not a calculator of ASE: it has no forces")
        return cls(calculator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces of the calculator."""
        atoms = self._prepared(atoms)
        return self._guarded(lambda: (float(atoms.get_potential_energy()), atoms.get_forces()))

    def hessian(self, atoms: Atoms, step: float) -> NDArray[np.float64]:
        """Second derivatives of the energy, each row from the forces of two displacements."""
        atoms = self._prepared(atoms)
        matrix = np.empty((3 * len(atoms), 3 * len(atoms)))
        for row, (atom, axis) in zip(matrix, np.ndindex(len(atoms), 3), strict=True):
            rest = atoms.positions[atom, axis]
            for sign in (1, -1):
                atoms.positions[atom, axis] = rest + sign * step
                forces = self._guarded(atoms.get_forces).ravel()
                if sign == 1:
                    row[:] = -forces
                else:
                    row += forces
            atoms.positions[atom, axis] = rest
        return matrix / (2 * step)

    def relax(self, atoms: Atoms, max_force: float, max_steps: int = 2000) -> Atoms:
        """Relax by FIRE from afar and L-BFGS at the end, each with so many steps."""
        # ASE's optimizers and dynamics take a third of a second to load: only those who use them wait.
        from ase.optimize import FIRE, LBFGS

        # Types of ASE know neither that there may be no log nor that atoms may have temperatures of their own.
        moving: Any = self._prepared(atoms)
        no_log: Any = None
        largest = max_force / np.sqrt(len(atoms))

        def relax():
            FIRE(moving, logfile=no_log).run(fmax=max(largest, _NEARLY_AT_REST), steps=max_steps)
            LBFGS(moving, logfile=no_log, maxstep=0.1).run(fmax=largest, steps=max_steps)

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
    ) -> list[Atoms]:
        """Molecular dynamics by the Langevin thermostat of ASE; molten atoms have a temperature of their own in it."""
        from ase.md.langevin import Langevin

        moving = self._prepared(atoms)
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
        images = []
        for _ in range(snapshots):
            self._guarded(lambda: dynamics.run(steps_between))
            images.append(self._snapshot(atoms, moving))
        return images

    def _prepared(self, atoms):
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
        except Exception as error:  # Calculators raise whatever they like.
            name = type(self._calculator).__name__
            raise VibentropyError(f"{name} failed: {type(error).__name__}: {error}") from error
