"""Calculators that come to grief or are out of the ordinary, importable by processes of their own."""

import os
import time

import numpy as np
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import StillingerWeber
from matscipy.calculators.manybody.explicit_forms.stillinger_weber import Stillinger_Weber_PRB_31_5262_Si


class Moody(EMT):
    """Copper whose cells of certain sizes end badly."""

    def __init__(self, hang=0, crash=0, nan=0):
        super().__init__()
        self._hang, self._crash, self._nan = hang, crash, nan

    def calculate(self, *arguments):
        super().calculate(*arguments)
        n_atoms = len(self.atoms)
        if n_atoms == self._hang:
            time.sleep(600)
        if n_atoms == self._crash:
            os._exit(3)
        if n_atoms == self._nan:
            self.results["forces"][1, 2] = np.nan


class Noisy(EMT):
    """Copper with forces that err by 1e-3 eV/Å, the same for the same positions."""

    def calculate(self, *arguments):
        super().calculate(*arguments)
        seed = int.from_bytes(self.atoms.positions.tobytes()[-8:], "little")
        noise = np.random.default_rng(seed).standard_normal((len(self.atoms), 3))
        self.results["forces"] = self.results["forces"] + 1e-3 * noise


class Remembering(EMT):
    """Copper whose forces depend on what was asked before, as lists of neighbours can make them, until it is reset."""

    asked = 0

    def reset(self):
        super().reset()
        self.asked = 0

    def calculate(self, *arguments):
        super().calculate(*arguments)
        self.asked += 1
        self.results["forces"] = self.results["forces"] * (1 + 1e-12 * self.asked)


class Single(EMT):
    """Copper in single precision, positions too, as many machine-learnt potentials have it."""

    def calculate(self, atoms=None, *arguments):
        rounded = atoms.copy()
        rounded.positions = atoms.positions.astype(np.float32)
        super().calculate(rounded, *arguments)
        self.atoms = atoms.copy()
        self.results["forces"] = self.results["forces"].astype(np.float32)
        self.results["energy"] = np.float32(self.results["energy"])


class Extending(EMT):
    """Fills the list of properties of its class when it is made, as MACE does."""

    implemented_properties = []  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.implemented_properties.extend(["energy", "forces"])


class Compiled(EMT):
    """Offers a Hessian that it cannot compute."""

    def get_hessian(self, atoms):
        raise RuntimeError("second derivatives are not compiled")


class EnergyOnly(Calculator):
    """Has no forces."""

    implemented_properties = ("energy",)


class SelfMade(EMT):
    """Offers whatever Hessian it is given, by a method of that name."""

    def __init__(self, hessian):
        super().__init__()
        self._hessian = hessian

    def get_hessian(self, atoms):
        return self._hessian


def silicon():
    """Silicon of Stillinger and Weber; it cannot be pickled."""
    return Manybody(**StillingerWeber(Stillinger_Weber_PRB_31_5262_Si))
