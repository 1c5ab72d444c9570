"""Frozen tables of named, equal-length arrays.

Conventions
-----------
A table is a frozen dataclass whose fields are one-dimensional arrays of one length: ``real`` columns are float64
with NaN for "not known", ``whole`` columns int64 with -1 for "none", ``text`` columns unicode with "" for "not known".
In JSON all three become null. Arrays are read-only; change a table with ``replace``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from .errors import TakeprintError


def real() -> Any:
    """Declare a float64 column, NaN = not known."""
    return field(metadata={"kind": "real"})


def whole() -> Any:
    """Declare an int64 column, -1 = none."""
    return field(metadata={"kind": "whole"})


def text() -> Any:
    """Declare a unicode column, "" = not known."""
    return field(metadata={"kind": "text"})


def _coerced(values: Any, kind: str, name: str) -> np.ndarray:
    if kind == "real":
        if isinstance(values, list):
            values = [np.nan if v is None else v for v in values]
        array = np.array(values, dtype=np.float64)
    elif kind == "whole":
        if isinstance(values, list):
            values = [-1 if v is None else v for v in values]
        array = np.array(values, dtype=np.int64)
    elif isinstance(values, np.ndarray) and values.dtype.kind == "U":
        array = values.copy()
    else:
        array = np.array(["" if v is None else str(v) for v in values], dtype=np.str_)
        if array.size == 0:
            array = np.zeros(0, dtype="<U1")
    if array.ndim != 1:
        raise TakeprintError(f"column {name!r} has {array.ndim} dimensions", rule="a column is one-dimensional")
    array.flags.writeable = False
    return array


_JSON_TYPES: dict[str, tuple[type, ...]] = {"real": (int, float), "whole": (int,), "text": (str,)}


def _refuse_foreign(values: Any, kind: str, name: str) -> None:
    """Refuse what numpy would convert in silence: numbers in quotes, truth values, fractions for row numbers."""
    if not isinstance(values, list):
        raise TakeprintError(f"column {name!r} is {type(values).__name__}", rule="a column is a list")
    foreign = set(map(type, values)) - {type(None), *_JSON_TYPES[kind]}
    if foreign:
        said = {"real": "numbers", "whole": "whole numbers", "text": "texts"}[kind]
        raise TakeprintError(
            f"column {name!r} holds a {sorted(t.__name__ for t in foreign)[0]}", rule=f"it holds {said} or null"
        )
    limit = 2**63 if kind == "whole" else float(np.finfo(np.float64).max)
    if kind != "text" and any(v is not None and (v < -limit or v >= limit) for v in values):
        raise TakeprintError(f"column {name!r} holds a number beyond all bounds", rule="numbers are finite")


@dataclass(frozen=True, eq=False)
class Columns:
    """Base of all tables: see the module's Conventions."""

    def __post_init__(self) -> None:
        length = -1
        for item in fields(self):
            array = _coerced(getattr(self, item.name), item.metadata["kind"], item.name)
            if length not in (-1, len(array)):
                raise TakeprintError(
                    f"column {item.name!r} has {len(array)} rows, others {length}",
                    rule="the columns of a table are equally long",
                )
            length = len(array)
            object.__setattr__(self, item.name, array)

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, n), getattr(other, n), equal_nan=getattr(self, n).dtype.kind == "f")
            for n in self.names()
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(item.name for item in fields(cls))

    @classmethod
    def build(cls, length: int | None = None, **columns: Any) -> Self:
        """Make a table from some columns; the others are filled with "not known".

        Parameters
        ----------
        length : int or None
            Number of rows; needed only when no column is given.
        **columns : array_like [shape=(n,)]
            Columns by name.

        Raises
        ------
        TakeprintError
            For an unknown column name or unequal lengths.
        """
        unknown = set(columns) - set(cls.names())
        if unknown:
            raise TakeprintError(f"unknown column {sorted(unknown)[0]!r}", rule=f"columns are {', '.join(cls.names())}")
        if length is None:
            length = len(next(iter(columns.values()))) if columns else 0
        filler = {"real": np.nan, "whole": -1, "text": ""}
        full = {
            item.name: columns[item.name] if item.name in columns else np.full(length, filler[item.metadata["kind"]])
            for item in fields(cls)
        }
        return cls(**full)

    def replace(self, **columns: Any) -> Self:
        """Return a copy with the given columns exchanged."""
        return type(self)(**{name: columns.pop(name, getattr(self, name)) for name in self.names()}, **columns)

    def rows(self, index: Any) -> Self:
        """Return the rows that a mask, slice or index array selects, in that order."""
        return type(self)(**{name: getattr(self, name)[index] for name in self.names()})

    @classmethod
    def concatenate(cls, parts: Iterable[Self]) -> Self:
        """Return one table of all rows of ``parts``."""
        parts = list(parts)
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in cls.names()})

    def to_dict(self) -> dict[str, list[Any]]:
        """Return ``{column: list}`` with None for "not known", ready for JSON."""
        out: dict[str, list[Any]] = {}
        for item in fields(self):
            array, kind = getattr(self, item.name), item.metadata["kind"]
            if kind == "real":
                out[item.name] = [v if np.isfinite(v) else None for v in array.tolist()]
            elif kind == "whole":
                out[item.name] = [v if v >= 0 else None for v in array.tolist()]
            else:
                out[item.name] = [v or None for v in array.tolist()]
        return out

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read a table from its JSON form; missing columns become "not known", unknown ones are passed over.

        Raises
        ------
        TakeprintError
            For a column that is no list, unequal lengths, or a value of another kind than the column's: a number in
            quotes, an infinity, a fraction or more than 64 bits where a whole number belongs.
        """
        if not isinstance(document, Mapping):
            raise TakeprintError(f"a table is {type(document).__name__}", rule="a table maps column names to lists")
        known: dict[str, Any] = {}
        for item in fields(cls):
            if item.name in document:
                _refuse_foreign(document[item.name], item.metadata["kind"], item.name)
                known[item.name] = document[item.name]
        return cls.build(None, **known)
