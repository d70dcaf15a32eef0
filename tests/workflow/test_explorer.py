"""`snakemake explorer`: its page opened without a network and clicked, by itself and in the report of a run."""

from pathlib import Path

import pandas as pd
import pytest
from browser import chromium, complaints, needs_browser, requests, resize, wait_until
from workflow_runs import TINY, snakemake

pytestmark = pytest.mark.slow

CONFIG = TINY | {"results": "results"}
#: Whether the page is there: whatever went wrong stands in its place.
READY = (
    "const said = document.getElementById('message'); "
    "return said && (said.hidden || !said.textContent.startsWith('Unpacking'))"
)
#: What chemiscope shows, in pages and frames alike: text of the number of the cell, and of the axes of the map.
NUMBER = "document.getElementById('info').firstElementChild.shadowRoot.querySelector('input').value"
AXES = "[...document.getElementById('map').firstElementChild.shadowRoot.querySelectorAll('.xtitle, .ytitle')]"


def view(browser, name):
    """Choose a view by its button; texts of the axes of the map."""
    browser.find_element("xpath", f"//nav/button[text()='{name}']").click()
    wait_until(browser, "return [...document.querySelectorAll('nav button')].every(button => !button.disabled)", 300)
    pressed = browser.find_elements("css selector", "nav button[aria-pressed=true]")
    assert [button.text for button in pressed] == [name]
    return browser.execute_script(f"return {AXES}.map(title => title.textContent)")


@needs_browser
def test_the_page_is_clicked_without_a_network(tiny_again, tmp_path):
    pytest.importorskip("chemiscope")
    # Learning curves are on the page of a run that has them; without, it takes no fits to make.
    code, output = snakemake(tiny_again, CONFIG, "explorer", "-n")
    assert code == 0, output
    assert "learning" not in output
    for target in ("learning", "explorer"):
        code, output = snakemake(tiny_again, CONFIG, target)
        assert code == 0, output
    page = tiny_again / "results/explorer.html"
    assert page.stat().st_size < 3e6
    report = tmp_path / "report.html"
    code, output = snakemake(tiny_again, CONFIG, "explorer", "--report", report)
    assert code == 0, output
    rows = pd.read_csv(tiny_again / "results/predictions/afs_2_3/ridge.csv")
    n_cells = rows.loc[rows["stage"] != "training", "id"].nunique()

    # 3D without a graphics card: a quarter of the pixels is drawn in a quarter of the time.
    with chromium(tmp_path / "chromium", "--enable-unsafe-swiftshader") as browser:
        resize(browser, 1280, scale=0.5)
        browser.get(page.as_uri())
        wait_until(browser, READY, 300)
        assert not browser.find_element("id", "message").is_displayed()
        assert f"{n_cells} cells of Fe" in browser.find_element("tag name", "p").text
        buttons = [button.text for button in browser.find_elements("css selector", "nav button")]
        assert buttons == ["Predicted against exact", "Errors against defects", "Shares of atoms", "Learning curves"]
        axes = browser.execute_script(f"return {AXES}.map(title => title.textContent)")
        assert "exact entropy" in axes[0]
        assert "predicted by afs_2_3/" in axes[1]
        assert "point defects" in view(browser, "Errors against defects")[0]
        # A number of a cell that is typed chooses it.
        browser.execute_script(f"const number = {NUMBER.removesuffix('.value')}; number.value = 3; number.onchange()")
        assert "distance from the defect" in view(browser, "Shares of atoms")[0]
        assert browser.execute_script(f"return {NUMBER}") == "3"
        assert "exact entropy" in view(browser, "Predicted against exact")[0]
        # In place of map and atoms, and they come back.
        map_and_atoms, curves = (browser.find_element("css selector", of) for of in ("main", "#curves img"))
        assert not curves.is_displayed()
        button = browser.find_element("xpath", "//nav/button[text()='Learning curves']")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert curves.is_displayed()
        assert curves.get_property("naturalWidth") > 500
        assert not map_and_atoms.is_displayed()
        assert "exact entropy" in view(browser, "Predicted against exact")[0]
        assert not curves.is_displayed()
        # Something is drawn of the atoms.
        assert browser.execute_script(
            "return document.querySelector('#structure canvas, #structure > div') !== null && "
            "document.getElementById('structure').clientHeight > 300"
        )
        resize(browser, 390, scale=0.5)
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        assert complaints(browser) == []
        asked = requests(browser)
        assert page.as_uri() in asked

        resize(browser, 1280, scale=0.5)
        browser.get(report.as_uri())
        browser.find_element("xpath", "//nav//*[text()='5 Atoms'] | //li//*[text()='5 Atoms']").click()
        browser.find_element("xpath", "//tr[td[contains(., 'Explorer')]]//a").click()
        browser.switch_to.frame(browser.find_element("css selector", "#app iframe"))
        wait_until(browser, READY, 300)
        assert not browser.find_element("id", "message").is_displayed()
        # Narrower than the page: atoms below the map, not on it.
        assert browser.execute_script(
            "const [map, atoms] = ['map', 'structure'].map(id => document.getElementById(id).getBoundingClientRect());"
            "return map.height > 300 && (atoms.top >= map.bottom || atoms.left >= map.right)"
        )
        assert "point defects" in view(browser, "Errors against defects")[0]
        asked += requests(browser)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:", "chrome:"))] == []


def test_without_chemiscope_nothing_is_begun(tmp_path, monkeypatch):
    """And the message says what to install."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as of\nfind = of.find_spec\n"
        "of.find_spec = lambda name, *more: None if name == 'chemiscope' else find(name, *more)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    code, output = snakemake(tmp_path / "run", CONFIG, "explorer")
    assert code != 0
    assert "pip install -c constraints.txt -e '.[explorer]'" in output
    assert not list(Path(tmp_path / "run").glob("results/**/*.h5"))
    # Snakemake says in which rule; one of Python would say more.
    assert "Traceback (most recent call last)" not in output
