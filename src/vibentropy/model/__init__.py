"""A descriptor, a fit and its error bars: `EntropyModel`, and its files."""
