"""Figure of models that are and that are not linear in the summed features."""
