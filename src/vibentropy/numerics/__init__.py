"""Compiled functions and their cache, and linear algebra in place."""
