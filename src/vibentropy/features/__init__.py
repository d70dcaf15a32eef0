"""Extensive features of sets of cells, and labels resolved by atoms."""
