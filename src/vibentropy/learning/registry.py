"""Regressors by name.

They and scikit-learn are imported when one is first asked for: that takes a second, and seconds for what the sparse
ones stand on, and the workflow starts many processes that want to know no more than the names.
"""

from __future__ import annotations

import inspect
import pkgutil
from typing import TYPE_CHECKING, Any

from vibentropy.errors import ConfigError, did_you_mean, how_to_install

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from vibentropy.learning.base import ExtensiveRegressor

#: Regressors by the name that a configuration gives them, and where they are.
REGRESSORS = {
    "least_squares": "vibentropy.learning.least_squares:ExtensiveLeastSquares",
    "ridge": "vibentropy.learning.ridge:ExtensiveRidge",
    "bayesian_ridge": "vibentropy.learning.bayesian:ExtensiveBayesianRidge",
    "ard": "vibentropy.learning.bayesian:ExtensiveARD",
    "lasso": "vibentropy.learning.sparse:ExtensiveLasso",
    "elastic_net": "vibentropy.learning.sparse:ExtensiveElasticNet",
    "mcp": "vibentropy.learning.sparse:ExtensiveMCP",
}


def find_regressor(kind: str) -> type[BaseEstimator]:
    """Look up the class of a regressor by its kind.

    Parameters
    ----------
    kind : str
        A name in `REGRESSORS`, or the dotted path of a class.

    Returns
    -------
    type
        Subclass of scikit-learn's `BaseEstimator`.

    Raises
    ------
    ConfigError
        If there is no such class, or it cannot be imported.
    """
    if kind not in REGRESSORS and "." not in str(kind):
        raise ConfigError(
            f"there is no regressor {kind!r}{did_you_mean(kind, REGRESSORS)}; there are {', '.join(REGRESSORS)}, "
            "and dotted paths to classes"
        )
    from sklearn.base import BaseEstimator

    try:
        cls = pkgutil.resolve_name(REGRESSORS.get(kind, kind))
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"regressor {kind!r}: {error}{how_to_install(error)}") from error
    if not (isinstance(cls, type) and issubclass(cls, BaseEstimator)):
        raise ConfigError(f"{kind!r} is not a class of estimators in the manner of scikit-learn")
    return cls


def create_regressor(kind: str, **parameters: Any) -> ExtensiveRegressor:
    """Build a regressor by name.

    Parameters
    ----------
    kind : str
        A name in `REGRESSORS`, or the dotted path of a class of linear regressors in the manner of scikit-learn,
        such as ``"sklearn.linear_model.HuberRegressor"``, which is fitted without intercept.
    **parameters
        Of its constructor.

    Returns
    -------
    estimator
        Unfitted, with the protocol of this module.

    Raises
    ------
    ConfigError
        If there is no such regressor or parameter, or a value is out of range; of a regressor of another package that
        shows when it is fitted.
    """
    from sklearn.base import is_regressor

    from vibentropy.learning.base import ExtensiveRegressor
    from vibentropy.learning.wrapped import ExtensiveLinear

    cls = find_regressor(kind)
    accepted = list(inspect.signature(cls).parameters)
    for name in parameters:
        if name not in accepted:
            raise ConfigError(
                f"regressor {kind!r} has no parameter {name!r}{did_you_mean(name, accepted)}; "
                f"it takes {', '.join(accepted) or 'none'}"
            )
    if "fit_intercept" in accepted:
        if parameters.get("fit_intercept", False):
            raise ConfigError(f"regressor {kind!r}: fit_intercept must be false, an intercept is not extensive")
        parameters["fit_intercept"] = False
    try:
        estimator = cls(**parameters)
        if isinstance(estimator, ExtensiveRegressor):
            estimator.check_parameters()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"regressor {kind!r}: {error}") from error
    if not is_regressor(estimator):
        raise ConfigError(f"{kind!r} is not a regressor in the manner of scikit-learn")
    return estimator if isinstance(estimator, ExtensiveRegressor) else ExtensiveLinear(estimator)
