"""Tables as CSV or JSON, written whole or not at all."""

import json

from vibentropy.errors import DataError
from vibentropy.files.atomic import atomic


def save_table(table, path):
    """Write a table as CSV or JSON, whole or not at all.

    Parameters
    ----------
    table : pandas.DataFrame
    path : path-like
        Its suffix, ``.csv`` or ``.json``, chooses the format; JSON is a list of objects with null for NaN. Floats keep
        all their digits.

    Raises
    ------
    DataError
        If the suffix is another one.
    """
    with atomic(path) as temporary:
        if temporary.suffix == ".csv":
            table.to_csv(temporary, index=False)
        elif temporary.suffix == ".json":
            rows = table.astype(object).where(table.notna(), None).to_dict("records")
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            temporary.write_text(text, encoding="utf-8")
        else:
            raise DataError(f"{path}: tables are written as .csv or .json")
