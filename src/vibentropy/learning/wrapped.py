"""Linear regressors of other packages, held to extensivity."""

from typing import Any

import numpy as np
from sklearn.base import clone

from vibentropy.errors import ConfigError
from vibentropy.learning.base import ExtensiveRegressor, group_splits


class ExtensiveLinear(ExtensiveRegressor):
    """Any linear regressor in the manner of scikit-learn, on scaled features and held to extensivity.

    Parameters
    ----------
    estimator : estimator
        It has ``coef_`` once fitted. One with a parameter ``cv`` that is None or a number of folds is given folds
        that keep groups together.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), k_B per unit of the feature
    scale_ : ndarray of shape (n_features,)
    estimator_ : estimator
        Fitted to the scaled features.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def check_parameters(self) -> None:
        """Check that the estimator is one; see `ExtensiveRegressor.check_parameters`."""
        if not hasattr(self.estimator, "fit") or not hasattr(self.estimator, "predict"):
            raise TypeError(f"estimator == {self.estimator!r}, must be an estimator with fit and predict.")

    def _fit_scaled(self, Z, y, groups):
        self.estimator_ = clone(self.estimator)
        cv = self.estimator_.get_params().get("cv", "none of its parameters")
        if cv is None or isinstance(cv, int | np.integer):
            self.estimator_.set_params(cv=group_splits(len(y), groups, int(cv or 5)))
        name = type(self.estimator_).__name__
        try:
            self.estimator_.fit(Z, y)
        except ValueError as error:
            # Only what scikit-learn raises for a parameter that is out of range is both.
            if isinstance(error, TypeError):
                raise ConfigError(str(error)) from error
            raise
        weights = np.ravel(getattr(self.estimator_, "coef_", ()))
        if weights.shape != (Z.shape[1],):
            raise ConfigError(f"{name} has no coef_ of one weight per feature: only linear regressors are extensive")
        if not np.allclose(np.ravel(self.estimator_.predict(Z)), Z @ weights, atol=1e-8 * np.abs(y).max()):
            raise ConfigError(f"the predictions of {name} are not its coef_ times the features: it is not extensive")
        return weights
