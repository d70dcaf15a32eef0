"""The documentation site: built without a warning, opened in a browser that has no network, its links followed."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from browser import CHROMIUM, DRIVER, chromium, complaints, requests, resize, wait_until
from pages import ROOT, text

import vibentropy
from vibentropy import cli, descriptors
from vibentropy.learning.registry import REGRESSORS

pytest.importorskip("sphinx", reason="no Sphinx: `pip install -e '.[docs]'` (.ci/run docs has it)")

pytestmark = pytest.mark.slow

#: Attributes that name what a browser loads with a page, by element.
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "use": "href"}


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that links may name."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in LOADED and given.get(LOADED[tag]):
            self.loaded.append(given[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site, made by the command of CONTRIBUTING.md."""
    folder = tmp_path_factory.mktemp("site")
    (command,) = re.findall(r"^sphinx-build (.*) docs docs/_build$", text("CONTRIBUTING.md"), re.M)
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            *command.split(),
            "--quiet",
            "-d",
            folder / "doctrees",
            "docs",
            folder / "html",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    """Pages of the site by path."""
    return {path: Page(path) for path in site.rglob("*.html")}


def shown(site, page):
    """Text of a page, without its menus."""
    source = (site / page).read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>", "", re.search(r"<article.*?</article>", source, re.S)[0])


def test_every_page_of_the_folder_is_on_the_site(site, pages):
    for source in (ROOT / "docs").rglob("*.md"):
        page = site / source.relative_to(ROOT / "docs").with_suffix(".html")
        assert page in pages
    # Whole, not copied: the last words of what is included are there.
    for file, page in (("README.md", "index"), ("CONTRIBUTING.md", "contributing"), ("data/README.md", "data")):
        heading = re.findall(r"^## (.*)$", (ROOT / file).read_text(encoding="utf-8"), re.M)[-1]
        assert heading in shown(site, f"{page}.html")


@pytest.mark.parametrize("notebook", sorted(path.stem for path in (ROOT / "docs/notebooks").glob("*.md")))
def test_notebooks_show_what_their_cells_print(site, notebook):
    cells = len(re.findall(r"^```{code-cell}$", (ROOT / f"docs/notebooks/{notebook}.md").read_text("utf-8"), re.M))
    source = (site / f"notebooks/{notebook}.html").read_text(encoding="utf-8")
    outputs = len(re.findall(r'<div class="cell_output', source))
    assert (notebook == "index") == (cells == 0)
    # Cells that only define something print nothing.
    assert cells / 3 <= outputs <= cells
    assert "Traceback" not in source


@pytest.mark.parametrize("example", sorted(path.stem for path in (ROOT / "docs/gallery").glob("*.py")))
def test_the_gallery_has_a_figure_and_the_code_of_each_example(site, pages, example):
    page = pages[site / f"gallery_of_figures/{example}.html"]
    assert any(Path(address).name.startswith(f"sphx_glr_{example}_001") for address in page.loaded)
    assert "import vibentropy" in shown(site, f"gallery_of_figures/{example}.html") or example == "plot_infinite"
    assert any(Path(link).name.startswith(example) for link in pages[site / "gallery_of_figures/index.html"].links)


def test_links_and_their_anchors_exist(site, pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and anchor not in pages[target].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_files_of_the_repository_are_linked_to_their_pages(pages, site):
    """And not to copies, where there is a page."""
    links = pages[site / "index.html"].links + pages[site / "contributing.html"].links
    assert {"contributing.html", "citing.html", "tutorial.html", "descriptors.html#add-a-descriptor"} <= set(links)
    assert "configuration.html" in pages[site / "configurations.html"].links
    copies = {Path(link).name for page in pages.values() for link in page.links if "_downloads/" in link}
    assert "figures.yaml" in copies
    assert {name for name in copies if name.endswith((".md", ".cff"))} == set()


def test_pages_load_nothing_from_elsewhere(site, pages):
    for path, page in pages.items():
        for address in page.loaded:
            parts = urlsplit(address)
            assert not parts.scheme or parts.scheme == "data", f"{path.name}: {address}"
            assert not parts.netloc, f"{path.name}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\W*(https?:)?//|@import", style.read_text(encoding="utf-8")), style


def test_public_names_are_in_the_reference(pages, site):
    python = pages[site / "api/index.html"].ids
    assert {f"vibentropy.{name}" for name in vibentropy.__all__} <= python
    named = pages[site / "api/descriptors.html"].ids
    assert {f"vibentropy.descriptors.{name}" for name in set(descriptors.__all__) - {"REGISTRY"}} <= named
    assert {place.replace(":", ".") for place in descriptors.REGISTRY.values()} <= named
    assert {place.replace(":", ".") for place in REGRESSORS.values()} <= pages[site / "api/regressors.html"].ids
    protocols = pages[site / "api/protocols.html"].ids
    assert {"vibentropy.potentials.protocols.Interaction", "vibentropy.sources.source.Source"} <= protocols


def test_commands_and_their_options_are_in_the_reference(site):
    reference = shown(site, "cli.html")
    for command in cli.main.commands.values():
        for parameter in command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option in reference


def test_keys_of_configurations_are_in_the_reference(pages, site):
    anchors = pages[site / "configuration.html"].ids
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    assert {f"config-{name.replace('_', '-')}" for name in schema["properties"]} <= anchors
    # Behind references, conditions, lists and names of the user's.
    for path in (
        "potential-pair-coeff",
        "datasets-name-recipe-defects-name-mixture-shape",
        "datasets-name-recipe-anneal-time-step",
        "descriptors-name-afs-n-max",
        "descriptors-name-union-parts-name",
        "regressors-name-ridge-penalties",
        "labels-duplicates-energy",
    ):
        assert f"config-{path}" in anchors
    reference = shown(site, "configuration.html")
    assert "number &gt; 0; default 0.0001" in reference
    assert "train | test; required" in reference


# --- In a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium without a network."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("no browser: `apt-get install chromium chromium-driver` (.ci/run has them)")
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "page",
    [
        "index",
        "theory",
        "api/index",
        "cli",
        "configuration",
        "faq",
        "from_lammps",
        "notebooks/own_files",
        "notebooks/five_steps",
        "gallery_of_figures/index",
        "gallery_of_figures/plot_map",
    ],
)
def test_pages_are_shown_without_a_network(site, browser, page, width):
    resize(browser, width)
    requests(browser)
    browser.get((site / f"{page}.html").as_uri())
    assert browser.find_element("css selector", "article h1").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    wait_until(browser, "return [...document.querySelectorAll('article img')].every(image => image.naturalWidth > 0)")
    if page == "theory":
        # MathJax has drawn every formula, and none of them in red.
        formulas = "document.querySelectorAll('article .math').length"
        drawn = "document.querySelectorAll('article mjx-container svg').length"
        wait_until(browser, f"return {formulas} > 100 && {drawn} == {formulas}")
        assert browser.execute_script("return document.querySelectorAll('[data-mjx-error]').length") == 0
    addresses = requests(browser)
    assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
    assert complaints(browser) == []


def test_the_search_finds_pages(site, browser):
    browser.get((site / "search.html").as_uri() + "?q=formation_entropy")
    assert browser.find_element("css selector", "#search-results li a").is_displayed()
    titles = [found.text for found in browser.find_elements("css selector", "#search-results li a")]
    assert any("formation_entropy" in title for title in titles)
    browser.get((site / "search.html").as_uri() + "?q=phonopy")
    browser.find_element("link text", "Frequently asked questions").click()
    assert "/faq.html" in browser.current_url
