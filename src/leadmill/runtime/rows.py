"""How columns of rows travel to the server: most as one text each, which is cut apart there.

Called by ``runtime.db`` and by stores whose statements take many moments. The driver looks at each value of an array
several times, at a moment for longer than it takes to write; of a text it looks once. What a text cannot carry goes as
an array.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

_CUT = "\x1f"
_NULL = "\x1e"

Packing = Callable[[Sequence[Any]], Any]


class Unpackable(ValueError):
    """A text holds a sign that separates texts."""


def pack_texts(values: Sequence[str | None]) -> str:
    """Texts as one. Raises :class:`Unpackable`."""
    # Something before the first cut, which is left out again: of nothing at all no text is cut.
    whole = _CUT.join(["", *[_NULL if value is None else value for value in values]])
    if whole.count(_CUT) != len(values) or whole.count(_NULL) != values.count(None):
        raise Unpackable
    return whole


def pack_moments(values: Sequence[datetime | None]) -> str:
    """Moments as one text; most rows of a transaction share theirs."""
    texts: list[str] = []
    before, text = None, _NULL
    for value in values:
        if value is not before:
            before, text = value, _NULL if value is None else value.isoformat()
        texts.append(text)
    return _CUT.join(texts)


def _pack_numbers(values: Sequence[Any]) -> str:
    return _CUT.join([_NULL if value is None else str(value) for value in values])


def _pack_flags(values: Sequence[bool | None]) -> str:
    return _CUT.join([_NULL if value is None else "t" if value else "f" for value in values])


_PACKINGS: tuple[tuple[type[sa.types.TypeEngine[Any]], Packing], ...] = (
    (sa.String, pack_texts),
    (sa.DateTime, pack_moments),
    (sa.Boolean, _pack_flags),
    (sa.Integer, _pack_numbers),
    (sa.Float, _pack_numbers),
)


def packing_of(kind: sa.types.TypeEngine[Any]) -> Packing:
    """How a column's values become one parameter, for :func:`unpacked`."""
    return next((packing for of, packing in _PACKINGS if isinstance(kind, of)), list)


def unpacked(kind: sa.types.TypeEngine[Any], number: int, name: str) -> str:
    """The SQL of the array that the parameter with this number carries; ``name`` is the type's in SQL."""
    packing = packing_of(kind)
    if packing is list:
        return f"${number}::{name}[]"
    cut = f"string_to_array(${number}::text, E'\\x1f', E'\\x1e')"
    return f"({cut})[2:]" if packing is pack_texts else f"{cut}::{name}[]"
