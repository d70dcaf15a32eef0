"""What is in a figure."""

from matplotlib.collections import PathCollection

CLASSES = {"I1": 1, "I2": 2, "I3": 3, "I4": 4, "V1": -1, "V2": -2, "V3": -3, "V4": -4}


def points(axes):
    """Number of points per legend entry."""
    return {c.get_label(): len(c.get_offsets()) for c in axes.collections if isinstance(c, PathCollection)}


def legend(owner):
    return [text.get_text() for text in owner.get_legend().get_texts()]


def corner(axes):
    return [text.get_text() for text in axes.texts]
