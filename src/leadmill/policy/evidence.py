"""The evidence of one case, by name: what the case says, and what follows from it.

Rules look at names. A name with dots leads into the case's document (``channel.caller_id.assigned``); ``given.`` before
a name asks whether it is there at all; the derived names are worked out by the functions of
:mod:`leadmill.policy.contacts` and :mod:`leadmill.policy.dealings` when a rule first asks, and kept; a term of a pack
is a condition with a name.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from leadmill.core.predicates import Check
from leadmill.core.spans import moment
from leadmill.policy.calendars import Calendar, local_day
from leadmill.policy.places import Places, Whereabouts
from leadmill.policy.shapes import NO_SHAPES, Shape, fits, shaped


class Derived(Struct, frozen=True):
    """A name that is worked out: how, and what it holds."""

    find: "Callable[[Evidence], Any]"
    holds: str


Way = Literal["derived", "term", "given", "path"]


class Setting(Struct, frozen=True):
    """What stays the same from case to case."""

    derived: Mapping[str, Derived]
    terms: Mapping[str, Check]
    places: Places
    calendar: Calendar
    read_reply: Callable[[str], str]
    shapes: Mapping[str, Shape] = NO_SHAPES
    ways: "dict[str, tuple[Way, Any]]" = {}
    """How each name is found, filled as names are asked for."""


WHERE = "\0where"
TODAY = "\0today"
"""Under these two, ``known`` evidence has the whereabouts and the person's date; no rule can name them."""


class Evidence(Mapping[str, Any]):
    """What a case holds, by name. Total: a name that leads nowhere holds None, and so does an empty text or table.
    ``known`` is derived evidence that was worked out before; ``garbled`` says that something was asked for that cannot
    be read as what it should be."""

    __slots__ = ("_known", "document", "garbled", "now", "setting")

    def __init__(
        self, document: Mapping[str, Any], now: datetime, setting: Setting, known: Mapping[str, Any] = {}
    ) -> None:
        self.document = document
        self.now = now
        self.setting = setting
        self._known: dict[str, Any] = dict(known)
        self.garbled = False

    def get(self, name: str, default: Any = None) -> Any:
        """What the name holds; None where nothing is there."""
        known = self._known
        if name in known:
            return known[name]
        found = known[name] = self._find(name)
        return found

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _find(self, name: str) -> Any:
        way, by = self.setting.ways.get(name) or _way(self.setting, name)
        if way == "path":
            value: Any = self.document
            for part in by:
                if not isinstance(value, dict):
                    return None
                value = value.get(part)
            if value is None or value == "" or value == {}:
                return None
            shape = self.setting.shapes.get(name)
            return value if shape is None or fits(value, shape) else self._read(value, shape)
        if way == "derived":
            return by(self)
        return by(self, self.now) if way == "term" else self.get(by) is not None

    def _read(self, value: object, shape: Shape) -> Any:
        found = shaped(value, shape)
        self.garbled = self.garbled or found is None
        return found

    # What several derivations share

    @property
    def where(self) -> Whereabouts:
        """Where the person may be."""
        found = self._known.get(WHERE)
        if found is None:
            get = self.get
            more = get("facts.zones")
            found = self._known[WHERE] = self.setting.places.find(
                self.text("lead.state"),
                _digits(get("lead.zip"), 5),
                self.text("lead.stated.state"),
                self.text("lead.stated.tz"),
                _digits(get("lead.phone"), 0),
                tuple(zone for zone in more if isinstance(zone, str)) if isinstance(more, list) else (),
            )
        return found

    @property
    def today(self) -> date:
        """The person's date: where they live; the latest one where that may be in several zones."""
        found = self._known.get(TODAY)
        if found is None:
            found = max((local_day(self.now, zone) for zone in self.where.days), default=self.now.date())
            self._known[TODAY] = found
        return found

    def text(self, name: str) -> str | None:
        """The text under a name; None for anything else and for an empty one."""
        found = self.get(name)
        return found if isinstance(found, str) and found.strip() else None

    def texts(self, name: str) -> list[str]:
        """The texts of a list; one text counts as a list of it."""
        found = self.get(name)
        items = found if isinstance(found, list) else [found]
        return [item for item in items if isinstance(item, str)]

    def flag(self, name: str) -> bool | None:
        """True, false, or None for anything else."""
        found = self.get(name)
        return found if found is None or isinstance(found, bool) else self._read(found, "flag")

    def number(self, name: str) -> float | None:
        """A number, also one written as a text; None for anything else."""
        found = self.get(name)
        return None if found is None else self._read(found, "number")

    def instant(self, name: str) -> datetime | None:
        """The moment under a name."""
        value = self.get(name)
        found = instant_in(value)
        self.garbled = self.garbled or (found is None and value is not None)
        return found

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """The tables of a list; one table counts as a list of it."""
        found = self.get(name)
        if found is None:
            return []
        items = found if isinstance(found, list) else [found]
        tables = [item for item in items if isinstance(item, Mapping)]
        self.garbled = self.garbled or len(tables) < len(items)
        return tables

    def past(self, *kinds: str) -> list[Mapping[str, Any]]:
        """What the history holds of these kinds up to now. An event without a time has happened."""
        found = []
        for event in self.tables("history"):
            if _kind_of(event) in kinds:
                at = instant_in(event.get("at"))
                if at is None or at <= self.now:
                    found.append(event)
        return found


def _way(setting: Setting, name: str) -> tuple[Way, Any]:
    found: tuple[Way, Any] = ("path", tuple(name.split(".")))
    if name in setting.derived:
        found = ("derived", setting.derived[name].find)
    elif name in setting.terms:
        found = ("term", setting.terms[name])
    elif name.startswith("given."):
        found = ("given", name[6:])
    setting.ways[name] = found
    return found


def instant_in(value: object) -> datetime | None:
    """The moment a text names, in UTC; a date is its midnight. None for years of which no calendar is kept."""
    found = moment(value) if isinstance(value, str) else None
    return found if found is not None and 1900 <= found.year < 2200 else None


def day_in_text(value: object) -> date | None:
    """The date a text names."""
    try:
        found = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and 1900 <= found.year < 2200 else None


_KINDS = {
    **dict.fromkeys(("optout", "unsubscribe", "unsubscribed", "revocation", "revoke", "stop"), "opt_out"),
    **dict.fromkeys(("do_not_call", "dnc"), "dnc_request"),
}
"""Other words for an end that somebody asked for."""


def _kind_of(event: Mapping[str, Any]) -> str:
    kind = event.get("kind")
    word = kind.strip().casefold().replace("-", "_").replace(" ", "_") if isinstance(kind, str) else ""
    return _KINDS.get(word, word)


def _digits(value: object, width: int) -> str | None:
    """A ZIP or a number, also one written as a number, which has lost the noughts before it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).zfill(width)
    return value if isinstance(value, str) and value.strip() else None


def hours_since(then: datetime | None, now: datetime) -> float | None:
    """How many hours ago that was; negative for a moment to come."""
    return None if then is None else (now - then) / timedelta(hours=1)


def utc_day(now: datetime) -> date:
    """The date by which lists are dated."""
    return now.astimezone(UTC).date()
