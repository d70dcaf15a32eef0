"""Job that reports shares of atoms, exact and predicted, as a table, a page and a figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ase.io
import pandas as pd

from vibentropy.files.atomic import atomic
from vibentropy.files.tables import save_table
from vibentropy.report.figures.site_maps import map_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import checksums as checksums_of
from vibentropy.run.provenance import origin
from vibentropy.studies.site_maps import comparison


def show_maps(
    maps: Mapping[str, str | Path],
    *,
    table: str | Path,
    page: str | Path,
    figure: str | Path,
    figure_pdf: str | Path,
    checksums: str | Path,
    config: Mapping[str, Any],
) -> None:
    """Show the maps of atoms' shares of several models side by side.

    Parameters
    ----------
    maps : dict of str to path-like
        By the name of the model, what `vibentropy.run.steps.site_map.map_atoms` wrote.
    table, page, figure, figure_pdf : path-like
        Files to write.
    checksums : path-like
        File to write, of these and of the maps.
    config : dict
        Of the run, as returned by `vibentropy.run.config.validate`.
    """
    frames = {model: list(ase.io.iread(path, index=":")) for model, path in maps.items()}
    tables = [comparison(of_model).assign(model=model) for model, of_model in frames.items()]
    save_table(pd.concat(tables).set_index("model").reset_index(), table)
    write_page(table, page, "Shares of atoms, exact and predicted")
    save_figure(map_figure(frames), figure, figure_pdf, source=origin(config, ["maps"]))
    with atomic(checksums) as path:
        made = {*maps.values(), table, page, figure, figure_pdf}
        path.write_text(checksums_of(made, path.parent), encoding="utf-8")
