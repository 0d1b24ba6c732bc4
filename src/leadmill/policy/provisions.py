"""Provisions of law that are tables rather than conditions: hours, caps, holds, terms of days, sensitive data.

Read here from law packs, judged by :mod:`leadmill.policy.weighing`. Each has an id and a citation like a rule, and
stands from one date to another.
"""

from collections.abc import Callable
from datetime import date, time
from typing import Any, Literal

from msgspec import Struct

from leadmill.core.predicates import Predicate, parse
from leadmill.core.reading import Table
from leadmill.policy.calendars import Counting

Span = tuple[time, time] | None
"""From the first time to before the second; None for closed all day."""


class Standing(Struct, frozen=True, kw_only=True):
    """What all provisions have."""

    id: str
    citation: str
    says: str
    when: Predicate
    states: tuple[str, ...] = ()
    verticals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None


class Window(Standing, frozen=True, kw_only=True):
    """The hours of a state (``US`` everywhere, ``unknown`` where no state is known) in which a person may be
    contacted, by the clock where they are."""

    weekday: Span
    saturday: Span
    sunday: Span
    holiday: Span | Literal["as usual"] = "as usual"


class Cap(Standing, frozen=True, kw_only=True):
    """At most ``most`` contacts in ``hours``; the next is denied."""

    most: int
    hours: int


class Wait(Standing, frozen=True, kw_only=True):
    """No contact until so many days after the local date of ``since`` are over; with several zones the last midnight
    counts."""

    since: str
    days: int
    counting: Counting


class Deadline(Standing, frozen=True, kw_only=True):
    """Until the end of which local day a step of a request is in time; ``more`` days where an extension was told within
    the first."""

    days: int
    more: int
    counting: Counting


class Sensitive(Standing, frozen=True, kw_only=True):
    """What a sale of sensitive data needs in some states: an opt-in for each category, a notice, or it is banned.
    ``categories`` narrows it, ``besides`` excepts."""

    needs: Literal["opt_in", "notice", "banned"]
    categories: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


def _standing(table: Table) -> dict[str, Any]:
    table.where = f"{table.where}, {table.text('id')}"
    return {
        "id": table.text("id"),
        "citation": table.text("citation"),
        "says": table.text("says"),
        "when": parse(table.tables("when"), f"{table.where}, when"),
        "states": table.texts("states", ()),
        "verticals": table.texts("verticals", ()),
        "actions": table.texts("actions", ()),
        "effective_from": table.day("effective_from", None),
        "effective_to": table.day("effective_to", None),
    }


def read_window(table: Table) -> Window:
    """A ``[[window]]``. Hours are ``08:00-21:00`` or ``closed``."""
    base = _standing(table)
    holiday: Any = _span(table, "holiday") if table.has("holiday") else "as usual"
    return Window(
        weekday=_span(table, "weekday"),
        saturday=_span(table, "saturday"),
        sunday=_span(table, "sunday"),
        holiday=holiday,
        **base,
    )


def _span(table: Table, key: str) -> Span:
    text = table.text(key)
    if text == "closed":
        return None
    first, _, last = text.partition("-")
    try:
        opens, shuts = time.fromisoformat(first), time.fromisoformat(last)
    except ValueError:
        table.refuse('must be hours such as "08:00-21:00", or "closed"', key)
    if not opens < shuts:
        table.refuse("must end after it begins", key)
    return opens, shuts


_COUNTINGS = ("calendar", "business", "saturdays")


def read_cap(table: Table) -> Cap:
    """A ``[[cap]]``."""
    return Cap(most=table.whole("most", least=1), hours=table.whole("hours", least=1), **_standing(table))


def read_wait(table: Table) -> Wait:
    """A ``[[wait]]``."""
    base = _standing(table)
    counting: Any = table.choice("counting", _COUNTINGS, "calendar")
    return Wait(since=table.text("since"), days=table.whole("days", least=1), counting=counting, **base)


def read_deadline(table: Table) -> Deadline:
    """A ``[[deadline]]``."""
    base = _standing(table)
    counting: Any = table.choice("counting", _COUNTINGS, "calendar")
    return Deadline(days=table.whole("days", least=1), more=table.whole("more", 0), counting=counting, **base)


def read_sensitive(table: Table) -> Sensitive:
    """A ``[[sensitive]]``."""
    base = _standing(table)
    needs: Any = table.choice("needs", ("opt_in", "notice", "banned"))
    return Sensitive(needs=needs, categories=table.texts("categories", ()), besides=table.texts("besides", ()), **base)


Provision = Window | Cap | Wait | Deadline | Sensitive

READERS: dict[str, Callable[[Table], Provision]] = {
    "window": read_window,
    "cap": read_cap,
    "wait": read_wait,
    "deadline": read_deadline,
    "sensitive": read_sensitive,
}
"""The kinds of tables and who reads them."""
