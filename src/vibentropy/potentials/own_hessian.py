"""The Hessian that a calculator of ASE offers itself, and whether it is the derivative of its forces."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray
from scipy.sparse import bsr_array, issparse

from vibentropy.errors import PotentialError
from vibentropy.potentials.finite_differences import translation_invariant

#: Largest error of a Hessian, as a fraction of its largest element. Rounding to single precision stays below it.
_TOLERANCE = 1e-3

#: How close two factors count as the same.
_FACTOR = 0.01

#: Displacement (Å) of the differences that a Hessian is compared with, times a random number for each atom and axis.
_STEP = 0.004

#: Net forces of a sparse Hessian, as a fraction of its largest element, that are rounding in double precision.
_ROUNDING = 1e-9


def offers_hessian(calculator: Calculator) -> bool:
    """Whether a calculator says that it has a Hessian of its own.

    Parameters
    ----------
    calculator : ase.calculators.calculator.Calculator

    Returns
    -------
    bool
        True for the property ``hessian``, as calculators of matscipy have it, and a method ``get_hessian``, as those
        of MACE have it.
    """
    return _has_property(calculator) or callable(getattr(calculator, "get_hessian", None))


def _has_property(calculator):
    return "hessian" in (getattr(calculator, "implemented_properties", None) or ())


def own_hessian(
    calculator: Any, atoms: Atoms, forces: Callable[[Atoms], NDArray[Any]]
) -> bsr_array | NDArray[np.float64]:
    """Hessian of a calculator that offers one, checked.

    Parameters
    ----------
    calculator : ase.calculators.calculator.Calculator
    atoms : ase.Atoms
    forces : callable
        Forces of the calculator on atoms, of shape (n_atoms, 3), in eV/Å.

    Returns
    -------
    bsr_array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
        Symmetric and invariant under translation.

    Raises
    ------
    PotentialError
        If it cannot be computed, or is not what `checked` expects.
    """
    try:
        offered = (
            calculator.get_property("hessian", atoms) if _has_property(calculator) else calculator.get_hessian(atoms)
        )
    except Exception as error:  # Such as a compiled model, which has no second derivatives.
        _refuse(f"of {type(calculator).__name__} cannot be computed: {type(error).__name__}: {error}")
    return checked(offered, atoms, forces)


def checked(hessian: Any, atoms: Atoms, forces: Callable[[Atoms], NDArray[Any]]) -> bsr_array | NDArray[np.float64]:
    """Check that a matrix is the Hessian that belongs to forces.

    Its shape, its symmetry, the sum rule, and its product with one displacement of all atoms, drawn at random with a
    fixed seed, which feels every element: that is compared with central differences of forces. Errors up to 1e-3 of
    the largest element pass, beside the error that the differences have by their own account.

    Parameters
    ----------
    hessian : sparse matrix or array_like
        Of 9 n_atoms² elements, with rows in the order x, y, z of the first atom, and so on.
    atoms, forces
        As for `own_hessian`. Forces are computed four times.

    Returns
    -------
    bsr_array or ndarray of shape (3 n_atoms, 3 n_atoms), eV/Å²
        Without what rounding leaves of asymmetry and net forces.

    Raises
    ------
    PotentialError
        Saying what was found instead.
    """
    matrix = _as_matrix(hessian, len(atoms))
    if not np.isfinite(matrix.data if issparse(matrix) else matrix).all():
        _refuse("has elements that are not finite")
    scale = float(abs(matrix).max())
    asymmetry = float(abs(matrix - matrix.T).max())
    if asymmetry > _TOLERANCE * scale:
        _refuse(f"is not symmetric: elements differ by up to {asymmetry:.2g} eV/Å²{_of(scale)}")
    net_force = float(np.abs(matrix @ np.tile(np.eye(3), (len(atoms), 1))).max())
    if net_force > _TOLERANCE * scale:
        _refuse(
            f"breaks the sum rule: moving all atoms alike by 1 Å gives forces of up to {net_force:.2g} eV/Å{_of(scale)}"
        )
    _compare(matrix, atoms, forces, scale)
    if issparse(matrix) and net_force <= _ROUNDING * scale:
        return bsr_array((matrix + matrix.T) / 2, blocksize=(3, 3))
    return translation_invariant(matrix.toarray() if issparse(matrix) else matrix)[0]


def _as_matrix(hessian, n_atoms):
    """Bring a Hessian into the shape of a matrix; MACE has it as (3 n_atoms, n_atoms, 3)."""
    if issparse(hessian):
        matrix = bsr_array(hessian).astype(float)
    else:
        matrix = np.asarray(hessian, dtype=float)
        if matrix.size == 9 * n_atoms**2:
            matrix = matrix.reshape(3 * n_atoms, 3 * n_atoms)
    if matrix.shape != (3 * n_atoms, 3 * n_atoms):
        _refuse(f"has the shape {matrix.shape} for {n_atoms} atoms, expected {(3 * n_atoms, 3 * n_atoms)}")
    return matrix


def _compare(matrix, atoms, forces, scale):
    """Compare a product with a Hessian with differences of forces."""
    direction = np.random.default_rng(0).standard_normal((len(atoms), 3))
    product = (matrix @ direction.ravel()).reshape(-1, 3)
    coarse, fine = (_differences(atoms, direction, forces, length) for length in (_STEP, _STEP / 2))
    # Errors fall with the square of the step.
    expected = fine + (fine - coarse) / 3
    tolerance = _TOLERANCE * scale + float(np.abs(fine - coarse).max())
    error = np.abs(product - expected)
    if error.max() <= tolerance:
        return
    factor = float((expected * product).sum() / max((product**2).sum(), np.finfo(float).tiny))
    if abs(factor - 1) > _FACTOR and np.abs(factor * product - expected).max() <= 2 * tolerance:
        masses = atoms.get_masses()
        divided = " (is it divided by masses?)" if abs(factor / masses.mean() - 1) < _FACTOR else ""
        _refuse(f"is the derivative of its forces divided by {factor:.5g}{divided}")
    atom = int(error.max(axis=1).argmax())
    _refuse(
        f"is not the derivative of its forces: a displacement changes the force on atom {atom} by up to "
        f"{error[atom].max():.2g} eV/Å² more or less than central differences say{_of(scale)} (neighbours left out?)"
    )


def _differences(atoms, direction, forces, step):
    """Central difference of minus the forces along a displacement, shape (n_atoms, 3), eV/Å²."""
    sides = []
    for length in (step, -step):
        displaced = atoms.copy()
        displaced.positions += length * direction
        sides.append(forces(displaced))
    return (sides[1] - sides[0]) / (2 * step)


def _of(scale):
    return f", where the largest element is {scale:.2g} eV/Å²"


def _refuse(what: str) -> NoReturn:
    raise PotentialError(f"the Hessian {what}; finite differences work instead: `hessian: finite_differences`")
