"""Minima with defects: seeds in a perfect crystal, annealed by molecular dynamics, quenched at intervals.

A trajectory is one seed and the minima it falls into. It depends on nothing but its name, its recipe and the seed of
the run: neither on other trajectories nor on the number of cores.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from ase.build import bulk
from ase.geometry import get_distances
from scipy.optimize import minimize_scalar

from vibentropy.dataset import ConfigurationSet
from vibentropy.engine import MAX_SEED
from vibentropy.errors import ConfigError, NotConvergedError, StructureError, VibentropyError
from vibentropy.relaxation import newton_relax
from vibentropy.storage import atomic

#: An interstitial is not put closer than this (Å) to another atom where the crystal has room for it.
_MIN_INSERTION_DISTANCE = 1.45
_INSERTION_TRIALS = 500
#: Conjugate gradients hand over to Newton steps at this norm of all forces together, eV/Å.
_COARSE_FORCE = 1e-2


@dataclass(frozen=True)
class Crystal:
    """A perfect crystal of one element.

    Attributes
    ----------
    element : str
    structure : str
        A cubic lattice type of `ase.build.bulk`, such as ``"bcc"``.
    a : float
        Lattice constant in Å.
    """

    element: str
    structure: str
    a: float

    def cell(self, repetitions):
        """Build so many cubic unit cells along each axis, as ase.Atoms."""
        return bulk(self.element, self.structure, a=self.a, cubic=True).repeat(repetitions)

    def save(self, path):
        """Write as JSON: element, structure, and the lattice constant ``a`` in Å with all its digits."""
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read what `save` wrote."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))

    def relaxed(self, potential, tolerance=1e-9):
        """Find the lattice constant of lowest energy.

        Parameters
        ----------
        potential : vibentropy.Potential
        tolerance : float
            In Å; beyond 1e-8 energies in double precision no longer tell.

        Returns
        -------
        Crystal

        Raises
        ------
        ConfigError
            If there is no minimum within 5 % of the present lattice constant.
        """
        bounds = 0.95 * self.a, 1.05 * self.a
        result = minimize_scalar(
            lambda a: potential.energy_and_forces(Crystal(self.element, self.structure, a).cell(1))[0],
            bounds=bounds,
            method="bounded",
            options={"xatol": tolerance},
        )
        if min(abs(result.x - bound) for bound in bounds) < 1e-3 * self.a:
            raise ConfigError(
                f"{self.structure} {self.element} has no energy minimum near a = {self.a} Å "
                f"(between {bounds[0]:.4f} and {bounds[1]:.4f} Å)"
            )
        return Crystal(self.element, self.structure, float(result.x))


@dataclass(frozen=True)
class Trajectory:
    """One seed of defects and its annealing.

    Attributes
    ----------
    dataset, name : str
        Together they identify the trajectory, and with the seed of the run its random numbers.
    defect_class : str
    repetitions : tuple of 3 int
        Of the cubic unit cell.
    interstitials, vacancies : int
        In each cluster.
    clusters : int
    radius : float or None
        Of the sphere that holds the seed of a cluster, in Å; None for anywhere in the cell.
    temperature : float, K
    time_step : float, ps
    steps_between : int
        Steps of molecular dynamics before each snapshot.
    snapshots : int
        The quenched seed comes in addition.
    max_force : float
        At the end of the quench, eV/Å.
    """

    dataset: str
    name: str
    defect_class: str
    repetitions: tuple
    interstitials: int
    vacancies: int
    clusters: int
    radius: float | None
    temperature: float
    time_step: float
    steps_between: int
    snapshots: int
    max_force: float

    def seed(self, run_seed):
        """Hash the seed of the run and the name of the trajectory to the seed of its random numbers."""
        digest = hashlib.sha256(f"{run_seed}/{self.dataset}/{self.name}".encode()).digest()
        return 1 + int.from_bytes(digest[:8], "big") % MAX_SEED


def trajectories(dataset, recipe):
    """All trajectories of a recipe, in a fixed order.

    Parameters
    ----------
    dataset : str
    recipe : dict
        ``cells``, ``defects``, ``anneal`` and ``quench`` as described in the schema of the configuration.

    Returns
    -------
    list of Trajectory
    """
    planned = []
    for repetitions in recipe["cells"]:
        size = "x".join(str(n) for n in repetitions)
        for defect_class, defect in recipe["defects"].items():
            anneal = recipe["anneal"] | defect.get("anneal", {})
            planned += [
                Trajectory(
                    dataset=dataset,
                    name=f"{size}-{defect_class}-{index:04d}",
                    defect_class=defect_class,
                    repetitions=tuple(repetitions),
                    interstitials=defect["interstitials"],
                    vacancies=defect["vacancies"],
                    clusters=defect["clusters"],
                    radius=defect["radius"],
                    max_force=recipe["quench"]["max_force"],
                    **anneal,
                )
                for index in range(defect["trajectories"])
            ]
    return planned


def shards(dataset, recipe, size):
    """Divide the trajectories of a recipe into jobs.

    Parameters
    ----------
    dataset : str
    recipe : dict
    size : int
        Largest number of trajectories in a shard.

    Returns
    -------
    dict of str to list of dict
        By the name of the shard, the fields of its trajectories, all of one class in one cell size: more trajectories
        of a class add shards and leave full ones as they are.
    """
    named = {}
    planned = trajectories(dataset, recipe)
    for (repetitions, defect_class), members in groupby(planned, key=lambda t: (t.repetitions, t.defect_class)):
        members = [asdict(member) for member in members]
        for number, start in enumerate(range(0, len(members), size)):
            name = f"{'x'.join(map(str, repetitions))}-{defect_class}-{number:03d}"
            named[name] = members[start : start + size]
    return named


def seed_defects(perfect, trajectory, rng):
    """Put clusters of interstitials and vacancies into a perfect crystal.

    Parameters
    ----------
    perfect : ase.Atoms
    trajectory : Trajectory
    rng : numpy.random.Generator

    Returns
    -------
    ase.Atoms

    Raises
    ------
    StructureError
        If the spheres hold fewer sites than vacancies are asked for.
    """
    atoms = perfect.copy()
    vacant = np.zeros(len(perfect), dtype=bool)
    inserted = []
    for _ in range(trajectory.clusters):
        centre = rng.random(3) @ perfect.cell[:]
        radius = np.inf if trajectory.radius is None else trajectory.radius
        _, distances = get_distances(centre, perfect.positions, cell=perfect.cell, pbc=True)
        within = np.flatnonzero((distances[0] <= radius) & ~vacant)
        if len(within) < trajectory.vacancies:
            raise StructureError(
                f"{trajectory.name}: a sphere of {radius:.2f} Å holds {len(within)} sites, too few for "
                f"{trajectory.vacancies} vacancies: enlarge `radius`"
            )
        vacant[rng.choice(within, trajectory.vacancies, replace=False)] = True
        for _ in range(trajectory.interstitials):
            others = np.concatenate([perfect.positions[~vacant], np.array(inserted).reshape(-1, 3)])
            inserted.append(_interstitial(others, perfect.cell, centre, radius, rng))
    del atoms[np.flatnonzero(vacant)]
    for position in inserted:
        atoms.append(perfect.symbols[0])
        atoms.positions[-1] = position
    return atoms


def _interstitial(others, cell, centre, radius, rng):
    """Draw points in a sphere until one has room; failing that, take the roomiest."""
    best, best_distance = None, -1.0
    for _ in range(_INSERTION_TRIALS):
        if np.isfinite(radius):
            direction = rng.standard_normal(3)
            point = centre + radius * rng.random() ** (1 / 3) * direction / np.linalg.norm(direction)
        else:
            point = rng.random(3) @ cell[:]
        nearest = get_distances(point, others, cell=cell, pbc=True)[1].min()
        if nearest > best_distance:
            best, best_distance = point, nearest
        if best_distance >= _MIN_INSERTION_DISTANCE:
            break
    return best


def sample(planned, crystal, potential, engine, run_seed, progress=lambda name: None):
    """Seed, anneal and quench trajectories.

    Parameters
    ----------
    planned : list of Trajectory
    crystal : Crystal
        At its relaxed lattice constant.
    potential : vibentropy.Potential
    engine : vibentropy.engine.LammpsEngine
        On the fine table of the same potential.
    run_seed : int
    progress : callable
        Called with the name of each trajectory that is done.

    Returns
    -------
    ConfigurationSet
        Status ``relaxed``, or ``not converged`` or ``rejected`` with the reason. A trajectory that fails as a whole
        leaves one row: its seed, or the perfect crystal where there was not even that.
    """
    frames, rows = [], []
    energy_per_atom = potential.energy_and_forces(crystal.cell(1))[0] / len(crystal.cell(1))
    for trajectory in planned:
        seed = trajectory.seed(run_seed)
        perfect = crystal.cell(trajectory.repetitions)
        common = {
            "dataset": trajectory.dataset,
            "trajectory": trajectory.name,
            "repetitions": "x".join(map(str, trajectory.repetitions)),
            "defect_class": trajectory.defect_class,
            "n_sites": len(perfect),
            "seed": seed,
        }
        for number, (atoms, outcome) in enumerate(_minima(trajectory, perfect, potential, engine, seed)):
            if "energy" in outcome:
                outcome["formation_energy"] = outcome["energy"] - len(atoms) * energy_per_atom
            frames.append(atoms)
            rows.append(common | {"id": f"{trajectory.dataset}/{trajectory.name}/{number:02d}"} | outcome)
        progress(trajectory.name)
    return ConfigurationSet(frames, pd.DataFrame(rows), {"seed": run_seed, "lattice_constant": crystal.a})


def _minima(trajectory, perfect, potential, engine, seed):
    """Pairs of a configuration and its columns, for the quenched seed and each quenched snapshot."""
    atoms = perfect
    try:
        atoms = seed_defects(perfect, trajectory, np.random.default_rng(seed))
        relaxed_seed = engine.relax(atoms, _COARSE_FORCE)
        snapshots = engine.anneal(
            relaxed_seed,
            trajectory.temperature,
            trajectory.time_step,
            trajectory.steps_between,
            trajectory.snapshots,
            seed,
        )
    except VibentropyError as error:
        return [(atoms, {"status": "rejected", "reason": f"no trajectory: {error}"})]
    return [_quench(snapshot, trajectory.max_force, potential, engine) for snapshot in [relaxed_seed, *snapshots]]


def _quench(snapshot, max_force, potential, engine):
    try:
        relaxed, energy, largest = newton_relax(engine.relax(snapshot, _COARSE_FORCE), potential, max_force)
    except NotConvergedError as error:
        return snapshot, {"status": "not converged", "reason": str(error)}
    except VibentropyError as error:
        return snapshot, {"status": "rejected", "reason": str(error)}
    return relaxed, {"status": "relaxed", "energy": energy, "max_force": largest}
