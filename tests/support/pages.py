"""What the README, CONTRIBUTING and the pages of docs/ hold: blocks of code, and the commands in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_PATHS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = {str(path.relative_to(ROOT)): path for path in _PATHS}


class Block(NamedTuple):
    """Fenced block of a page.

    Attributes
    ----------
    language : str
    text : str
    file : str
        That the block is of, from a comment above it; empty where there is none.
    """

    language: str
    text: str
    file: str


def blocks(page, *languages):
    """Blocks of a page in these languages, or all, in order."""
    found = re.finditer(r"(?:<!-- file: (\S+) -->\n)?^```(\w+)\n(.*?)^```$", text(page), re.M | re.S)
    return [
        Block(language, code, file or "")
        for file, language, code in (match.groups() for match in found)
        if not languages or language in languages
    ]


def commands(page):
    """Commands that a page shows, without their comments."""
    lines = "".join(block.text for block in blocks(page, "sh")).splitlines()
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines if line.strip()]


def text(page):
    """Text of a page of `PAGES`."""
    return PAGES[page].read_text(encoding="utf-8")
