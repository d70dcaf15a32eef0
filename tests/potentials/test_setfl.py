import numpy as np
import pytest

from vibentropy.errors import PotentialError
from vibentropy.potentials.embedded_atom import Potential
from vibentropy.potentials.potential_files import find_potential
from vibentropy.potentials.setfl import SetflTable, read_setfl, write_setfl


def numbered(n_elements, style, n_rho=100, n_r=120):
    """A setfl file whose values tell block, function and position."""
    names = ["Fe", "P", "Cr"][:n_elements]
    lines = ["a", "b", "c", " ".join([str(n_elements), *names]), f"{n_rho} 0.1 {n_r} 0.05 6.0"]
    for block in range(n_elements):
        lines.append(f"{26 + block} {50.0 + block} 2.8 bcc")
        lines += [str(1000 * block + i) for i in range(n_rho)]
        for partner in range(n_elements if style == "fs" else 1):
            lines += [str(1000 * block + 100000 * (partner + 1) + i) for i in range(n_r)]
    for a in range(n_elements):
        for b in range(a + 1):
            lines += [str(-1000 * (10 * a + b) - i) for i in range(n_r)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("style", ["fs", "alloy"])
@pytest.mark.parametrize(("element", "index"), [("Fe", 0), ("P", 1), ("Cr", 2)])
def test_functions_of_each_element_are_found(tmp_path, style, element, index):
    path = tmp_path / "numbered.eam"
    path.write_text(numbered(3, style))
    table = read_setfl(path, [element])
    assert (table.masses, table.structures, table.dr) == ((50.0 + index,), ("bcc",), 0.05)
    np.testing.assert_array_equal(table.embedding, [1000 * index + np.arange(100)])
    partner = index if style == "fs" else 0
    np.testing.assert_array_equal(table.density, [[1000 * index + 100000 * (partner + 1) + np.arange(120)]])
    np.testing.assert_array_equal(table.r_times_pair, [[-1000 * (11 * index) - np.arange(120)]])


@pytest.mark.parametrize("style", ["fs", "alloy"])
@pytest.mark.parametrize("elements", [["Fe", "P"], ["Cr", "Fe"], ["P", "Cr", "Fe"]])
def test_functions_of_several_elements_are_found_in_the_order_that_is_asked_for(tmp_path, style, elements):
    path = tmp_path / "numbered.eam"
    path.write_text(numbered(3, style))
    table = read_setfl(path, elements)
    assert (table.elements, table.style) == (tuple(elements), f"eam/{style}")
    blocks = [["Fe", "P", "Cr"].index(element) for element in elements]
    for i, at in enumerate(blocks):
        for k, of in enumerate(blocks):
            # In a file of eam/fs they stand with the atom that they are due to.
            partner = at if style == "fs" else 0
            np.testing.assert_array_equal(table.density[i, k], 1000 * of + 100000 * (partner + 1) + np.arange(120))
            pair = 10 * max(at, of) + min(at, of)
            np.testing.assert_array_equal(table.r_times_pair[i, k], -1000 * pair - np.arange(120))


def test_written_table_is_read_back_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    functions = rng.normal(size=(1, 200)), rng.normal(size=(1, 1, 200)), rng.normal(size=(1, 1, 200))
    table = SetflTable(("Fe",), (55.845,), (2.8553,), ("bcc",), 0.05, 0.0265, 5.3, *functions)
    write_setfl(tmp_path / "table.eam.alloy", table, "test")
    back = read_setfl(tmp_path / "table.eam.alloy", ["Fe"])
    for name in ("embedding", "density", "r_times_pair"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    assert (back.drho, back.dr, back.r_cut, back.masses) == (0.05, 0.0265, 5.3, (55.845,))


@pytest.mark.parametrize("style", ["fs", "alloy"])
def test_written_tables_of_several_elements_are_read_back(tmp_path, style):
    (tmp_path / "numbered.eam").write_text(numbered(3, style))
    table = read_setfl(tmp_path / "numbered.eam", ["Cr", "P"])
    write_setfl(tmp_path / "again.eam", table, "test")
    back = read_setfl(tmp_path / "again.eam", ["Cr", "P"])
    assert (back.elements, back.masses, back.structures, back.style) == (
        *(table.elements, table.masses, table.structures),
        table.style,
    )
    for name in ("embedding", "density", "r_times_pair"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "truncated"),
        (lambda text: "\n".join(text.split("\n")[:3]), "not a setfl file"),
        (lambda text: text.replace("100 0.1 120 0.05 6.0", "100 0.1 120 0.05"), "not a setfl file"),
        (lambda text: text.replace("100 0.1 120 0.05 6.0", "100 -0.1 120 0.05 6.0"), "positive steps"),
        (lambda text: text.replace("3 Fe P Cr", "3 Fe P"), "announces 3 elements"),
        (lambda text: text.replace("\n17\n", "\nnan\n", 1), "value 17 of the embedding function of Fe is nan"),
        (lambda text: text.replace("\n17\n", "\nx17\n", 1), "x17"),
        (lambda text: text.replace("Fe", "Ni"), "holds Ni, P, Cr, not Fe"),
    ],
)
def test_faulty_files_are_refused_with_the_reason(tmp_path, spoil, message):
    path = tmp_path / "faulty.eam.fs"
    path.write_text(spoil(numbered(3, "fs")))
    with pytest.raises(PotentialError, match=message) as error:
        read_setfl(path, ["Fe"])
    assert str(path) in str(error.value)


def test_binary_file_is_refused(tmp_path):
    path = tmp_path / "binary"
    path.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(PotentialError, match="not a setfl file"):
        read_setfl(path, ["Fe"])


def test_residuals_of_the_iron_tables_are_their_rounding(iron):
    residuals = iron.residuals().set_index("function")
    assert (residuals["max_residual"] < 1e-8).all()
    assert (residuals["max_residual"] < 30 * residuals["table_rounding"]).all()
    # The jump of V'' by 13 eV/Å² at 2.05 Å is the potential's own.
    _, _, curvature = iron.functions["pair"]([2.0499, 2.0501])
    assert curvature[0] - curvature[1] == pytest.approx(13.2, abs=0.2)
    # F is -sqrt(ρ) + a ρ² + b ρ⁴ to 4e-9.
    rho = np.linspace(5.0, 60.0, 50)
    value, slope, curvature = iron.embedding_of(rho, np.zeros(len(rho), np.int64))
    a, b = np.linalg.lstsq(np.stack([rho**2, rho**4], 1), value + np.sqrt(rho), rcond=None)[0]
    assert np.abs(slope - (-0.5 / np.sqrt(rho) + 2 * a * rho + 4 * b * rho**3)).max() < 1e-8
    assert np.abs(curvature - (0.25 * rho**-1.5 + 2 * a + 12 * b * rho**2)).max() < 1e-7


@pytest.mark.parametrize(
    ("file", "element"), [("Fe_mm.eam.fs", "Fe"), ("Al_mm.eam.fs", "Al"), ("Cu_mishin1.eam.alloy", "Cu")]
)
def test_other_elements_are_represented(file, element):
    residuals = Potential.from_setfl(file, element).residuals()
    assert (residuals["max_residual"] < 1e-7).all()


def test_elements_without_the_word_for_their_lattice_are_read(tmp_path):
    path = tmp_path / "numbered.eam.fs"
    path.write_text(numbered(3, "fs").replace("27 51.0 2.8 bcc", "27 51.0 2.8"))
    phosphorus, chromium = read_setfl(path, ["P"]), read_setfl(path, ["Cr"])
    assert (phosphorus.structures, phosphorus.masses, chromium.structures) == (("",), (51.0,), ("bcc",))
    np.testing.assert_array_equal(phosphorus.embedding[0], 1000 + np.arange(100))
    np.testing.assert_array_equal(chromium.density[0, 0], 2000 + 300000 + np.arange(120))
    # One that ships: the line of oxygen, whose crystal nobody made.
    assert read_setfl(find_potential("NiO.eam.fs"), ["O"]).structures == ("",)
