"""Files are written atomically."""

import pytest

from vibentropy.errors import OutputError
from vibentropy.files.atomic import atomic


def test_two_writers_of_one_file(tmp_path):
    path = tmp_path / "table.csv"
    with atomic(path) as temporary:
        temporary.write_text("first")
        with pytest.raises(OutputError, match="another process is writing it"), atomic(path) as temporary:
            temporary.write_text("second")
    assert path.read_text() == "first"
    with atomic(path) as temporary:
        temporary.write_text("third")
    assert path.read_text() == "third"
    assert list(tmp_path.iterdir()) == [path]
