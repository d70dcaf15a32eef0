"""A browser without a window for tests of pages, and what it asked for."""

import json
import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")

#: Mark of tests that cannot do without.
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no browser: `apt-get install chromium chromium-driver` (.ci/run has them)"
)


@contextmanager
def chromium(folder, *arguments):
    """Open Chromium, which notes what pages load and what they complain of.

    Parameters
    ----------
    folder : path-like
        Of what it keeps.
    *arguments : str
        Further ones of its command line.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", f"--user-data-dir={folder}", *arguments):
        options.add_argument(argument)
    # A machine of tests may be a container, which has neither name spaces nor much shared memory.
    options.add_argument("--no-sandbox")
    options.add_argument("--disable-dev-shm-usage")
    # No name is found and no connection made.
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as browser:
        browser.implicitly_wait(20)
        # Machines of tests may draw in software, beside other tests.
        browser.set_script_timeout(300)
        yield browser


def requests(browser):
    """Addresses that the browser asked for since this was last called."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]


def complaints(browser):
    """Errors of pages since this was last called."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def resize(browser, width, height=900, scale=1):
    """Show pages as on a screen, or on a telephone where it is narrow; `scale` is how many pixels are drawn for one."""
    size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 1000}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wait_until(browser, script, seconds=60):
    """Wait until a script returns something true."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, seconds).until(lambda browser: browser.execute_script(script))
