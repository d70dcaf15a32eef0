"""Study of functions of the summed features, fitted beside linear models: the counter-examples."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from vibentropy.learning.ridge import ExtensiveRidge
from vibentropy.learning.rows import Rows
from vibentropy.learning.scaling import RootMeanSquareScaler, size
from vibentropy.studies.atom_kernel import ATOM_LENGTHS

#: Names of the models, in words for figures.
MODELS = {
    "ridge": "ridge (linear)",
    "atom_kernel": "kernel summed over atoms",
    "kernel_ridge": "kernel of the sums",
    "network": "network of the sums",
    "kernel_per_atom": "kernel of the sums per atom",
    "kernel_per_size": "kernel of the sums per size",
}

ATOM_PENALTIES = np.logspace(-4, 2, 7)

#: Length scales ℓ and penalties of kernels of the sums, whose scaled features have the standard deviation 1.
SUM_LENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)

SUM_PENALTIES = np.logspace(-11, -1, 6)

#: Penalties on the squared weights of the network.
NETWORK_PENALTIES = np.logspace(-1, 2, 4)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells as functions of summed features see them: a row of sums and a number of atoms each.

    Attributes
    ----------
    n_atoms : ndarray of shape (n,)
    X : ndarray of shape (n, n_features)
        Extensive features.
    """

    n_atoms: NDArray[np.float64]
    X: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """Take the cells of rows that have labels and features.

        Parameters
        ----------
        rows : Rows

        Returns
        -------
        Cells
        """
        return cls(rows.table["n_atoms"].to_numpy(dtype=float), rows.X)

    def __getitem__(self, rows: NDArray[Any]) -> "Cells":
        """Take some of the cells."""
        return Cells(self.n_atoms[rows], self.X[rows])

    def copies(self, m: int) -> "Cells":
        """Put copies of each cell side by side.

        Parameters
        ----------
        m : int
            Number of copies.

        Returns
        -------
        Cells
        """
        return Cells(m * self.n_atoms, m * self.X)

    def crystal(self, m: int) -> "Cells":
        """Put more perfect crystal around the defects of each cell.

        Parameters
        ----------
        m : int
            How many times as many atoms there are.

        Returns
        -------
        Cells
        """
        return Cells(m * self.n_atoms, self.X)

    def mixture(self, drawn: NDArray[np.intp]) -> "Cells":
        """Put different cells side by side.

        Parameters
        ----------
        drawn : ndarray of shape (n, m)
            Rows of the cells that make each of the new ones.

        Returns
        -------
        Cells
        """
        return Cells(self.n_atoms[drawn].sum(axis=1), self.X[drawn].sum(axis=1))


def fit(
    model: str, cells: Cells, entropy: NDArray[np.float64], groups: NDArray[Any], seed: int = 0
) -> tuple[Callable[[Cells], NDArray[np.float64]], dict[str, Any]]:
    """Fit a function of the summed features of cells, or the linear model or kernel it is compared with.

    Its parameters are chosen by cross-validation over folds (three; five for ridge) that keep groups together.

    Features are scaled within the rows of the fit; those of functions of X, and their target, are also centred: they
    are not extensive anyway, and are to have a fair chance.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    cells : Cells
        Features X; for ``atom_kernel`` those of `AtomKernel`.
    entropy : ndarray of shape (n,), k_B
    groups : ndarray of shape (n,)
        Labels of rows that stay together.
    seed : int
        Of the first weights of the network.

    Returns
    -------
    predict : callable
        From `Cells` to entropies in k_B.
    chosen : dict
        Parameters that were chosen.
    """
    if model == "ridge":
        ridge = ExtensiveRidge().fit(cells.X, entropy, groups=groups)
        return lambda cells: ridge.predict(cells.X), {"penalty": ridge.penalty_}
    search = GridSearchCV(
        *_candidates(model, cells.X.shape[1], seed),
        scoring="neg_root_mean_squared_error",
        cv=GroupKFold(min(3, len(np.unique(groups)))),
        error_score="raise",
    )
    divisor = _divisor(model, cells)
    with warnings.catch_warnings():
        # A network whose iterations end before its weights settle is one of the candidates like any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(cells.X / divisor(cells)[:, None], entropy / divisor(cells), groups=groups)

    def predict(cells):
        return divisor(cells) * search.predict(cells.X / divisor(cells)[:, None])

    return predict, {name.rpartition("__")[2]: value for name, value in search.best_params_.items()}


def _candidates(model, n_features, seed):
    """Estimator and grid of parameters."""
    if model == "atom_kernel":
        pick = FunctionTransformer(_block)
        grid = {
            "pick__kw_args": [{"number": number} for number in range(len(ATOM_LENGTHS))],
            "ridge__alpha": ATOM_PENALTIES,
        }
        return Pipeline([("pick", pick), ("ridge", Ridge(fit_intercept=False))]), grid
    if model == "network":
        inner = MLPRegressor(hidden_layer_sizes=(32,), solver="lbfgs", max_iter=500, random_state=seed)
        grid = {"activation": ["relu", "tanh"], "alpha": NETWORK_PENALTIES}
    else:
        inner = KernelRidge(kernel="rbf")
        grid = {"gamma": 0.5 / (n_features * np.square(SUM_LENGTHS)), "alpha": SUM_PENALTIES}
    function = Pipeline([("scale", StandardScaler()), ("f", inner)])
    centred = TransformedTargetRegressor(function, transformer=StandardScaler())
    return centred, {f"regressor__f__{name}": values for name, values in grid.items()}


def _block(X, number=0):
    """Features of one length scale."""
    return np.split(X, len(ATOM_LENGTHS), axis=1)[number]


def _divisor(model, training):
    """Find what features and entropy are divided by before the fit, as a function of cells."""
    if model == "kernel_per_atom":
        return lambda cells: cells.n_atoms / np.mean(training.n_atoms)
    if model == "kernel_per_size":
        scaler = RootMeanSquareScaler().fit(training.X)
        # The perfect crystal has none.
        return lambda cells: np.maximum(size(scaler.transform(cells.X)), 1e-12)
    return lambda cells: np.ones(len(cells.n_atoms))
