"""Tables as pages that a browser shows, for the report of a run."""

import base64
import csv
import io
import re
from html import escape
from importlib.resources import files
from pathlib import Path

from vibentropy.files.atomic import atomic

#: Significant digits of numbers that are no integers.
DIGITS = 4


def write_page(table: str | Path, page: str | Path, title: str) -> None:
    """Write the page of HTML of a table that is there as CSV, which needs no other file and no network.

    Parameters
    ----------
    table : path-like
        CSV in UTF-8 with names of columns.
    page : path-like
    title : str

    Notes
    -----
    Numbers are rounded to `DIGITS` digits. The page has the file itself, too, to be saved; rows can be sorted by a
    column and filtered by words.
    """
    content = Path(table).read_bytes()
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    numeric = _numeric(header, rows)
    shown = [[_rounded(cell) if number else cell for cell, number in zip(row, numeric, strict=True)] for row in rows]
    filled = {
        "TITLE": escape(title),
        "COUNT": str(len(rows)),
        "FILE": escape(Path(table).name),
        "CSV": base64.b64encode(content).decode("ascii"),
        "TABLE": _table(header, shown),
    }
    _write(page, re.sub("@([A-Z]+)@", lambda name: filled[name[1]], _template()))


def write_results(markdown: str, page: str | Path, figure: str | Path | None = None) -> None:
    """Write a page with the table of results and what its columns mean.

    Parameters
    ----------
    markdown : str
        As from `vibentropy.report.results_table.results_page`: one table, then one paragraph, with code and emphasis.
        Columns ``group: name, name, ...`` get a heading of two lines, that of the group above its names.
    page : path-like
    figure : path-like, optional
        PNG to show above the table; the page holds a copy.
    """
    table, _, notes = markdown.strip().partition("\n\n")
    header, _, *rows = (line.removeprefix("| ").removesuffix(" |").split(" | ") for line in table.splitlines())
    template = _template()
    (style,) = re.findall("<style>.*</style>", template, re.DOTALL)
    (settings,) = re.findall("<meta charset.*(?=<title>)", template, re.DOTALL)
    parts = [f'<!doctype html>\n<html lang="en">\n{settings}<title>Results</title>', style]
    parts.append('<div class="vibentropy results">')
    if figure is not None:
        content = base64.b64encode(Path(figure).read_bytes()).decode("ascii")
        parts.append(f'<img alt="Predicted against exact entropies" src="data:image/png;base64,{content}">')
    parts += [_marked_up(_table(header, rows, grouped=True)), f"<p>{_marked_up(escape(notes))}</p>"]
    _write(page, "\n".join([*parts, "</div>\n</html>\n"]))


def _write(page, text):
    """Write a page whole or not at all."""
    with atomic(page) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _template():
    """Page with places for a title, a table, and its file."""
    return (files("vibentropy.report") / "table_page.html").read_text(encoding="utf-8")


def _table(header, rows, grouped=False):
    """Table in HTML; columns of numbers are aligned to the right, and those of one group may have a common heading."""
    kinds = [' class="number"' if number else "" for number in _numeric(header, rows)]
    head = _grouped(header, kinds) if grouped else [_row("th", header, kinds)]
    lines = ["<table>", "<thead>", *head, "</thead>", "<tbody>"]
    lines += [_row("td", row, kinds) for row in rows]
    return "\n".join([*lines, "</tbody>", "</table>"])


def _grouped(header, kinds):
    """Two rows of headings: what stands before a colon is above all that follows, up to the next."""
    groups: list[tuple[str, list[str]]] = []
    for cell, kind in zip(header, kinds, strict=True):
        group, colon, name = cell.rpartition(": ")
        if colon:
            groups.append((group, []))
        if groups:
            groups[-1][1].append(f"<th{kind}>{escape(name)}</th>")
    n_alone = len(header) - sum(len(names) for _, names in groups)
    alone = "".join(
        f'<th{kind} rowspan="2">{escape(cell)}</th>' for cell, kind in zip(header[:n_alone], kinds, strict=False)
    )
    above = "".join(f'<th class="group" colspan="{len(names)}">{escape(group)}</th>' for group, names in groups)
    return [f"<tr>{alone}{above}</tr>", f"<tr>{''.join(name for _, names in groups for name in names)}</tr>"]


def _row(tag, cells, kinds):
    """Row of a table, its cells escaped."""
    cells = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def _numeric(header, rows):
    """For each column, whether there is nothing but numbers in it: a version is none where others have more points."""
    return [all(_is_number(row[k]) for row in rows) for k in range(len(header))]


def _is_number(cell):
    """Whether a cell is a number or missing; emphasis does not count."""
    try:
        float(cell.strip("*").replace("∞", "inf") or "nan")
    except ValueError:
        return False
    return True


def _rounded(cell):
    """Round a number that is no integer."""
    if not cell or cell.lstrip("-").isdigit():
        return cell
    value = float(cell)
    return f"{value:.0f}" if 10**DIGITS <= abs(value) < 10**7 else f"{value:.{DIGITS}g}".replace("inf", "∞")


def _marked_up(text):
    """Code, emphasis and units of Markdown in text that is HTML otherwise."""
    text = re.sub(r"\bk_B\b", "k<sub>B</sub>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"`([^`]*)`", r"<code>\1</code>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
