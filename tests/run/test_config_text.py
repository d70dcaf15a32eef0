"""Text of configurations, against the loader of YAML."""

import pytest
import yaml

from vibentropy.run.config_text import ConfigText, Verbatim


def written(value):
    text = ConfigText()
    text.add(0, "key", value)
    return str(text)


@pytest.mark.parametrize(
    "value",
    [
        *("W.eam.alloy", "my folder/a.xyz", "runs/*.xyz", "* * Si.sw Si", "a: b", "a, b", "[1]", "true", "1.5", "# no"),
        *("", "é", "-x", "a#b", 'quoted "text"', "back\\slash"),
        *(True, False, 3, 0.002, 1.0e-4, [1, "2"], {"a": [1, 2], "b": {"c": "d e"}}, [["* *"], [0.5]]),
    ],
)
def test_values_come_back(value):
    assert yaml.safe_load(written(value)) == {"key": value}


def test_plain_words_have_no_quotes():
    assert written("W.eam.alloy") == "key: W.eam.alloy\n"
    assert written(["runs/*.xyz"]) == "key: [runs/*.xyz]\n"


def test_keys_items_and_aliases():
    text = ConfigText()
    text.remark("A remark.")
    text.add(0, "first", Verbatim("&one"), "of all")
    text.add(1, "a", 1)
    text.section()
    text.add(0, "second")
    text.aside(1, "among keys")
    text.add(1, "same", Verbatim("*one"))
    text.add(1, "list")
    text.items(2, ["x", {"y": 2}])
    assert yaml.safe_load(str(text)) == {"first": {"a": 1}, "second": {"same": {"a": 1}, "list": ["x", {"y": 2}]}}


def test_comments_stand_in_columns_and_lines_are_not_too_long():
    text = ConfigText()
    text.remark("word " * 60)
    text.add(0, "short", 1, "first")
    text.add(0, "rather_longer", 2, "word " * 60)
    text.add(0, "much" * 12, 3, "beyond the column")
    lines = str(text).splitlines()
    assert max(map(len, lines)) <= 120
    first, second = (line for line in lines if line.startswith(("short", "rather")))
    assert first.index("#") == second.index("#")
    assert sum("word" in line and not line.startswith("#") for line in lines) > 1
    assert lines[-1] == f"{'much' * 12}: 3  # beyond the column"
    assert yaml.safe_load(str(text)) == {"short": 1, "rather_longer": 2, "much" * 12: 3}
