"""Figures, made as objects without pyplot and its global state, in the style of ``vibentropy.mplstyle``."""
