"""Engines that come to grief, importable by processes of their own."""

import os
import resource
import time

import numpy as np
from numpy.linalg import LinAlgError

from vibentropy.errors import StructureError
from vibentropy.potentials.lammps_engine import LammpsEngine
from vibentropy.potentials.own_process import report_progress

#: Bytes that a process over its limit may have.
LIMIT = 2**32


class Mortal:
    """Ends as it is told to."""

    def pid(self):
        return os.getpid()

    def die(self, number):
        os.kill(os.getpid(), number)
        # A signal comes when it comes.
        time.sleep(60)

    def pid_after(self, seconds):
        time.sleep(seconds)
        return os.getpid()

    def exit(self, status):
        os._exit(status)

    def say(self, what):
        print(what, flush=True)

    def wait(self, seconds):
        time.sleep(seconds)

    def work(self, seconds, pieces):
        for _ in range(pieces):
            time.sleep(seconds / pieces)
            report_progress()
        return "done"

    def grow(self):
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
        return np.ones(LIMIT // 8)

    def refuse(self, message, *place):
        error = StructureError(message)
        error.locate(*place)
        raise error

    def give_what_cannot_be_copied(self):
        return lambda: None


class MortalWithFile(Mortal):
    """Needs a file to be made."""

    def __init__(self, path):
        path.read_bytes()


class SlowStarter:
    """It takes its time to be made, as what imports much does; then it is quick."""

    def __init__(self, seconds):
        time.sleep(seconds)

    def answer(self):
        return 42


class MortalEngine(LammpsEngine):
    """LAMMPS that ends in the trajectory with a certain seed."""

    @classmethod
    def on(cls, table, seed, number):
        engine = cls.on_table(table, ["Fe"])
        engine._seed, engine._number = seed, number
        return engine

    def anneal(self, atoms, temperature, time_step, steps_between, snapshots, seed, *others):
        if seed == self._seed:
            Mortal().die(self._number)
        return super().anneal(atoms, temperature, time_step, steps_between, snapshots, seed, *others)


class Springs:
    """Every atom on a spring to its site; the Hessian of some cells comes to grief."""

    def __init__(self, fates):
        self._fates = fates

    def energy_and_forces(self, atoms):
        # Half a lattice constant of the iron of the tests apart.
        along = atoms.positions / 1.42765635
        away = (along - np.round(along)) * 1.42765635
        return 0.5 * float((away**2).sum()), -away

    def response(self, atoms, step, groups):
        fate = self._fates.get(len(atoms))
        if fate is LinAlgError:
            raise LinAlgError("Eigenvalues did not converge")
        if fate is MemoryError:
            raise MemoryError("Unable to allocate 7 TiB")
        if fate:
            Mortal().die(fate)
        return np.eye(3 * len(atoms)).reshape(-1, 3, len(atoms), 3)[np.concatenate(groups)]
