"""“Fraud”: which signals were raised, what became of their leads, and what each signal was worth."""

from datetime import timedelta
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from leadmill.fraud import SIGNALS, Card, Worth, words_of, worth_of
from leadmill.fraud.service import tallies_since
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import vertical_title

_SPANS = (7, 30, 90)
_NEVER = 101
_ROOM = 1.15
"""How much farther than the widest interval the bars reach."""


class Bar(Struct, frozen=True):
    """An interval as a bar: where it begins, how wide it is, where its middle and that of all leads lie, in per cent
    of the width."""

    start: float
    width: float
    middle: float
    base: float


@get("/fraud", include_in_schema=False)
async def fraud_page(desk: NamedDependency[Desk]) -> Page:
    """The signals of the last days, of all verticals or of the one in the address."""
    asked, rules = desk.request.query_params, desk.wiring.rules
    vertical = asked.get("vertical") if asked.get("vertical") in rules.verticals else None
    days = next((span for span in _SPANS if asked.get("days") == str(span)), 30)
    async with desk.wiring.db.begin() as tx:
        tallies = await tallies_since(tx, desk.now.date() - timedelta(days=days))
    whole, signals = worth_of(one for one in tallies if vertical is None or one.vertical == vertical)
    cards = {name: card for name, card in rules.suspects.items() if vertical is None or name == vertical}
    reach = max([whole.high, *(one.high for one in signals if one.sold)]) * _ROOM
    return desk.show(
        "fraud.html",
        "fraud",
        whole=whole,
        signals=[_told(one, cards, whole, reach) for one in signals],
        thresholds=_thresholds({vertical_title(rules, name): card for name, card in cards.items()}),
        limits=_limits(cards),
        verticals=sorted((name, each.title) for name, each in rules.verticals.items()),
        chosen=vertical or "",
        days=days,
        spans=_SPANS,
        base=_percent(whole.returned / whole.sold) if whole.sold else "",
        half_life=max((card.half_life_days for card in cards.values()), default=0),
    )


def _told(one: Worth, cards: dict[str, Card], whole: Worth, reach: float) -> dict[str, Any]:
    known = SIGNALS.get(one.code)
    weights = sorted({card.weights.get(one.code, 0) for card in cards.values()})
    return {
        "code": one.code,
        "says": known.title if known is not None else "A signal of an earlier version.",
        "weight": "–".join(str(each) for each in dict.fromkeys((weights[0], weights[-1]))) if weights else "0",
        "seen": one.seen,
        "held": one.held,
        "rejected": one.rejected,
        "sold": one.sold,
        "returned": one.returned,
        "share": _percent(one.share),
        "within": f"{_percent(one.low)} to {_percent(one.high)}",
        "lift": f"{one.lift:.1f}",
        "bar": Bar(
            round(100 * one.low / reach, 1),
            round(100 * (one.high - one.low) / reach, 1),
            round(100 * one.share / reach, 1),
            round(100 * whole.share / reach, 1),
        )
        if one.sold
        else None,
    }


def _thresholds(cards: dict[str, Card]) -> list[dict[str, Any]]:
    """From which scores leads wait and end: what most verticals have in one line, the others by name."""
    pairs = {title: (card.review_at, card.reject_at) for title, card in sorted(cards.items())}
    usual = max(pairs.values(), key=list(pairs.values()).count) if len(pairs) > 1 else None
    told = {title: pair for title, pair in pairs.items() if pair != usual}
    if usual is not None:
        told["All others" if told else "All verticals"] = usual
    return [
        {"vertical": title, **{name: at if at < _NEVER else None for name, at in zip(_ENDS, pair, strict=True)}}
        for title, pair in told.items()
    ]


_ENDS = ("review", "reject")


def _limits(cards: dict[str, Card]) -> list[tuple[str, str]]:
    """The usual limits of sliding windows, where all cards shown have the same; otherwise a vertical's own are in its
    pack."""
    found: list[tuple[str, str]] = []
    every = list(cards.values())
    for kind in every[0].limits if every else ():
        told = {
            ", ".join(
                f"{most} in {words_of(window)}"
                for window, most in zip(card.windows[kind], card.limits.get(kind, ()), strict=False)
                if most is not None
            )
            for card in every
        }
        found.append((kind, told.pop() if len(told) == 1 else "differs by vertical"))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


ROUTES = [fraud_page]
