"""By when a step of a consumer's request is owed, by the law of where the consumer lives.

Called by the packages that keep requests. Pure. The terms are the ``[[deadline]]`` tables of the law packs, the very
ones that ``leadmill policy check`` judges by. Day 0 is the local date of receipt, the last day counts whole; of several
zones in a state the one whose day ends first counts, so a step in time is in time everywhere in it.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from msgspec import Struct

from leadmill.core.predicates import Check, compile_predicate
from leadmill.policy.calendars import Calendar, Holiday, local_day, midnight
from leadmill.policy.model import Law
from leadmill.policy.provisions import Deadline
from leadmill.policy.rules import in_force

STEPS = ("confirm", "answer", "opt_out", "limit", "appeal")
"""The steps that clocks run for."""


class Due(Struct, frozen=True):
    """A step is owed before the moment ``until`` (UTC), the end of the local day ``last``. ``more`` is how many days an
    extension that is told by then adds, 0 for none; ``rule`` and ``citation`` say where it is written."""

    until: datetime
    last: date
    more: int
    rule: str
    citation: str


class Deadlines:
    """The terms of the packs in force. Safe to keep."""

    def __init__(self, laws: Iterable[Law]) -> None:
        self._zones: dict[str, tuple[str, ...]] = {}
        self._everywhere: tuple[str, ...] = ("UTC",)
        self._terms: list[tuple[Deadline, Check]] = []
        holidays: list[Holiday] = []
        for law in laws:
            holidays += law.holidays
            self._zones |= law.zones
            self._everywhere = law.everywhere or self._everywhere
            self._terms += [(one, compile_predicate(one.when)) for one in law.provisions if isinstance(one, Deadline)]
        self._calendar = Calendar(holidays)

    def due(self, step: str, home: str, received_at: datetime, extended_at: datetime | None = None) -> Due | None:
        """By when ``step`` is owed to somebody who lives in the state ``home`` and asked at ``received_at``; the
        earliest of several terms. An extension counts where it was told within the first term. None where the state
        sets no such term; for an unknown state (an empty ``home``) the earliest that any state sets."""
        found = [
            self._measured(one, home, received_at, extended_at)
            for one, speaks in self._terms
            if self._concerns(one, speaks, step, home, received_at)
        ]
        return min(found, key=lambda due: due.until, default=None)

    def _concerns(self, one: Deadline, speaks: Check, step: str, home: str, at: datetime) -> bool:
        if "request" not in one.actions or not in_force(one, at.date()):
            return False
        if home:
            return (not one.states or home in one.states) and speaks(
                {"facts.request.step": step, "home.states": [home]}, at
            )
        homes = one.states or ("",)
        return any(speaks({"facts.request.step": step, "home.states": [each]}, at) for each in homes)

    def _measured(self, one: Deadline, home: str, received_at: datetime, extended_at: datetime | None) -> Due:
        zones = self._zones.get(home) or self._everywhere
        until, last = min(self._end(one, zone, received_at, extended_at) for zone in zones)
        return Due(until, last, one.more, one.id.replace("{state}", home or "US"), one.citation)

    def _end(
        self, one: Deadline, zone: str, received_at: datetime, extended_at: datetime | None
    ) -> tuple[datetime, date]:
        last = self._calendar.add(local_day(received_at, zone), one.days, one.counting)
        if one.more and extended_at is not None and local_day(extended_at, zone) <= last:
            last = self._calendar.add(last, one.more, one.counting)
        return midnight(last + timedelta(days=1), zone), last
