"""Where data sets come from: recipes, files, archives, and published arrays."""
