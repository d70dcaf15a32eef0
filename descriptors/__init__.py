"""Descriptors of local atomic environments, invariant and extensive when summed."""
