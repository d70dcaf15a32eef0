"""What the parameters of descriptors and regressors may be, declared once.

A class says it in a table, ``parameters: ClassVar[dict[str, Parameter]]``, by the names of its constructor's arguments,
whose defaults are those of the constructor. The checks in Python come from it, the schema of configurations
(workflow/schemas/parameters.yaml), ``vibentropy describe --list`` and the tables in docs/descriptors.md.
"""

import inspect
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from itertools import pairwise
from math import isfinite
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from ase.data import chemical_symbols


@dataclass(frozen=True)
class Parameter(ABC):
    """What a parameter of a descriptor or regressor may be.

    Attributes
    ----------
    text : str
        What it is, in one line.
    unit : str
    null : str
        What None stands for; without it, None is refused.
    required : bool
        Whether a configuration has to give it although the constructor has a default.
    """

    text: str = ""
    _: KW_ONLY
    unit: str = ""
    null: str = ""
    required: bool = False

    def check(self, name: str, value: object) -> None:
        """Check a value of the parameter.

        Parameters
        ----------
        name : str
            Of the parameter, for the message.
        value : object

        Raises
        ------
        TypeError, ValueError
            Naming the parameter, the value found and what was expected.
        """
        if value is not None or not self.null:
            self._check(name, value)

    def schema(self) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of the values that `check` lets pass, as far as such a schema can say it.

        Returns
        -------
        dict
        """
        schema = self._schema()
        if self.null and not self.required:
            schema |= {"enum": [*schema["enum"], None]} if "enum" in schema else {"type": [schema["type"], "null"]}
        return {"description": self.description, **schema} if self.description else schema

    @property
    def description(self) -> str:
        """Text, unit and what None stands for, in one line."""
        text = ", ".join(filter(None, [self.text, self.unit]))
        return f"{text}; null for {self.null}" if self.null and not self.required else text

    @property
    @abstractmethod
    def values(self) -> str:
        """Values that the parameter accepts, in words."""

    @abstractmethod
    def _check(self, name: str, value: object) -> None:
        """Check a value that is not None."""

    @abstractmethod
    def _schema(self) -> dict[str, Any]:
        """JSON Schema of the values other than None, without their description."""


@dataclass(frozen=True)
class Number(Parameter):
    """A parameter that is a finite number.

    Attributes
    ----------
    minimum, above, maximum, below : float or None
        Bounds: at least, more than, at most, less than.
    """

    _: KW_ONLY
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None

    def _check(self, name: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} == {value!r}, must be a number.")
        if not isfinite(value):
            raise ValueError(f"{name} == {value}, must be finite.")
        self._check_bounds(name, value)

    def _check_bounds(self, name: str, value: Any) -> None:
        for bound, holds, sign in (
            (self.minimum, self.minimum is None or value >= self.minimum, ">="),
            (self.above, self.above is None or value > self.above, ">"),
            (self.maximum, self.maximum is None or value <= self.maximum, "<="),
            (self.below, self.below is None or value < self.below, "<"),
        ):
            if not holds:
                raise ValueError(f"{name} == {value}, must be {sign} {bound}.")

    @property
    def values(self) -> str:
        """Such as ``number > 0``."""
        if self.minimum is not None and self.maximum is not None:
            return f"{self._noun} from {self.minimum} to {self.maximum}"
        signs = (("≥", self.minimum), (">", self.above), ("≤", self.maximum), ("<", self.below))
        bounds = " and ".join(f"{sign} {bound}" for sign, bound in signs if bound is not None)
        return f"{self._noun} {bounds}".rstrip()

    _noun = "number"

    def _schema(self) -> dict[str, Any]:
        keys = {
            "minimum": self.minimum,
            "exclusiveMinimum": self.above,
            "maximum": self.maximum,
            "exclusiveMaximum": self.below,
        }
        bounds = {key: bound for key, bound in keys.items() if bound is not None}
        return {"type": "integer" if isinstance(self, Integer) else "number", **bounds}


@dataclass(frozen=True)
class Integer(Number):
    """A parameter that is a whole number."""

    def _check(self, name: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} == {value!r}, must be a whole number.")
        self._check_bounds(name, value)

    _noun = "whole number"


@dataclass(frozen=True)
class Choice(Parameter):
    """A parameter that is one of a few values, numbers or texts.

    Attributes
    ----------
    among : tuple
    """

    _: KW_ONLY
    among: tuple[int | str, ...]

    def _check(self, name: str, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, str | Real) or value not in self.among:
            raise ValueError(f"{name} == {value!r}, must be {self.values}.")

    @property
    def values(self) -> str:
        """Such as ``sc, bcc or fcc``."""
        *others, last = map(str, self.among)
        return f"{', '.join(others)} or {last}" if others else last

    def _schema(self) -> dict[str, Any]:
        return {"enum": list(self.among)}


@dataclass(frozen=True)
class Text(Parameter):
    """A parameter that is text, not empty."""

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, str) or not value:
            raise TypeError(f"{name} == {value!r}, must be text.")

    @property
    def values(self) -> str:
        """``text``."""
        return "text"

    def _schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Element(Text):
    """A parameter that is a chemical symbol."""

    def _check(self, name: str, value: object) -> None:
        if value not in chemical_symbols[1:]:
            raise ValueError(f"{name} == {value!r}, must be a chemical symbol.")

    @property
    def values(self) -> str:
        """``chemical symbol``."""
        return "chemical symbol"

    def _schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[A-Z][a-z]?$"}


@dataclass(frozen=True)
class ListOf(Parameter):
    """A parameter that is a list, not empty unless it says so.

    Attributes
    ----------
    item : Parameter
        What each item may be.
    order : {"any", "different", "ascending"}
        Whether items may repeat, and whether they have to ascend.
    empty : bool
        Whether there may be no items.
    """

    _: KW_ONLY
    item: Parameter
    order: Literal["any", "different", "ascending"] = "any"
    empty: bool = False

    def _check(self, name: str, value: object) -> None:
        if hasattr(value, "__array__"):
            value = np.asarray(value).tolist()
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} == {value!r}, must be a {self.values}.")
        if not value and not self.empty:
            raise ValueError(f"{name} == {value!r}, must hold at least one {self.item.values}.")
        for number, item in enumerate(value):
            self.item.check(f"{name}[{number}]", item)
        if self.order == "ascending" and any(not low < high for low, high in pairwise(value)):
            raise ValueError(f"{name} == {value!r}, must ascend.")
        if self.order == "different" and any(item in value[:number] for number, item in enumerate(value)):
            raise ValueError(f"{name} == {value!r}, must hold each item once.")

    @property
    def values(self) -> str:
        """Such as ``list of numbers > 0, ascending``."""
        order = {"any": "", "different": ", each once", "ascending": ", ascending"}[self.order]
        return "list of " + re.sub(r"^(whole number|number|chemical symbol|text)\b", r"\1s", self.item.values) + order

    def _schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array"}
        if not self.empty:
            schema["minItems"] = 1
        if self.order != "any":
            schema["uniqueItems"] = True
        return {**schema, "items": self.item.schema()}


@dataclass(frozen=True)
class Row(Parameter):
    """A parameter that is a list of fixed length, each of whose items is something else.

    Attributes
    ----------
    items : tuple of Parameter
        With the symbol of each as its text.
    """

    _: KW_ONLY
    items: tuple[Parameter, ...]

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, list | tuple) or len(value) != len(self.items):
            raise TypeError(f"{name} == {value!r}, must be a list {self.values}.")
        for item, part in zip(self.items, value, strict=True):
            item.check(f"{item.text} of {name}", part)

    @property
    def values(self) -> str:
        """Such as ``[η: number ≥ 0, R: number]``."""
        return f"[{', '.join(f'{item.text}: {item.values}' for item in self.items)}]"

    def _schema(self) -> dict[str, Any]:
        return {
            "type": "array",
            "minItems": len(self.items),
            "maxItems": len(self.items),
            "prefixItems": [item.schema() for item in self.items],
        }


@dataclass(frozen=True)
class Record(Parameter):
    """A parameter that is a mapping with all of its keys and no others.

    Attributes
    ----------
    fields : dict of str to Parameter
    either : tuple of str
        Keys among them of which a mapping has exactly one; the last ones.
    """

    _: KW_ONLY
    fields: Mapping[str, Parameter] = field(hash=False)
    either: tuple[str, ...] = ()

    def _check(self, name: str, value: object) -> None:
        n_either = sum(key in value for key in self.either) if isinstance(value, dict) else 0
        if not isinstance(value, dict) or value.keys() - self.either != set(self._always) or n_either != self._n_either:
            surplus = [repr(key) for key in value if key not in self.fields] if isinstance(value, dict) else []
            drop = f", without {' and '.join(surplus)}" if surplus else ""
            raise TypeError(f"{name} == {value!r}, must be a mapping of {self.keys} ({self.text}){drop}.")
        for key in value:
            self.fields[key].check(f"{name}.{key}", value[key])

    @property
    def keys(self) -> str:
        """Such as ``file and element or elements``."""
        return " and ".join([*self._always, *([" or ".join(self.either)] if self.either else [])])

    @property
    def values(self) -> str:
        """Such as ``{structure: bcc, a: number > 0}``."""
        always, either = ([f"{key}: {self.fields[key].values}" for key in keys] for keys in (self._always, self.either))
        return f"{{{', '.join([*always, *([' or '.join(either)] if either else [])])}}}"

    @property
    def _always(self):
        return [key for key in self.fields if key not in self.either]

    @property
    def _n_either(self):
        return 1 if self.either else 0

    def _schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "required": self._always,
            "properties": {key: parameter.schema() for key, parameter in self.fields.items()},
        } | ({"oneOf": [{"required": [key]} for key in self.either]} if self.either else {})


@dataclass(frozen=True)
class OneOf(Parameter):
    """A parameter that is one of several kinds of mappings, which their first keys tell apart.

    Attributes
    ----------
    records : tuple of Record
    """

    _: KW_ONLY
    records: tuple[Record, ...]

    def _check(self, name: str, value: object) -> None:
        keys = {next(iter(record.fields)): record for record in self.records}
        found = [keys[key] for key in keys if isinstance(value, dict) and key in value]
        if len(found) != 1:
            forms = ", or of ".join(record.keys for record in self.records)
            raise TypeError(f"{name} == {value!r}, must be a mapping of {forms} ({self.text}).")
        found[0].check(name, value)

    @property
    def values(self) -> str:
        """Such as ``{file: text} or {name: text}``."""
        return " or ".join(record.values for record in self.records)

    def _schema(self) -> dict[str, Any]:
        keys = [next(iter(record.fields)) for record in self.records]
        return {
            "type": "object",
            "oneOf": [{"required": [key]} for key in keys],
            "allOf": [
                {"if": {"required": [key]}, "then": record.schema()}
                for key, record in zip(keys, self.records, strict=True)
            ],
        }


@dataclass(frozen=True)
class Part(Parameter):
    """A parameter that is another descriptor: a mapping with its kind and parameters, without species."""

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            raise TypeError(f"{name} == {value!r}, must be a mapping with a kind.")
        if "species" in value:
            raise ValueError(f"{name}: species belong to the whole, which hands them on.")

    @property
    def values(self) -> str:
        """``{kind: …, …}``."""
        return "{kind: …, …}"

    def _schema(self) -> dict[str, Any]:
        # References beside `type` would say of null that it is no object.
        return {"type": "object", "if": {"type": "object"}, "then": {"$ref": "#/$defs/descriptor"}}


@dataclass(frozen=True)
class Parts(Parameter):
    """A parameter that is several other descriptors, by name."""

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, dict) or not value:
            raise TypeError(f"{name} == {value!r}, must be a mapping of names to descriptors.")
        for key, part in value.items():
            if not isinstance(key, str) or not key:
                raise TypeError(f"{name}: part {key!r}: its name must be text.")
            Part().check(f"part {key!r}", part)

    @property
    def values(self) -> str:
        """``{name: {kind: …, …}, …}``."""
        return "{name: {kind: …, …}, …}"

    def _schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"$ref": "#/$defs/descriptor"},
        }


@dataclass(frozen=True)
class Species(Parameter):
    """A parameter that is the list of the elements that are told apart."""

    def _check(self, name: str, value: object) -> None:
        if not isinstance(value, list | tuple) or not all(isinstance(symbol, str) for symbol in value):
            raise TypeError(f"{name} == {value!r}, must be a list of chemical symbols.")
        for symbol in value:
            if symbol not in chemical_symbols[1:]:
                raise ValueError(f"{name} == {value!r}, but {symbol!r} is no chemical symbol.")
        if not 0 < len(value) == len(set(value)):
            raise ValueError(f"{name} == {value!r}, must hold at least one element and each of them once.")

    @property
    def values(self) -> str:
        """``list of chemical symbols, each once``."""
        return "list of chemical symbols, each once"

    def _schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": Element().schema()}


#: The parameter that every descriptor has.
SPECIES = Species("chemical symbols told apart", null="one element, whichever")


def check(parameters: Mapping[str, Parameter], values: Mapping[str, object]) -> None:
    """Check the values of declared parameters; those of others are left to whoever has them.

    Parameters
    ----------
    parameters : dict of str to Parameter
    values : dict

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value found and what was expected.
    """
    for name, value in values.items():
        if name in parameters:
            parameters[name].check(name, value)


@dataclass(frozen=True)
class Argument:
    """An argument of the constructor of a descriptor or regressor.

    Attributes
    ----------
    name : str
    default : object
        `inspect.Parameter.empty` where there is none.
    parameter : Parameter or None
        None where the class does not say what it may be.
    """

    name: str
    default: object
    parameter: Parameter | None

    @property
    def default_text(self) -> str:
        """Default of the argument as YAML has it; empty where there is none."""
        if self.default is inspect.Parameter.empty:
            return ""
        # YAML takes 1e-06 for text.
        return re.sub(r"\b(\d+)e", r"\1.0e", json.dumps(self.default, default=str))


def arguments(cls: type) -> list[Argument]:
    """Arguments of the constructor of a descriptor or regressor, in their order.

    Parameters
    ----------
    cls : type

    Returns
    -------
    list of Argument
    """
    declared: Mapping[str, Parameter] = getattr(cls, "parameters", {})
    accepted = inspect.signature(cls).parameters.values()
    return [Argument(argument.name, argument.default, declared.get(argument.name)) for argument in accepted]


def summary(cls: type) -> str:
    """First line of the documentation of a descriptor or regressor, without the full stop.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        Empty where there is none.
    """
    return (inspect.getdoc(cls) or "").partition("\n")[0].removesuffix(".")
