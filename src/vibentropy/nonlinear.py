"""Counter-examples: what becomes of extensivity where the entropy is not linear in the summed features.

A cell is known by its number of atoms N and its extensive features X (`vibentropy.features`). The models compared are

================ =============== ==================================================================================
name             features        prediction
================ =============== ==================================================================================
ridge            X               w · X, the model of this package
atom_kernel      of `AtomKernel` kernel ridge; the kernel of two cells is Σ_i Σ_j k(x_i, x_j) over their atoms
kernel_ridge     X               f(X): kernel ridge with k of the sums of two cells
network          X               f(X): a small neural network
kernel_per_atom  X, N            N f(X / N): the remedy that comes to mind first, f as in kernel_ridge
kernel_per_size  X               s f(X / s): the next one; s is the root mean square of the scaled features
================ =============== ==================================================================================

with one and the same kernel, ``k(x, x') = exp(-|x - x'|² / 2 n ℓ²)`` of n scaled features. The first two are linear in
features that are sums over atoms, and thereby extensive. Three things can be asked of all of them without any further
label, because features of distant defects add up:

``copies``
    m copies of one cell, features m X in m N atoms, have m times its entropy.
``crystal``
    The same defects in m times as many atoms, features X in m N atoms, have the same entropy.
``mixture``
    m different cells side by side, all sums, have the sum of their entropies.

A function of X that passes the first is homogeneous of degree one; one that passes the last as well is linear.
Networks for each atom, summed over atoms, are extensive like the second model and are not among these.
"""

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.cluster import kmeans_plusplus
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import gen_batches

from vibentropy import descriptors
from vibentropy.descriptors import Descriptor
from vibentropy.evaluation import error_metrics, match
from vibentropy.regression import ExtensiveRidge, RootMeanSquareScaler, size
from vibentropy.splits import fold_and_group, main_split
from vibentropy.storage import check_array, create, open_file

#: Names of the models, in words for figures.
MODELS = {
    "ridge": "ridge (linear)",
    "atom_kernel": "kernel summed over atoms",
    "kernel_ridge": "kernel of the sums",
    "network": "network of the sums",
    "kernel_per_atom": "kernel of the sums per atom",
    "kernel_per_size": "kernel of the sums per size",
}

#: Those that are extensive by construction.
EXTENSIVE = ("ridge", "atom_kernel")

#: Length scales ℓ and penalties of the kernel of atoms, whose scaled features have the root mean square 1.
ATOM_LENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
ATOM_PENALTIES = np.logspace(-4, 2, 7)

#: Length scales ℓ and penalties of kernels of the sums, whose scaled features have the standard deviation 1.
SUM_LENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SUM_PENALTIES = np.logspace(-11, -1, 6)

#: Penalties on the squared weights of the network.
NETWORK_PENALTIES = np.logspace(-1, 2, 4)

#: Numbers of cells, m.
MULTIPLES = (2, 4, 8, 16)

#: Numbers (8 bytes each) that the atoms which environments are chosen from may take.
MAX_POOL = 4_000_000

#: Atoms whose kernel is held at a time.
BLOCK = 512

KIND = "environments"


def enough(n_atoms, n_features):
    """Choose cells, evenly spread, whose atoms together hold `MAX_POOL` numbers.

    Parameters
    ----------
    n_atoms : sequence of int of length n
        Of each cell.
    n_features : int

    Returns
    -------
    ndarray of int
        Rows in ascending order, the first and the last among them; all if they are few. All of those that were chosen
        would be chosen again.
    """
    fitting = int(MAX_POOL / (n_features * max(n_atoms)))
    return np.unique(np.linspace(0, len(n_atoms) - 1, max(1, min(fitting, len(n_atoms)))).round().astype(int))


@dataclass(frozen=True, eq=False)
class Environments:
    """Atomic environments that stand for all others in a kernel of atoms.

    In HDF5 (kind ``environments``, schema 1) each attribute is a data set of its name.

    Attributes
    ----------
    points : ndarray of shape (n_environments, n_features)
        Scaled features; the first is the perfect crystal, all zeros.
    origin : ndarray of shape (n_features,)
        Descriptor of an atom of the perfect crystal.
    scale : ndarray of shape (n_features,)
        Root mean square difference from it.
    """

    points: np.ndarray
    origin: np.ndarray
    scale: np.ndarray

    @classmethod
    def choose(cls, descriptor, frames, origin, number, seed=0):
        """Choose environments that are far from each other; labels play no part.

        The perfect crystal is the first; the others are seeds of k-means++, atoms drawn with a probability that grows
        with the square of the distance to those already chosen.

        Parameters
        ----------
        descriptor : Descriptor
            With local values.
        frames : sequence of ase.Atoms
            Training cells; of many, those of `enough` are taken.
        origin : ndarray of shape (n_features,)
            Descriptor of an atom of the perfect crystal.
        number : int
            At most; there may be fewer atoms.
        seed : int

        Returns
        -------
        Environments
        """
        taken = enough([len(atoms) for atoms in frames], descriptor.n_features)
        pool = np.concatenate([descriptor.local(frames[index]) - origin for index in taken])
        scale = RootMeanSquareScaler().fit(pool).scale_
        pool /= scale
        drawn, _ = kmeans_plusplus(pool, min(number - 1, len(pool)), random_state=seed)
        return cls(np.vstack([np.zeros_like(origin), drawn]), np.asarray(origin, dtype=float), scale)

    def save(self, path, **attributes):
        """Write to HDF5.

        Parameters
        ----------
        path : path-like
        **attributes
            Provenance, as for `vibentropy.storage.create`.
        """
        with create(path, KIND, **attributes) as file:
            file["points"], file["origin"], file["scale"] = self.points, self.origin, self.scale

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Environments

        Raises
        ------
        DataError
            If the file is missing, truncated or something else.
        """
        with open_file(path, KIND) as file:
            points, origin, scale = file["points"][:], file["origin"][:], file["scale"][:]
            check_array("/points", points, (len(points), len(origin)))
            check_array("/origin", origin, origin.shape)
            check_array("/scale", scale, origin.shape)
            return cls(points, origin, scale)


class AtomKernel(Descriptor):
    """Kernels between the atoms of a cell and chosen environments, summed over the cell.

    For each length scale ℓ in `ATOM_LENGTHS` the features of a cell are (Nyström; subset of regressors)

        Φ = K_zz^{-1/2} Σ_i k(z, x_i),

    with the environments z and their own kernel K_zz. The product Φ_A · Φ_B is the kernel Σ_i Σ_j k(x_i, x_j) between
    the atoms of two cells, exactly if all atoms are among the environments; relative to the perfect crystal
    (`vibentropy.features`), k(x, x') is that of the images of x and x' minus that of a perfect atom. Linear regression
    on Φ without intercept is kernel ridge regression with this kernel, of cost O(N).

    Parameters
    ----------
    environments : str
        Path of a file of `Environments`.
    descriptor : dict
        Kind and parameters of the descriptor of the atoms.
    species : list of str, optional
        Elements to tell apart; by default all atoms must be of one element.

    Notes
    -----
    Directions of the kernel below 1e-10 of its largest eigenvalue are left out: their features are zero. The values of
    the atoms of one cell are in memory, and the kernels of `BLOCK` of them.
    """

    def __init__(self, environments, descriptor, species=None):
        self.environments = environments
        self.descriptor = descriptor
        self.species = species

    @property
    def feature_names(self):
        """``l2_0``: length scale, and number of the direction."""
        return [f"l{length:g}_{k}" for length in ATOM_LENGTHS for k in range(len(_roots(self.environments)[0]))]

    @property
    def reach(self):
        """That of the descriptor of the atoms."""
        return self._inner.reach

    @property
    def _inner(self):
        return descriptors.create(**self.descriptor, species=self.species)

    def _total(self, atoms):
        environments, roots = _load(self.environments), _roots(self.environments)
        scaled = (self._inner.local(atoms) - environments.origin) / environments.scale
        kernel = np.zeros((len(ATOM_LENGTHS), len(environments.points)))
        for rows in gen_batches(len(scaled), BLOCK):
            for summed, values in zip(kernel, _kernels(scaled[rows], environments.points), strict=True):
                summed += values.sum(axis=0)
        return np.concatenate([root @ summed for root, summed in zip(roots, kernel, strict=True)])


@lru_cache(maxsize=2)
def _load(path):
    """Environments, once for each file."""
    return Environments.load(path)


@lru_cache(maxsize=2)
def _roots(path):
    """Matrices that take kernels with environments to features, one for each length scale."""
    points, roots = _load(path).points, []
    for kernel in _kernels(points, points):
        values, vectors = np.linalg.eigh(kernel)
        root = np.where(values > 1e-10 * values[-1], values, np.inf) ** -0.5
        roots.append(root[:, None] * vectors.T)
    return roots


def _kernels(x, z):
    """Yield the kernels of two sets of scaled features for all length scales, each of shape (len(x), len(z))."""
    squared = euclidean_distances(x, z, squared=True) / x.shape[1]
    for length in ATOM_LENGTHS:
        yield np.exp(squared * (-0.5 / length**2))


@dataclass(frozen=True, eq=False)
class Cells:
    """What the models know of cells.

    Attributes
    ----------
    n_atoms : ndarray of shape (n,)
    X : ndarray of shape (n, n_features)
        Extensive features.
    """

    n_atoms: np.ndarray
    X: np.ndarray

    @classmethod
    def of(cls, rows):
        """Take over `vibentropy.evaluation.Rows`."""
        return cls(rows.table["n_atoms"].to_numpy(dtype=float), rows.X)

    def __getitem__(self, rows):
        """Take some of them."""
        return Cells(self.n_atoms[rows], self.X[rows])

    def copies(self, m):
        """Each cell m times."""
        return Cells(m * self.n_atoms, m * self.X)

    def crystal(self, m):
        """Each cell with its defects in m times as many atoms."""
        return Cells(m * self.n_atoms, self.X)

    def mixture(self, drawn):
        """Different cells side by side; `drawn` (n, m) are the rows that make each of the new ones."""
        return Cells(self.n_atoms[drawn].sum(axis=1), self.X[drawn].sum(axis=1))


def fit(model, cells, entropy, groups, seed=0):
    """Fit a model, its parameters chosen by cross-validation over folds (three; five for ridge) that keep groups.

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


def assess(model, table, features, folds, *, exclude_duplicates=True, seed=0):
    """Predict held-out training cells, the test cells, and what the held-out ones make up by `Cells`.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    table : pandas.DataFrame
        Of configurations of all data sets, with their role.
    features : dict of FeatureSet
        By data set.
    folds : pandas.DataFrame
        As from `vibentropy.splits.folds_table`; of several splits, the one that keeps groups together is used.
    exclude_duplicates : bool
        Leave out minima that repeat another one.
    seed : int
        Of networks and mixtures; these are the same for all models.

    Returns
    -------
    predictions : pandas.DataFrame
        Columns model, test (``held out``, ``test set``, or as the module lists), of (data set, or multiple m); id,
        defect_class and n_sites of the cell or of the first of several, known (whether all its clusters are of classes
        of the training); formation_entropy, prediction, and parts, what predictions of the parts add up to (NaN for
        test sets), in k_B.
    chosen : dict
        Parameters of the fit to all training cells.

    Raises
    ------
    DataError
        If no training configuration has label and features, or one of them is in no fold.
    """
    train, test = match(table, features, exclude_duplicates)
    of_split = folds[folds["split"] == main_split(folds["split"])]
    fold, groups = fold_and_group(of_split, train.table["id"])
    parts = []

    def keep(rows, test, of, entropy, prediction, parts_prediction):
        columns = rows[["id", "defect_class", "n_sites"]].assign(known=_known(rows, train.table))
        numbers = {"formation_entropy": entropy, "prediction": prediction, "parts": parts_prediction}
        parts.append(columns.assign(model=model, test=test, of=of, **numbers))

    cells, entropy = Cells.of(train), train.y
    for number in np.unique(fold):
        out = fold == number
        predict, _ = fit(model, cells[~out], entropy[~out], groups[~out], seed)
        rows, held, exact = train.table[out], cells[out], entropy[out]
        own = predict(held)
        keep(rows, "held out", 1, exact, own, own)
        for m in MULTIPLES:
            keep(rows, "copies", m, m * exact, predict(held.copies(m)), m * own)
            keep(rows, "crystal", m, exact, predict(held.crystal(m)), own)
            others = np.random.default_rng([seed, number, m]).integers(len(rows), size=(len(rows), m - 1))
            drawn = np.column_stack([np.arange(len(rows)), others])
            keep(rows, "mixture", m, exact[drawn].sum(1), predict(held.mixture(drawn)), own[drawn].sum(1))
    predict, chosen = fit(model, cells, entropy, groups, seed)
    if len(test.table):
        keep(test.table, "test set", test.table["dataset"], test.y, predict(Cells.of(test)), np.nan)
    columns = ["model", "test", "of", "id", "defect_class", "known", "n_sites"]
    return pd.concat(parts, ignore_index=True)[[*columns, "formation_entropy", "prediction", "parts"]], chosen


def _known(rows, train):
    """Whether all clusters of each row are of classes that were trained on: ``4xI3`` if ``I3`` was."""
    clusters = rows["defect_class"].str.replace(r"\d+x", "", regex=True).str.split("+")
    return [set(names) <= set(train["defect_class"]) for names in clusters]


def summarise(predictions):
    """Errors of each model in each test, and how far it is from being additive.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As from `assess`, of all models.

    Returns
    -------
    pandas.DataFrame
        Columns model, test, of, clusters (``all``; for test sets also ``known`` and ``new`` ones), those of
        `vibentropy.evaluation.error_metrics`, and for what is made of held-out cells ``ratio``, the median of
        prediction / parts, its quantiles ``ratio_low`` and ``ratio_high`` (16 and 84 %), and ``deviation``, the mean of
        abs(prediction - parts) divided by that of abs(parts): 1 and 0 if the model is extensive.
    """
    rows = []
    for keys, of_test in predictions.groupby(["model", "test", "of"], sort=False):
        identity = dict(zip(("model", "test", "of"), keys, strict=True))
        divided = {"all": of_test}
        if identity["test"] == "test set":
            divided |= {"known" if known else "new": some for known, some in of_test.groupby("known", sort=True)}
        for clusters, some in divided.items():
            errors = error_metrics(some["formation_entropy"], some["prediction"])
            low, ratio, high = np.quantile(some["prediction"] / some["parts"], [0.16, 0.5, 0.84])
            deviation = (some["prediction"] - some["parts"]).abs().mean(skipna=False) / some["parts"].abs().mean()
            additivity = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "deviation": deviation}
            rows.append(identity | {"clusters": clusters} | errors | additivity)
    return pd.DataFrame(rows)
