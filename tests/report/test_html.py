"""Pages of tables hold what the files do, rounded, and need nothing else."""

import base64
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from vibentropy.report.html import write_page, write_results

#: Telephones draw pages without it as wide as screens, too small to read.
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'


class Reader(HTMLParser):
    """Rows of the tables of a page, and what it would load."""

    def __init__(self, path):
        super().__init__()
        self.rows, self.loads, self.text, self.in_cell = [], [], "", False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.loads += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag):
        self.in_cell &= tag not in ("td", "th")

    def handle_data(self, data):
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


@pytest.fixture
def table(tmp_path):
    columns = {
        "name": ["a <b> & c", "two\nlines, quoted", "∞"],
        "version": ["0.10", "1.2.3", "2.0"],
        "count": [3, -120000, 7],
        "error": [0.123456789, None, -1.5e-11],
        "width": [float("inf"), 123456.789, 2.0],
    }
    pd.DataFrame(columns).to_csv(tmp_path / "a table.csv", index=False)
    return tmp_path / "a table.csv"


def test_page_of_a_table(table, tmp_path):
    write_page(table, tmp_path / "page.html", "Names & numbers")
    page = Reader(tmp_path / "page.html")
    assert page.rows == [
        ["name", "version", "count", "error", "width"],
        ["a <b> & c", "0.10", "3", "0.1235", "∞"],
        ["two\nlines, quoted", "1.2.3", "-120000", "", "123457"],
        ["∞", "2.0", "7", "-1.5e-11", "2"],
    ]
    # The file itself is in the page, and nothing else is loaded.
    (link,) = page.loads
    assert base64.b64decode(link.removeprefix("data:text/csv;base64,")) == table.read_bytes()
    assert "Names & numbers" in page.text
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search("@[A-Z]+@", text)
    assert VIEWPORT in text
    # Numbers are to the right, text to the left.
    assert re.findall(r"<th( class=\"number\")?>", text) == ["", "", *[' class="number"'] * 3]


def test_page_of_a_table_without_rows(tmp_path):
    (tmp_path / "empty.csv").write_text("a,b\n")
    write_page(tmp_path / "empty.csv", tmp_path / "page.html", "Nothing")
    assert Reader(tmp_path / "page.html").rows == [["a", "b"]]


def test_page_of_results(tmp_path):
    text = "| descriptor | held out: MAE | RMSE |\n| --- | --: | --: |\n| `a_1_2` | 0.20 | 0.3 |\n"
    text += "| *published* | *0.18* |  |\n\n"
    write_results(text + "**Too little: b.** Errors in k_B by `run --configfile a&b.yaml`.\n", tmp_path / "page.html")
    page = Reader(tmp_path / "page.html")
    # Names of columns stay together below that of their group.
    assert page.rows == [
        ["descriptor", "held out"],
        ["MAE", "RMSE"],
        ["a_1_2", "0.20", "0.3"],
        ["published", "0.18", ""],
    ]
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<th rowspan="2">descriptor</th><th class="group" colspan="2">held out</th>' in written
    assert VIEWPORT in written
    assert "k<sub>B</sub> by <code>run" in written
    assert "<strong>Too little: b.</strong>" in written
    assert "Errors in kB by run --configfile a&b.yaml." in page.text
    assert page.loads == []
    # The figure is part of the page.
    (tmp_path / "figure.png").write_bytes(b"points")
    write_results(text + "Notes.\n", tmp_path / "page.html", tmp_path / "figure.png")
    (image,) = Reader(tmp_path / "page.html").loads
    assert base64.b64decode(image.removeprefix("data:image/png;base64,")) == b"points"
