"""Predictions set beside exact entropies: tables, errors, and coverage of the intervals."""
