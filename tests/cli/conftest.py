"""A folder of files, and the commands in it."""

import ase.io
import numpy as np
import pytest
import yaml
from ase.build import bulk
from click.testing import CliRunner
from iron_files import CONFIG, POTENTIAL, ROOT, crystal

from vibentropy import EntropyModel, Potential
from vibentropy.cli import main
from vibentropy.potentials.newton import newton_relax


@pytest.fixture(scope="session")
def vacancies(iron):
    """Relaxed cells with one, two and three vacancies."""
    frames = []
    for number in (1, 2, 3):
        atoms = crystal()
        del atoms[np.arange(number) * 7]
        frames.append(newton_relax(atoms, iron, 1e-6)[0])
    return frames


@pytest.fixture(scope="session")
def shipped():
    return EntropyModel.load()


@pytest.fixture(scope="session")
def folder(tmp_path_factory, vacancies, shipped):
    """Every file that the examples name."""
    folder = tmp_path_factory.mktemp("with a space")
    ase.io.write(folder / "bulk.xyz", crystal(), format="extxyz")
    labelled = [atoms.copy() for atoms in vacancies]
    for atoms, entropy in zip(labelled, (2.6, 5.3, 7.9), strict=True):
        atoms.info["S_f"] = entropy
    ase.io.write(folder / "my.xyz", labelled, format="extxyz")
    ase.io.write(folder / "other.xyz", vacancies[:1], format="extxyz")
    ase.io.write(folder / "defect.xyz", vacancies[0], format="extxyz")
    ase.io.write(folder / "strained_bulk.xyz", crystal(strain=0.01), format="extxyz")
    strained = [atoms.copy() for atoms in vacancies[:1]]
    strained[0].set_cell(crystal(strain=0.01).cell, scale_atoms=True)
    ase.io.write(folder / "strained.xyz", strained, format="extxyz")
    solute = crystal()
    solute.symbols[0] = "P"
    ase.io.write(folder / "solute.xyz", solute, format="extxyz")
    ase.io.write(folder / "solutes.xyz", solute, format="extxyz")
    pair = crystal()
    pair.symbols[1] = "P"
    ase.io.write(folder / "VP.xyz", pair[1:], format="extxyz")
    ase.io.write(folder / "vacancy.xyz", vacancies[0], format="extxyz")
    ase.io.write(folder / "pairs.xyz", vacancies[1], format="extxyz")
    copper = bulk("Cu", a=3.6147, cubic=True) * 2
    ase.io.write(folder / "copper_bulk.xyz", copper, format="extxyz")
    ase.io.write(folder / "copper.xyz", [copper[1:], copper[2:], copper[3:]], format="extxyz")
    (folder / "my").mkdir()
    for number, atoms in enumerate(labelled):
        ase.io.write(folder / f"my/{number}.xyz", atoms, format="extxyz")
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    for path in ("model.h5", "results/models/afs_3_10/ridge.h5"):
        shipped.save(folder / path)
    (folder / "data").mkdir()
    (folder / "data/clusters.h5").symlink_to(ROOT / "data/cells_1024.h5")
    (folder / "data/meam").mkdir()
    (folder / "data/meam/clusters_1.h5").symlink_to(ROOT / "data/meam/cells_1024.h5")
    # A frame that is no number, one of another element, and a file that ends too early.
    spoilt = [vacancies[0].copy(), vacancies[0].copy(), bulk("W", cubic=True) * 3, vacancies[1]]
    spoilt[1].positions[3, 0] = np.nan
    ase.io.write(folder / "bad.xyz", spoilt, format="extxyz")
    lines = (folder / "my.xyz").read_text().splitlines(keepends=True)
    (folder / "cut.xyz").write_text("".join(lines[:-20]))
    return folder


@pytest.fixture
def run(folder, monkeypatch, iron):
    """Run a command in the folder of the files; the potential is represented once for all."""
    monkeypatch.chdir(folder)
    represent = Potential.from_setfl
    known = {(POTENTIAL, ("Fe",)): iron}
    monkeypatch.setattr(Potential, "from_setfl", lambda *given: known.get(given) or represent(*given))

    def run(*arguments, code=0, stdin=None):
        words = [str(argument) for argument in arguments]
        result = CliRunner().invoke(main, words, input=stdin, prog_name="vibentropy")
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run
