"""Sets of cells, each with its row in a table."""
