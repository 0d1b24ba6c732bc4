"""What has been used of every limit, counted in memory: the arithmetic under the caps.

The cap book (``capbook``) fills one from locked rows for each group of leads; a replay lets one evolve over a
recorded stream. Both answer :class:`Headroom` with it and tell it of each sale, so that they cannot differ.
"""

from collections.abc import Mapping
from datetime import datetime

from leadmill.market.model import Headroom, Per, Room, Use, Wanted
from leadmill.market.windows import SLOT, bounds

Key = tuple[str, Per, datetime]
"""A counter: its scope, its kind of window and the window's first moment."""

_NONE = (0, 0)


def order_scope(order_id: str) -> str:
    """The scope of an order's counters."""
    return f"order:{order_id}"


def rep_scope(rep: str) -> str:
    """The scope of the counter of a rep, named ``team/rep``."""
    return f"rep:{rep}"


def keys_of(wanted: Wanted, at: datetime) -> list[Key]:
    """The counters that an order's limits are kept in at a moment."""
    scope = order_scope(wanted.order_id)
    keys = [(scope, per, bounds(per, wanted.tz, at)[0]) for per in wanted.pers]
    if wanted.reps:
        today = bounds(Per.DAY, wanted.tz, at)[0]
        keys += [(rep_scope(rep), Per.DAY, today) for rep, _ in wanted.reps]
    return keys


class Tally:
    """Counters, money and turns. ``used`` holds leads and minor units by counter, ``funds`` what each limited account
    still yields, ``last`` when an order last got a lead."""

    __slots__ = ("_slot", "_starts", "_uses", "funds", "last", "used")

    def __init__(
        self,
        used: Mapping[Key, tuple[int, int]] | None = None,
        funds: Mapping[str, int] | None = None,
        last: Mapping[str, datetime] | None = None,
    ) -> None:
        self.used = dict(used or {})
        self.funds = dict(funds or {})
        self.last = dict(last or {})
        self._uses: dict[str, tuple[int, list[Use]]] = {}
        self._slot = -1
        self._starts: dict[tuple[Per, str], datetime] = {}
        """When the windows of this quarter of an hour began."""

    def room(self, ask: Headroom, at: datetime) -> Room:
        """What is left for the orders of an ask."""
        room = Room(at, {}, {}, {}, {})
        slot = int(at.timestamp()) // SLOT
        for wanted in ask.wanted:
            self.add_to(room, wanted, slot)
        return room

    def add_to(self, room: Room, wanted: Wanted, slot: int) -> None:
        """Say in a room what is left for one more order; ``slot`` is the quarter of an hour of its moment."""
        order_id, money = wanted.order_id, self.funds
        if wanted.pers:
            kept = self._uses.get(order_id)
            room.used[order_id] = kept[1] if kept is not None and kept[0] == slot else self._of(wanted, room.at, slot)
        account = wanted.account
        if account is not None and account in money:
            room.funds[account] = money[account]
        plan = wanted.plan
        if plan is not None and plan in money:
            room.funds[plan] = money[plan]
        if wanted.reps:
            today = bounds(Per.DAY, wanted.tz, room.at)[0]
            for rep, _ in wanted.reps:
                room.reps[rep] = self.used.get((rep_scope(rep), Per.DAY, today), _NONE)[0]
                if rep in self.last:
                    room.last[rep] = self.last[rep]
        if wanted.ties and order_id in self.last:
            room.last[order_id] = self.last[order_id]

    def _of(self, wanted: Wanted, at: datetime, slot: int) -> list[Use]:
        if slot != self._slot:
            self._slot = slot
            self._starts.clear()
        scope, tz, starts = order_scope(wanted.order_id), wanted.tz, self._starts
        uses: list[Use] = []
        for per in wanted.pers:
            begins = starts.get((per, tz))
            if begins is None:
                begins = starts[per, tz] = bounds(per, tz, at)[0]
            leads, spend = self.used.get((scope, per, begins), _NONE)
            uses.append(Use(per, leads, spend))
        self._uses[wanted.order_id] = (slot, uses)
        return uses

    def take(
        self, wanted: Wanted, amount: int, at: datetime, rep: str | None = None, covered: bool = False
    ) -> list[Key]:
        """Count a lead and its price (minor units) for an order, or a lead for a rep; the counters that moved. What
        is ``covered`` is paid by the plan."""
        scope = order_scope(wanted.order_id)
        moved: list[Key] = []
        for per in wanted.pers:
            moved.append((scope, per, bounds(per, wanted.tz, at)[0]))
        if rep is not None and any(rep == name for name, _ in wanted.reps):
            moved.append((rep_scope(rep), Per.DAY, bounds(Per.DAY, wanted.tz, at)[0]))
        for key in moved:
            leads, spend = self.used.get(key, _NONE)
            self.used[key] = (leads + 1, spend + amount)
        self._uses.pop(wanted.order_id, None)
        payer = wanted.plan if covered else wanted.account
        if payer is not None and payer in self.funds:
            self.funds[payer] -= amount
        if rep is not None:
            self.last[rep] = at
        if wanted.ties:
            self.last[wanted.order_id] = at
        return moved

    def give_back(self, wanted: Wanted, amount: int, at: datetime) -> list[Key]:
        """Take a lead and its price (minor units) out of the windows of an order that hold ``at``; the counters that
        moved. Money of accounts is the caller's."""
        scope = order_scope(wanted.order_id)
        moved = [(scope, per, bounds(per, wanted.tz, at)[0]) for per in wanted.pers]
        for key in moved:
            leads, spend = self.used.get(key, _NONE)
            self.used[key] = (leads - 1, spend - amount)
        self._uses.pop(wanted.order_id, None)
        return moved
