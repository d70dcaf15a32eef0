"""Published numbers of the reference work."""

import pandas as pd

from vibentropy.sources import reference_work


def test_published_numbers_are_ordered_and_of_iron_only():
    rows = pd.DataFrame([r for of in reference_work.reported("Fe").values() for r in of.values()])
    assert ((rows["low"] < rows["mean"]) & (rows["mean"] < rows["high"])).all()
    assert rows["count"].sum() == 4503 + 4506
    assert reference_work.reported("W") == {}
