"""Facts about a model or a set of configurations in words: on a terminal, and in a notebook."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

#: Entries of a list that are shown.
_SHOWN = 8

#: Of the rows and of their names. Notebooks align cells of tables to the right otherwise.
_ROW, _NAME = "text-align: left; vertical-align: top", "text-align: left; vertical-align: top; white-space: nowrap"


def in_words(value: Any) -> str:
    """Write a number, a range, a list, numbers by name or text in short words.

    Parameters
    ----------
    value : object
        Two numbers are the ends of a range.

    Returns
    -------
    str
        Six digits of numbers, and the first entries of lists.
    """
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and len(value) == 2 and all(isinstance(end, int | float) for end in value):
        return f"{value[0]:.6g} to {value[1]:.6g}"
    if isinstance(value, list):
        return ", ".join(map(str, value[:_SHOWN])) + (f", ... ({len(value)})" if len(value) > _SHOWN else "")
    if isinstance(value, dict) and value and all(isinstance(number, float) for number in value.values()):
        return ", ".join(f"{name} {in_words(number)}" for name, number in value.items())
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def counted(number: float, noun: str, nouns: str = "") -> str:
    """Count things in words.

    Parameters
    ----------
    number : int
    noun : str
        Of one.
    nouns : str
        Of several, if that is not the noun with an s.

    Returns
    -------
    str
        Such as "1 configuration" or "12 configurations".
    """
    return f"{number:.0f} {noun if number == 1 else nouns or f'{noun}s'}"


def as_table(title: str, facts: Mapping[str, Any]) -> str:
    """Write facts as a small table that notebooks show.

    Parameters
    ----------
    title : str
    facts : dict
        Values by name, or dictionaries of values. What is empty is left out.

    Returns
    -------
    str
        HTML.
    """
    lines = ["<table>", f'<caption style="text-align: left"><strong>{escape(title)}</strong></caption>']
    for name, value in facts.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{part}: {in_words(of_part)}" for part, of_part in value.items())
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        if value not in ("", []):
            row = f'<th style="{_NAME}">{escape(name)}</th><td style="{_ROW}">{escape(in_words(value))}</td>'
            lines.append(f"<tr>{row}</tr>")
    return "\n".join([*lines, "</table>"])
