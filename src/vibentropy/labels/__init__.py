"""Exact vibrational entropies from Hessians."""
