"""Tables as CSV: what is written is what is read, whatever names look like."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vibentropy.errors import DataError
from vibentropy.files.tables import read_table, save_table

ROOT = Path(__file__).resolve().parents[2]

TYPES = {"name": str, "n": int, "error": float, "asks": bool, "atoms": "Int64"}

#: Names that pandas takes for numbers or for missing values.
ODD_NAMES = ["10", "1e3", "NA", "nan", "None", "", "True", "-", "a,b", 'say "x"', "0x10", "inf"]


@pytest.fixture
def table():
    number = np.arange(len(ODD_NAMES))
    return pd.DataFrame(
        {
            "name": ODD_NAMES,
            "n": number,
            "error": np.where(number % 3, 1 / (number + 3.0), np.nan),
            "asks": number % 2 == 0,
            "atoms": pd.array([None, *number[1:]], dtype="Int64"),
        }
    )


def test_what_is_written_is_read(table, tmp_path):
    save_table(table, tmp_path / "a.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv", columns=TYPES), table, check_exact=True)
    twice = read_table(tmp_path / "a.csv", tmp_path / "a.csv", columns=TYPES)
    pd.testing.assert_frame_equal(twice, pd.concat([table, table], ignore_index=True), check_exact=True)


def test_other_columns_have_the_type_that_is_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("name,n,x,y\n10,1,2,\n20,2,3,4\n")
    types = {"name": str, "n": int}
    as_text = read_table(tmp_path / "a.csv", columns=types)
    assert as_text[["x", "y"]].to_numpy().tolist() == [["2", ""], ["3", "4"]]
    as_numbers = read_table(tmp_path / "a.csv", columns=types, others=float)
    np.testing.assert_array_equal(as_numbers[["x", "y"]], [[2.0, np.nan], [3.0, 4.0]])


def test_optional_columns_are_empty_where_a_file_lacks_them(tmp_path):
    (tmp_path / "old.csv").write_text("name\nNA\n")
    (tmp_path / "new.csv").write_text("name,low,domain\n1e3,0.5,far\n")
    optional = {"low": float, "domain": str}
    read = read_table(tmp_path / "old.csv", tmp_path / "new.csv", columns={"name": str}, optional=optional)
    assert list(read["name"]) == ["NA", "1e3"]
    np.testing.assert_array_equal(read["low"], [np.nan, 0.5])
    assert list(read["domain"]) == ["", "far"]


def test_a_table_without_rows_has_its_types(tmp_path):
    (tmp_path / "a.csv").write_text("name,n,error,asks,atoms\n")
    assert [dtype.kind for dtype in read_table(tmp_path / "a.csv", columns=TYPES).dtypes[1:]] == list("ifbi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,n\na,1\nb,x\n", r"a\.csv: column 'n' holds 'x' in line 3, expected a whole number"),
        ("name,n\na,1.5\n", r"a\.csv: column 'n' holds '1\.5' in line 2, expected a whole number"),
        ("name,n\na\n", r"a\.csv: column 'n' holds '' in line 2, expected a whole number"),
        ("name,n,error\na,1,much\n", r"a\.csv: column 'error' holds 'much' in line 2, expected a number or nothing"),
        ("name,n,asks\na,1,yes\n", r"a\.csv: column 'asks' holds 'yes' in line 2, expected True or False"),
        ("name,m\na,1\n", r"a\.csv: not a table of tests, it has no column n; there are name, m"),
        ("name,n\na,1,2\n", r"a\.csv: not a table of tests \("),
        ("name,n\na,1\nb,2,3\n", r"a\.csv: not a table of tests \("),
        ("", r"a\.csv: not a table of tests \("),
    ],
)
def test_faulty_tables_are_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    optional = {"error": float, "asks": bool}
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "a.csv", columns={"name": str, "n": int}, optional=optional, kind="a table of tests")


def test_missing_files_and_binary_ones_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: no such file, expected a table of tests"):
        read_table(tmp_path / "none.csv", columns={}, kind="a table of tests")
    (tmp_path / "a.csv").write_bytes(b"name,n\n\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"a\.csv: not a table of tests \("):
        read_table(tmp_path / "a.csv", columns={}, kind="a table of tests")


def test_csv_is_read_in_one_place():
    """Reading with guessed types makes numbers of names."""
    sources = [path for folder in ("src", "descriptors", "workflow") for path in (ROOT / folder).rglob("*")]
    sources = [path for path in [*sources, ROOT / "Snakefile"] if path.suffix in (".py", ".smk", "")]
    places = [
        str(path.relative_to(ROOT))
        for path in sources
        if path.is_file() and re.search(r"read_(csv|table\(.*sep)", path.read_text(encoding="utf-8"))
    ]
    assert places == ["src/vibentropy/files/tables.py"]
