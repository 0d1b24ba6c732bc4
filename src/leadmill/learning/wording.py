"""What a column did to a score, as a sentence a person can read. The values are the person's own, so these sentences
belong where the person's data may be shown."""

from datetime import date, datetime
from math import exp
from typing import Any

from leadmill.learning.cells import COMMA, EDITION, folding_of, reader_of
from leadmill.learning.model import Kind, Reason

_LONGEST = 60


def in_words(column: str, kind: Kind, value: Any, effect: float, comma: bool = False, edition: int = EDITION) -> Reason:
    """The sentence of one column's effect; ``effect`` in log-odds. ``comma``: the column writes 1,5 for 1.5;
    ``edition``: in which cells are read."""
    shown = _shown(kind, value, comma, edition)
    is_what = "is not known" if not shown else f"is {shown}"
    return Reason(column, effect, f"{column} {is_what}, which {_does(effect)}.", shown)


def _does(effect: float) -> str:
    if abs(effect) < 0.005:
        return "changes nothing"
    factor = exp(effect)
    if effect > 0:
        return f"multiplies the odds by {factor:.2f}"
    return f"divides the odds by {1.0 / factor:.2f}"


def _shown(kind: Kind, value: Any, comma: bool, edition: int) -> str:
    if not folding_of(edition)(value):
        return ""
    if kind is Kind.NUMBER:
        number = reader_of(f"value, {COMMA}" if comma else "value", edition)(value)
        return f"{number:,.6g}" if number == number else ""
    if kind is Kind.TEXT:
        return f"a text of {len(str(value).strip()):,} signs"
    text = value.isoformat() if isinstance(value, date | datetime) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
