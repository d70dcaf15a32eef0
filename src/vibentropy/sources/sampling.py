"""Minima with defects: seeds in a perfect crystal, annealed by molecular dynamics, quenched at intervals.

A trajectory is one seed and the minima it falls into. It depends on nothing but its name, its recipe and the seed of
the run: neither on other trajectories nor on the number of cores.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from ase.geometry import get_distances
from numpy.linalg import LinAlgError

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet
from vibentropy.datasets.table import Status
from vibentropy.errors import NotConvergedError, StructureError, VibentropyError
from vibentropy.files.progress import Done, ignore
from vibentropy.potentials.lammps_engine import MAX_SEED
from vibentropy.potentials.newton import newton_relax
from vibentropy.potentials.swaps import Swaps, segments
from vibentropy.sources.random_alloys import RandomCells
from vibentropy.sources.seeds import Cluster, place

#: Seeds are relaxed to this norm of all forces together before they are annealed, eV/Å.
_SEED_FORCE = 1e-2


@dataclass(frozen=True)
class Trajectory:
    """One seed of defects and its annealing.

    Attributes
    ----------
    dataset, name : str
        Together they identify the trajectory, and with the seed of the run its random numbers.
    defect_class : str
    repetitions : tuple of 3 int
        Of the unit cell.
    clusters : tuple of vibentropy.sources.seeds.Cluster
        What is put into the perfect crystal; mappings become clusters.
    separation : float
        Smallest distance between the centres of two clusters, Å.
    strain : float
        Largest component of the random strain of the cell; 0 for none.
    melt_radius : float
        Of the pocket of melt in Å; 0 for none.
    melt_temperature : float, K
    temperature : float, K
    time_step : float, ps
    steps_between : int
        Steps of molecular dynamics before each snapshot.
    snapshots : int
    max_force : float
        At the end of the quench, eV/Å.
    quench_seed : bool
        Whether the quenched seed comes in addition, where it has defects.
    composition : dict of str to float
        Share of the sites of the cell that solutes take, by what `vibentropy.sources.seeds.Cluster.solutes` says.
    swaps : Swaps or None
        Exchanges of atoms during molecular dynamics; a mapping becomes them.
    """

    dataset: str
    name: str
    defect_class: str
    repetitions: tuple[int, ...]
    clusters: tuple[Cluster, ...]
    separation: float
    strain: float
    melt_radius: float
    melt_temperature: float
    temperature: float
    time_step: float
    steps_between: int
    snapshots: int
    max_force: float
    quench_seed: bool = True
    composition: Mapping[str, float] = field(default_factory=dict)
    swaps: Swaps | None = None

    def __post_init__(self) -> None:
        if isinstance(self.swaps, Mapping):
            object.__setattr__(self, "swaps", Swaps(**self.swaps))
        as_clusters = tuple(c if isinstance(c, Cluster) else Cluster(**c) for c in self.clusters)
        object.__setattr__(self, "clusters", as_clusters)
        object.__setattr__(self, "repetitions", tuple(self.repetitions))

    @property
    def minima(self) -> int:
        """Number of configurations of the trajectory: one of each snapshot, and that of the seed."""
        return self.snapshots + self.keeps_seed

    @property
    def attempts(self) -> int:
        """Attempts to exchange atoms before each snapshot."""
        return sum(attempts for _, attempts in segments(self.steps_between, self.swaps))

    @property
    def keeps_seed(self) -> bool:
        """Whether the quenched seed is a configuration. A crystal without a defect, as before a melt, is of no use."""
        return self.quench_seed and bool(self.clusters or self.composition)

    def seed(self, run_seed: int) -> int:
        """Hash the seed of the run and the name of the trajectory to the seed of its random numbers.

        Parameters
        ----------
        run_seed : int

        Returns
        -------
        int
            From 1 to `MAX_SEED`.
        """
        digest = hashlib.sha256(f"{run_seed}/{self.dataset}/{self.name}".encode()).digest()
        return 1 + int.from_bytes(digest[:8], "big") % MAX_SEED


def sample(
    planned: Iterable[Trajectory],
    crystal: Crystal,
    potential: Any,
    engine: Any,
    run_seed: int,
    done: Done = ignore,
    random_cells: RandomCells | None = None,
) -> ConfigurationSet:
    """Make minima with defects: seed, anneal and quench trajectories.

    Parameters
    ----------
    planned : list of Trajectory
    crystal : vibentropy.atoms.crystal.Crystal
        At its relaxed lattice constant.
    potential : vibentropy.Potential
    engine : vibentropy.potentials.lammps_engine.LammpsEngine
        On the fine table of the same potential.
    run_seed : int
    done : callable
        Called with the name of each trajectory that is done.
    random_cells : RandomCells, optional
        Of the random alloy that trajectories start from, in place of the crystal whose sites it has.

    Returns
    -------
    ConfigurationSet
        Status ``relaxed``, or ``not converged`` or ``rejected`` with the reason. A trajectory that fails as a whole
        leaves one row: its seed, or the perfect crystal where there was not even that.
    """
    frames, rows = [], []
    for trajectory in planned:
        seed = trajectory.seed(run_seed)
        rng = np.random.default_rng(seed)
        size = "x".join(map(str, trajectory.repetitions))
        if random_cells is None:
            perfect = _perfect(trajectory, crystal, rng)
        else:
            perfect = random_cells({"repetitions": size, "seed": seed})
        unit = crystal.filling(perfect.cell[:] / np.array(trajectory.repetitions)[:, None], (1, 1, 1))
        energy_per_atom = potential.energy_and_forces(unit)[0] / len(unit)
        common = {
            "dataset": trajectory.dataset,
            "trajectory": trajectory.name,
            "repetitions": size,
            "defect_class": trajectory.defect_class,
            "n_sites": len(perfect),
            "seed": seed,
        }
        for number, (atoms, outcome) in enumerate(_minima(trajectory, perfect, crystal, potential, engine, seed, rng)):
            # Those of several elements are compared with cells of these, which labels have.
            if "energy" in outcome and set(atoms.symbols) == set(crystal.elements) == {crystal.element}:
                outcome["formation_energy"] = outcome["energy"] - len(atoms) * energy_per_atom
            frames.append(atoms)
            rows.append(common | {"id": f"{trajectory.dataset}/{trajectory.name}/{number:02d}"} | outcome)
        done(trajectory.name)
    return ConfigurationSet(frames, pd.DataFrame(rows), {"seed": run_seed, **crystal.facts})


def _perfect(trajectory, crystal, rng):
    """Perfect crystal of a trajectory, under a random strain where it has one."""
    cell = crystal.cell(trajectory.repetitions).cell[:]
    if trajectory.strain:
        strain = rng.uniform(-trajectory.strain, trajectory.strain, (3, 3))
        # The upper triangle decides: a symmetric strain is no rotation.
        strain = np.triu(strain) + np.triu(strain, 1).T
        cell = cell @ (np.eye(3) + strain)
    return crystal.filling(cell, trajectory.repetitions)


def _minima(trajectory, perfect, crystal, potential, engine, seed, rng):
    """Pairs of a configuration and its columns, for the quenched seed and each quenched snapshot."""
    atoms = perfect
    try:
        dissolved = {text: round(share * len(perfect)) for text, share in trajectory.composition.items()}
        atoms = place(
            trajectory.clusters, perfect, crystal, trajectory.repetitions, trajectory.separation, rng, dissolved
        )
        relaxed_seed = engine.relax(atoms, _SEED_FORCE)
        snapshots = engine.anneal(
            relaxed_seed,
            trajectory.temperature,
            trajectory.time_step,
            trajectory.steps_between,
            trajectory.snapshots,
            seed,
            *_pocket(trajectory, relaxed_seed, rng),
            swaps=trajectory.swaps,
        )
    except VibentropyError as error:
        return [(atoms, {"status": Status.REJECTED, "reason": f"no trajectory: {error}"})]
    first = [relaxed_seed] if trajectory.keeps_seed else []
    return [_quench(snapshot, trajectory.max_force, potential, engine) for snapshot in [*first, *snapshots]]


def _pocket(trajectory, atoms, rng):
    """Atoms that the melt is made of and its temperature, where a trajectory has one."""
    if not trajectory.melt_radius:
        return ()
    centre = rng.random(3) @ atoms.cell[:]
    _, distances = get_distances(centre, atoms.positions, cell=atoms.cell, pbc=True)
    molten = np.flatnonzero(distances[0] <= trajectory.melt_radius).tolist()
    if not molten:
        raise StructureError(
            f"no atom within {trajectory.melt_radius} Å of the centre of the melt: enlarge its `radius`"
        )
    return molten, trajectory.melt_temperature


def _quench(snapshot, max_force, potential, engine):
    try:
        relaxed, energy, largest = newton_relax(engine.relax(snapshot, engine.handover), potential, max_force)
    except NotConvergedError as error:
        return snapshot, {"status": Status.NOT_CONVERGED, "reason": str(error)}
    except (VibentropyError, LinAlgError) as error:
        return snapshot, {"status": Status.REJECTED, "reason": str(error)}
    return relaxed, {"status": Status.RELAXED, "energy": energy, "max_force": largest}
