"""The program for browsers that the explorer is made of, and what to install where it is not there."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from vibentropy.errors import ConfigError


def viewer_files() -> list[Path]:
    """Find what the page needs of chemiscope: its program for browsers, and the licences of that.

    Returns
    -------
    list of Path

    Raises
    ------
    ConfigError
        If chemiscope is not installed, or is a version that does not have them.
    """
    install = "`pip install -c constraints.txt -e '.[explorer]'` in the repository, or `pip install chemiscope==1.1.0`"
    spec = find_spec("chemiscope")
    if spec is None or spec.origin is None:
        raise ConfigError(f"the explorer is drawn by chemiscope, which is not installed: {install}")
    folder = Path(spec.origin).parent
    found = [folder / "sphinx/static/chemiscope.min.js", folder / "static/chemiscope-widget.mjs.LICENSE.txt"]
    for path in found:
        if not path.is_file():
            raise ConfigError(
                f"chemiscope {version('chemiscope')} has no {path.relative_to(folder)}, which the explorer is made of: "
                f"{install}"
            )
    return found
