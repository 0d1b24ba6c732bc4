"""How the addresses and numbers of leads stand: the report of hygiene, by vertical and source.

Called by the API, the console and ``leadmill hygiene``. Figures are sums and shares; nothing in them is personal.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct

from leadmill.core.ids import make_id
from leadmill.core.spans import before
from leadmill.flow.kit import Kit
from leadmill.flow.upkeep.store import count_due, open_ages, received_since, spent_since
from leadmill.hygiene import CHANNELS, KINDS, STATES, Reverify, Seen, Upkeep, standing_of
from leadmill.hygiene.store import Count, PointSeen, counts_between, points_since
from leadmill.runtime.db import Tx

AGES = (30, 90, 180, 365)
"""Days at which a band of ages ends and the next begins."""

MOST_POINTS = 50_000
"""Points whose standing a report looks at: the latest heard of."""
_USUAL = Upkeep()


class Share(Struct, frozen=True):
    """Leads of which the point was reached, of which it was not, and of which nothing is known."""

    reachable: int = 0
    unreachable: int = 0
    unknown: int = 0


class Group(Struct, frozen=True, kw_only=True):
    """The leads of one source in one vertical that came in the span: how many, how their points stand, what came back
    by kind (``before``: in the span before this one), and how many leads that are still open were last looked at how
    long ago, by the bands that ``AGES`` separates."""

    vertical: str
    source: str
    leads: int = 0
    email: Share = Share()
    phone: Share = Share()
    kinds: dict[str, int] = {}
    before: dict[str, int] = {}
    ages: list[int] = []


class Due(Struct, frozen=True, kw_only=True):
    """A schedule: how many leads are due, what it did today, and what it may do a day. Costs are in millionths."""

    id: str
    due: int
    looked: int
    changed: int
    cost: int
    per_day: int
    spend: int | None = None
    every: str = ""
    states: list[str] = []
    verticals: list[str] = []


class Day(Struct, frozen=True):
    """What came back on a day, by kind."""

    day: date
    kinds: dict[str, int]


class HygieneReport(Struct, frozen=True, kw_only=True):
    """The report over the ``days`` up to ``at``: all together, by vertical and source, day by day, and what is due.
    ``whole`` is False where more points were heard of than a report looks at: shares are then of the latest."""

    at: datetime
    days: int
    total: Group
    groups: list[Group]
    trend: list[Day]
    due: list[Due]
    ages: list[str]
    whole: bool = True


async def read_report(
    tx: Tx, kit: Kit, days: int, now: datetime, vertical: str | None = None, source: str | None = None
) -> HygieneReport:
    """The report over the last ``days``, of all verticals and sources or of one."""
    rules = kit.walk().rules
    since = datetime.combine(now.astimezone(UTC).date() - timedelta(days=days - 1), time(), UTC)
    first = make_id("lead", since, 0)

    def wanted(of: str, by: str) -> bool:
        return (vertical is None or of == vertical) and (source is None or by == source)

    leads = {key: n for key, n in (await received_since(tx, first)).items() if wanted(*key)}
    counts = [one for one in await counts_between(tx, since, now) if wanted(one.vertical, one.source_id)]
    earlier = await counts_between(tx, since - timedelta(days=days), since)
    seen = await points_since(tx, first, MOST_POINTS)
    ages = [one for one in await open_ages(tx, STATES, AGES, now) if wanted(one[0], one[1])]
    standings = stand([one for one in seen if wanted(one.vertical, one.source_id)], first, rules.upkeeps, now)
    groups = gather(leads, standings, counts, [one for one in earlier if wanted(one.vertical, one.source_id)], ages)
    return HygieneReport(
        at=now,
        days=days,
        total=together(groups),
        groups=groups,
        trend=_trend(counts, since.date(), days),
        due=[await _due(tx, one, now) for _, one in sorted(rules.reverify.items()) if not one.retired],
        ages=[_band(place) for place in range(len(AGES) + 1)],
        whole=len({one.point for one in seen}) < MOST_POINTS,
    )


Standings = Mapping[tuple[str, str, str], tuple[int, int]]
"""Points reached and not reached, by vertical, source and channel."""


def stand(seen: Iterable[PointSeen], first: str, upkeeps: Mapping[str, Upkeep], now: datetime) -> Standings:
    """How points stand, each counted once in each vertical and source of which a lead with it came from the id
    ``first`` on. Everything that came back from a point counts, whichever lead it was about."""
    histories: dict[bytes, list[Seen]] = defaultdict(list)
    places: dict[bytes, set[tuple[str, str]]] = defaultdict(set)
    for one in seen:
        histories[one.point].append(one.seen)
        if one.lead_id >= first:
            places[one.point].add((one.vertical, one.source_id))
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for point, where in places.items():
        channels = {KINDS[one.kind].channel for one in histories[point] if one.kind in KINDS}
        for vertical, source in where:
            standing = standing_of(histories[point], upkeeps.get(vertical, _USUAL), now)
            for channel in channels:
                good, bad = found.get((vertical, source, channel), (0, 0))
                good += standing.outcome == "pass"
                bad += standing.outcome == "fail"
                if good or bad:
                    found[vertical, source, channel] = good, bad
    return found


def gather(
    leads: Mapping[tuple[str, str], int],
    standings: Standings,
    counts: Iterable[Count],
    earlier: Iterable[Count],
    ages: Iterable[tuple[str, str, int, int]],
) -> list[Group]:
    """The groups, those with most leads first."""
    kinds: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    past: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    bands: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(AGES) + 1))
    for into, rows in ((kinds, counts), (past, earlier)):
        for one in rows:
            held = into[one.vertical, one.source_id]
            held[one.kind] = held.get(one.kind, 0) + one.n
    for vertical, source, band, n in ages:
        bands[vertical, source][band] += n
    keys = {*leads, *kinds, *past, *bands, *((vertical, source) for vertical, source, _ in standings)}
    found = [
        Group(
            vertical=vertical,
            source=source,
            leads=leads.get((vertical, source), 0),
            **{channel: _share(leads, standings, vertical, source, channel) for channel in CHANNELS},
            kinds=dict(sorted(kinds.get((vertical, source), {}).items())),
            before=dict(sorted(past.get((vertical, source), {}).items())),
            ages=bands[vertical, source],
        )
        for vertical, source in keys
    ]
    return sorted(found, key=lambda one: (-one.leads, one.vertical, one.source))


def _share(
    leads: Mapping[tuple[str, str], int], standings: Standings, vertical: str, source: str, channel: str
) -> Share:
    good, bad = standings.get((vertical, source, channel), (0, 0))
    return Share(good, bad, max(0, leads.get((vertical, source), 0) - good - bad))


def together(groups: Sequence[Group]) -> Group:
    """All groups as one, without names."""
    return Group(
        vertical="",
        source="",
        leads=sum(one.leads for one in groups),
        email=_sum([one.email for one in groups]),
        phone=_sum([one.phone for one in groups]),
        kinds=_added([one.kinds for one in groups]),
        before=_added([one.before for one in groups]),
        ages=[sum(one.ages[place] for one in groups) for place in range(len(AGES) + 1)],
    )


def _sum(shares: Sequence[Share]) -> Share:
    return Share(
        sum(one.reachable for one in shares),
        sum(one.unreachable for one in shares),
        sum(one.unknown for one in shares),
    )


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {kind: n for kind in KINDS if (n := sum(one.get(kind, 0) for one in counts))}


def _trend(counts: Iterable[Count], first: date, days: int) -> list[Day]:
    found: dict[date, dict[str, int]] = {first + timedelta(days=number): {} for number in range(days)}
    for one in counts:
        held = found.setdefault(one.day, {})
        held[one.kind] = held.get(one.kind, 0) + one.n
    return [Day(day, kinds) for day, kinds in sorted(found.items())]


async def _due(tx: Tx, one: Reverify, now: datetime) -> Due:
    spent = await spent_since(tx, one.id, datetime.combine(now.astimezone(UTC).date(), time(), UTC))
    return Due(
        id=one.id,
        due=await count_due(tx, one.states, one.verticals, before(now, one.until), before(now, one.every)),
        looked=spent.looks,
        changed=spent.changed,
        cost=spent.cost,
        per_day=one.per_day,
        spend=one.spend,
        every=one.every,
        states=list(one.states),
        verticals=list(one.verticals),
    )


def _band(place: int) -> str:
    if place == 0:
        return f"under {AGES[0]} days"
    if place == len(AGES):
        return f"{AGES[-1]} days and more"
    return f"{AGES[place - 1]} to {AGES[place] - 1} days"
