"""Figure of held-out errors by the way of testing."""

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from vibentropy.errors import DataError
from vibentropy.report.figures.style import COLORS, DOUBLE, SINGLE, lay_out, styled
from vibentropy.sources.reference_work import reported_errors
from vibentropy.studies.leakage import ALL, NARROW, Way, describe

#: Markers of descriptors, in turn.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")


@styled
def leakage_figure(table: pd.DataFrame, element: str = "") -> Figure:
    """Draw the mean absolute error of each model in each way of testing.

    Parameters
    ----------
    table : pandas.DataFrame
        As from `vibentropy.studies.leakage.leakage`, of all models.
    element : str
        Of the crystal; the published errors of models for it are drawn as well.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each choice of classes, a line of points for each way of testing, its name on the left.

    Raises
    ------
    DataError
        If the table is empty.
    """
    if table.empty:
        raise DataError("there are no ways of testing to draw")
    parts = list(dict.fromkeys(table["classes"]))
    ways = list(dict.fromkeys(table[list(Way._fields)].itertuples(index=False, name=None)))
    figure = Figure(figsize=(SINGLE * 1.4 if len(parts) == 1 else DOUBLE, 0.42 * len(ways) + 1.2))
    panels = figure.subplots(1, len(parts), squeeze=False, sharey=True)[0]
    models = list(dict.fromkeys(table[["descriptor", "regressor"]].itertuples(index=False, name=None)))
    descriptors = list(dict.fromkeys(descriptor for descriptor, _ in models))
    for axes, part in zip(panels, parts, strict=True):
        rows = table[table["classes"] == part]
        for number, (descriptor, regressor) in enumerate(models):
            of_model = rows[(rows["descriptor"] == descriptor) & (rows["regressor"] == regressor)]
            places = [ways.index(way) for way in of_model[list(Way._fields)].itertuples(index=False, name=None)]
            axes.plot(
                of_model["mae"],
                places,
                ls="none",
                marker=MARKERS[descriptors.index(descriptor) % len(MARKERS)],
                # Hollow: models that agree do not hide each other.
                markerfacecolor="none",
                color=COLORS[number % len(COLORS)],
                label=f"{descriptor}, {regressor}",
            )
        _draw_published(axes, ways, element)
        _write_remembered(axes, rows, ways)
        axes.set_title(_in_words(part))
        axes.set_xlabel(r"mean absolute error ($k_\mathrm{B}$)")
        axes.set_xlim(left=0)
        axes.grid(axis="y", color="0.9")
        axes.tick_params(axis="y", which="both", left=False, right=False)
    panels[0].set_yticks(range(len(ways)), [describe(Way(*way)) for way in ways])
    panels[0].set_ylim(len(ways) - 0.5, -0.5)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    lay_out(figure)
    return figure


def _in_words(part):
    """Classes of a panel, those of one range of entropies in a second line."""
    if part == ALL:
        return "all classes"
    classes = part.removesuffix(NARROW)
    said = fill(", ".join(classes.split()), 32)
    return said if part == classes else f"{said}\n{NARROW}"


def _draw_published(axes, ways, element):
    """Mark published errors where rows are divided in the order of the files, as they were."""
    places = [place for place, way in enumerate(ways) if Way(*way).split == "file_order"]
    for published in reported_errors(element):
        if published.n_features and places:
            ends = [min(places) - 0.4, max(places) + 0.4]
            label = f"published: ${published.descriptor}$, {published.potential}"
            axes.plot([published.held_out[0]] * 2, ends, color="0.4", ls="--", lw=1.0, label=label)


def _write_remembered(axes, rows, ways):
    """Write at the end of each line which part of the rows is remembered."""
    remembered = rows.groupby(list(Way._fields))["remembered"].max()
    for place, way in enumerate(ways):
        if way in remembered.index:
            axes.text(
                0.99,
                place - 0.12,
                f"{remembered[way]:.0%}",
                color="0.4",
                ha="right",
                transform=axes.get_yaxis_transform(),
            )
