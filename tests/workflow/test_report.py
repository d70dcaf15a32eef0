"""The report of a run as a browser shows it: figures, tables, captions, provenance, and nothing from elsewhere."""

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from browser import chromium, complaints, needs_browser, requests, resize

pytestmark = [pytest.mark.slow, needs_browser]

#: Figures and tables of the tiny run by the category that they are shown in.
EXPECTED = {
    "1 Results": {
        "figures/extrapolation.png",
        "figures/parity.png",
        "results.html",
        "summary.html",
        "tables/metrics.html",
    },
    "2 Error bars": {"figures/reliability.png", "tables/coverage.html"},
    "3 Data": {"figures/labels.png", "potential/residuals.html", "tables/features.html", "tables/outcomes.html"},
    "Provenance": {"provenance.html"},
}


@pytest.fixture(params=["html", "zip"])
def page(request, tiny_again, tmp_path):
    """File of the report, of each kind that Snakemake makes."""
    from workflow_runs import TINY, snakemake

    report = tmp_path / f"report.{request.param}"
    code, output = snakemake(tiny_again, TINY | {"results": "results"}, "--report", report)
    assert code == 0, output
    if request.param == "zip":
        with zipfile.ZipFile(report) as archive:
            archive.extractall(tmp_path)
        return tmp_path / "report/report.html"
    return report


@pytest.fixture
def browser(tmp_path):
    """Chromium without a network, as wide as its menu and a figure."""
    with chromium(tmp_path / "chromium", "--window-size=1400,900") as browser:
        yield browser


def entries(browser, category):
    """Open a category from the first page; buttons that show a result, and that show its caption, by its title."""
    browser.execute_script("window.scrollTo(0, 0)")
    # By a script, not at a place: the rule graph moves the menu while it is drawn, and a neighbour would be opened.
    button = browser.find_element("xpath", f"//nav//*[text()='{category}'] | //li//*[text()='{category}']")
    browser.execute_script("arguments[0].click()", button)
    rows = browser.find_elements("xpath", "//table[.//th[text()='result']]/tbody/tr")
    return {row.find_element("tag name", "td").text: row.find_elements("tag name", "a") for row in rows}


def test_every_figure_and_table_is_shown_and_nothing_comes_from_elsewhere(page, tiny, browser):
    browser.get(page.as_uri())
    # First page: results, provenance, and where the rest is.
    text = browser.find_element("class name", "document").text
    recorded = json.loads((tiny / "provenance.json").read_text(encoding="utf-8"))
    for words in ("Trained on\ntrain", "afs_2_3", "held out", recorded["config_sha256"], "FeP_mm.eam.fs"):
        assert words in text
    assert "System Message" not in text
    assert browser.find_elements("css selector", "#rulegraph canvas, #rulegraph svg")
    (title,) = browser.find_elements("css selector", ".document h1.title")
    assert title.rect["y"] >= 0

    results = browser.execute_script("return results")
    shown = {str(Path(path).relative_to("results")): path for path in results}
    assert set(shown) == set().union(*EXPECTED.values())
    for path, result in results.items():
        assert len(result["caption"]) > 100, path
        assert "system-message" not in result["caption"], path

    for category, files in EXPECTED.items():
        buttons = entries(browser, category)
        titles = {results[shown[file]]["labels"]["result"]: file for file in files}
        assert list(buttons) == sorted(titles)
        for label, file in titles.items():
            assert label.startswith("Figure: " if file.endswith(".png") else "Table: ")
            buttons[label][0].click()
            if file.endswith(".png"):
                image = browser.find_element("css selector", "#app img[src^='data:image/png'], #app img[src$='.png']")
                browser.execute_async_script("arguments[0].decode().then(arguments[1], arguments[1])", image)
                assert image.get_property("naturalWidth") >= 1000
                # All of it at once, not cut.
                assert image.rect["y"] >= 0
                assert 0 < image.rect["height"] <= 900
                assert abs(image.rect["width"] / image.rect["height"] - aspect(tiny / file)) < 0.02
            else:
                browser.switch_to.frame(browser.find_element("css selector", "#app iframe"))
                assert_table(browser, tiny / file)
                browser.switch_to.default_content()
        # A caption beside what it is about.
        buttons[label][1].click()
        assert browser.find_element("xpath", "//*[text()='Description']")
        browser.get(page.as_uri())

    assert complaints(browser) == []
    loaded = requests(browser)
    assert page.as_uri() in loaded
    assert [url for url in loaded if not url.startswith(("file:", "data:", "blob:", "chrome:"))] == []


@pytest.mark.parametrize("page", ["html"], indirect=True)
def test_on_a_telephone_the_menu_stands_above_what_it_opens(page, browser):
    resize(browser, 390)
    browser.get(page.as_uri())
    menu, shown = places(browser, "#app nav", "#app .document")
    assert menu["bottom"] <= shown["top"] < 500
    assert 0 <= shown["left"] < shown["right"] <= 390
    buttons = entries(browser, "1 Results")
    browser.execute_script("arguments[0].click()", next(iter(buttons.values()))[0])
    image = browser.find_element("css selector", "#app img[src^='data:image/png'], #app img[src$='.png']")
    browser.execute_async_script("arguments[0].decode().then(arguments[1], arguments[1])", image)
    menu, shown = places(browser, "#app nav", "#app div.p-3 > img")
    assert menu["bottom"] <= shown["top"] < 500
    assert shown["right"] - shown["left"] > 300


def places(browser, *selectors):
    """Rectangles of the first element that each selector finds, in pixels of the window."""
    ask = "return arguments[0].map(of => document.querySelector(of).getBoundingClientRect().toJSON())"
    return browser.execute_script(ask, selectors)


def aspect(image):
    """Width over height of a PNG."""
    header = image.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big") / int.from_bytes(header[4:], "big")


def rows_of(browser):
    """Texts of the rows of a table that are visible."""
    rows = browser.find_elements("css selector", "tbody tr:not([hidden])")
    return [[cell.text for cell in row.find_elements("tag name", "td")] for row in rows]


def assert_table(browser, file):
    """A page of a table shows its rows, sorts and filters them, and hands out the file."""
    assert browser.find_element("css selector", "table").is_displayed()
    if file.name == "results.html":
        markdown = (file.parent / "summary.md").read_text(encoding="utf-8")
        assert len(rows_of(browser)) == markdown.count("\n|") - 1
        return
    table = pd.read_csv(file.with_suffix(".csv"), dtype=str, keep_default_na=False)
    count = browser.execute_script("return document.querySelectorAll('tbody tr').length")
    assert count == len(table)
    headings = browser.find_elements("tag name", "th")
    assert [heading.text for heading in headings] == list(table)
    link = browser.find_element("css selector", "a[download]")
    assert link.get_attribute("download") == file.with_suffix(".csv").name
    if file.name == "metrics.html":
        at = list(table).index("mae")
        for order in ("ascending", "descending"):
            headings[at].click()
            assert headings[at].get_attribute("aria-sort") == order
            values = [float(row[at]) for row in rows_of(browser)]
            assert values == sorted(values, reverse=order == "descending")
        browser.find_element("tag name", "input").send_keys("ridge defect_class V3")
        found = rows_of(browser)
        expected = table[(table["by"] == "defect_class") & (table["value"] == "V3")]
        assert len(found) == len(expected) > 1
        assert {row[list(table).index("value")] for row in found} == {"V3"}
