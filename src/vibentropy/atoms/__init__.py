"""One cell of atoms: geometry checks, crystals, neighbours, and reading cells from files."""
