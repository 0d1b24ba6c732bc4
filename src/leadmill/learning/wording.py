"""What a column did to a score, as a sentence a person can read. The values are the person's own, so these sentences
belong where the person's data may be shown."""

from datetime import date, datetime
from math import exp
from typing import Any

from leadmill.learning.cells import comma_number_of, folded, number_of
from leadmill.learning.model import Kind, Reason

_LONGEST = 60


def in_words(column: str, kind: Kind, value: Any, effect: float, comma: bool = False) -> Reason:
    """The sentence of one column's effect; ``effect`` in log-odds. ``comma``: the column writes 1,5 for 1.5."""
    shown = _shown(kind, value, comma)
    is_what = "is not known" if not shown else f"is {shown}"
    return Reason(column, effect, f"{column} {is_what}, which {_does(effect)}.", shown)


def _does(effect: float) -> str:
    if abs(effect) < 0.005:
        return "changes nothing"
    factor = exp(effect)
    if effect > 0:
        return f"multiplies the odds by {factor:.2f}"
    return f"divides the odds by {1.0 / factor:.2f}"


def _shown(kind: Kind, value: Any, comma: bool) -> str:
    if not folded(value):
        return ""
    if kind is Kind.NUMBER:
        number = comma_number_of(value) if comma else number_of(value)
        return f"{number:,.6g}" if number == number else ""
    if kind is Kind.TEXT:
        return f"a text of {len(str(value).strip()):,} signs"
    text = value.isoformat() if isinstance(value, date | datetime) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
