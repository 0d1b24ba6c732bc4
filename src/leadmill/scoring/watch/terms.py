"""Reading ``[[watch]]``: how the models of a vertical are watched, and when one is taken back."""

from typing import Any

from leadmill.core.reading import Table
from leadmill.scoring.watch.model import RollBack, WatchTerms

KIND = "watch"
"""The kind of the records."""

_CODE = "scoring.watch.malformed"
_MOST_WORDS = 500


def read_watch_terms(raw: object) -> WatchTerms:
    """A ``[[watch]]`` as declared. Raises :class:`BadInput` ``scoring.watch.malformed``."""
    table = Table(raw, KIND, _CODE)
    vertical = table.text("vertical")
    table.where = f"{KIND} {vertical}"
    why = table.text("why", "")
    if len(why) > _MOST_WORDS:
        table.refuse(f"use at most {_MOST_WORDS} characters", "why")
    usual = WatchTerms(vertical="")
    found = WatchTerms(
        vertical=vertical,
        psi=_part(table, "psi", usual.psi, 0.05, 5.0),
        alpha=_part(table, "alpha", usual.alpha, 0.0001, 0.2),
        horizon=table.whole("horizon", usual.horizon, 1, 730),
        early=table.whole("early", usual.early, 1, 365),
        gap=_part(table, "gap", usual.gap, 0.001, 1.0),
        least=table.whole("least", usual.least, 20, 1_000_000),
        span=table.whole("span", usual.span, 1, 365),
        quiet=table.texts("quiet", ()),
        roll_back=_roll_back(table),
        retired=table.flag("retired", False),
        why=why,
    )
    if found.early > found.horizon:
        table.refuse("must not be more than the horizon", "early")
    table.close()
    return found


def _roll_back(table: Table) -> RollBack | None:
    if not table.has("roll_back"):
        return None
    inner = table.inner(table.value("roll_back"), "roll_back")
    to: Any = inner.choice("to", ("before", "card"), "before")
    found = RollBack(
        to=to,
        gap=_bound(inner, "gap"),
        bad_over=_bound(inner, "bad_over"),
        conversion_under=_bound(inner, "conversion_under"),
    )
    if not found.bounds:
        inner.refuse("name a bound: gap, bad_over or conversion_under")
    inner.close()
    return found


def _bound(table: Table, key: str) -> float | None:
    return _part(table, key, 0.0, 0.0, 1.0) if table.has(key) else None


def _part(table: Table, key: str, default: float, least: float, most: float) -> float:
    if not table.has(key):
        return default
    found = table.value(key)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        table.refuse("must be a number", key)
    try:
        number = float(found)
    except ValueError:
        table.refuse("must be a number", key)
    if not least <= number <= most:
        table.refuse(f"must be between {least:g} and {most:g}", key)
    return number
