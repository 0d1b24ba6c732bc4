"""“Hygiene”: whether addresses and numbers still reach their people, by source, and whom to ask about again."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.enrich import MICROS
from leadmill.flow.upkeep import Day, Due, Group, HygieneReport, Share, read_report
from leadmill.hygiene import KINDS
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import vertical_title
from leadmill.interfaces.console.market import Meter

SPANS = (7, 30, 90)
_MOST_ROWS = 100
_NEAR = 80


class Part(Struct, frozen=True):
    """A stretch of a bar: where it begins and how wide it is, in per cent, and its class."""

    start: float
    width: float
    tone: str


class Bar(Struct, frozen=True):
    """How the points of some leads stand, as a bar and in words."""

    parts: list[Part]
    says: str


class Column(Struct, frozen=True):
    """A day of the trend: its height in per cent of the highest, and the same in words."""

    height: float
    says: str


@get("/hygiene", include_in_schema=False)
async def hygiene_page(desk: NamedDependency[Desk]) -> Page:
    """The report of the last days, of all verticals or of the one in the address."""
    asked, rules = desk.request.query_params, desk.wiring.rules
    vertical = asked.get("vertical") if asked.get("vertical") in rules.verticals else None
    days = next((span for span in SPANS if asked.get("days") == str(span)), 30)
    async with desk.wiring.db.begin(still=True) as tx:
        report = await read_report(tx, desk.wiring.kit, days, desk.now, vertical)
    return desk.show(
        "hygiene.html",
        "hygiene",
        report=report,
        anything=bool(report.total.leads or report.total.kinds or sum(report.total.ages)),
        total=_told(report.total, ""),
        groups=[_told(one, vertical_title(rules, one.vertical)) for one in report.groups[:_MOST_ROWS]],
        more=max(0, len(report.groups) - _MOST_ROWS),
        kinds=_kinds(report),
        trend=_trend(report),
        most=max((_came_back(one) for one in report.trend), default=0),
        due=[_due(one) for one in report.due],
        verticals=sorted((name, each.title) for name, each in rules.verticals.items()),
        chosen=vertical or "",
        days=days,
        spans=SPANS,
    )


def _told(one: Group, title: str) -> dict[str, Any]:
    return {
        "vertical": title,
        "source": one.source,
        "leads": one.leads,
        "email": _bar(one.email),
        "phone": _bar(one.phone),
        "bounced": one.kinds.get("bounced", 0),
        "deferred": one.kinds.get("deferred", 0),
        "complained": one.kinds.get("complained", 0),
        "dead": one.kinds.get("disconnected", 0),
        "wrong": one.kinds.get("wrong_number", 0) + one.kinds.get("unreached", 0),
        "ages": one.ages,
    }


def _bar(share: Share) -> Bar:
    whole = share.reachable + share.unreachable + share.unknown
    if not whole:
        return Bar([], "none")
    good, bad = 100 * share.reachable / whole, 100 * share.unreachable / whole
    parts = [Part(0, round(good, 1), "good"), Part(round(good, 1), round(bad, 1), "bad")]
    says = f"{_percent(good)} reached, {_percent(bad)} not, {_percent(100 - good - bad)} not known"
    return Bar([part for part in parts if part.width], says)


def _percent(value: float) -> str:
    return f"{value:.1f} %" if 0 < value < 10 else f"{value:.0f} %"


def _kinds(report: HygieneReport) -> list[dict[str, Any]]:
    """What came back by kind, beside the span before."""
    found = []
    for kind, known in KINDS.items():
        now, earlier = report.total.kinds.get(kind, 0), report.total.before.get(kind, 0)
        if now or earlier:
            found.append({"kind": kind, "says": known.says, "channel": known.channel, "now": now, "before": earlier})
    return found


_BAD = tuple(kind for kind, known in KINDS.items() if known.sense == "bad")


def _trend(report: HygieneReport) -> list[Column]:
    """Day by day, how much came back for good."""
    sums = [(one.day, _came_back(one)) for one in report.trend]
    most = max((n for _, n in sums), default=0)
    if not most:
        return []
    return [Column(round(100 * n / most, 1), f"{day:%d %B}: {n}") for day, n in sums]


def _came_back(one: Day) -> int:
    return sum(one.kinds.get(kind, 0) for kind in _BAD)


def _due(one: Due) -> dict[str, Any]:
    share = min(100, round(100 * one.looked / one.per_day))
    says = f"{one.looked:,} of {one.per_day:,} today"
    return {
        "id": one.id,
        "due": one.due,
        "every": one.every,
        "of": ", ".join(one.verticals) or "every vertical",
        "states": ", ".join(one.states),
        "changed": one.changed,
        "cost": f"{one.cost / MICROS:,.2f}" + (f" of {one.spend / MICROS:,.2f}" if one.spend is not None else ""),
        "meter": Meter(
            used=one.looked, limit=one.per_day, share=share, tone="near" if share >= _NEAR else "", says=says
        ),
    }


ROUTES = [hygiene_page]
