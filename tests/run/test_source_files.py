"""The files that a script stands on."""

from vibentropy.run.source_files import source_files


def test_imports_for_type_checkers_are_not_followed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        """
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vibentropy.model import EntropyModel


def first():
    from vibentropy import units
"""
    )
    names = [path.rpartition("vibentropy/")[2] for path in source_files(script)]
    assert names == ["__init__.py", "units.py"]
