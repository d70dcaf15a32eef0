"""What the explorer needs of chemiscope."""

import sys

import pytest

from vibentropy.errors import ConfigError
from vibentropy.report import viewer
from vibentropy.report.viewer import viewer_files


def test_who_has_no_chemiscope_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(viewer, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"chemiscope, which is not installed: `pip install -c constraints\.txt -e "):
        viewer_files()
    monkeypatch.undo()
    # Another version, which has not the files.
    (tmp_path / "chemiscope").mkdir()
    (tmp_path / "chemiscope/__init__.py").touch()
    monkeypatch.delitem(sys.modules, "chemiscope", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(viewer, "version", lambda name: "0.5")
    with pytest.raises(ConfigError, match=r"chemiscope 0\.5 has no sphinx/static/chemiscope\.min\.js"):
        viewer_files()
