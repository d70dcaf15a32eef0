"""Interatomic potentials: energies, forces, Hessians, engines, and relaxation."""
