"""Linear regressors without intercept, their folds, and how wrong their predictions may be."""
