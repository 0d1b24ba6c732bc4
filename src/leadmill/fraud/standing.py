"""The standing of sources: what is believed of each, and whether it has turned.

Made by the worker from the tallies of :mod:`leadmill.fraud.store`, some minutes apart; read by the station through
what its ask hears, and by the console. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from leadmill.fraud.intervals import Beta, interval, quantile
from leadmill.fraud.model import Card
from leadmill.fraud.quality import Yield, fit_prior, watch

Sort = Literal["door", "returned"]
"""Two shares are watched: leads that were held or refused at the door, which is known at once, and sold leads that came
back, which is known after the buyers had their time."""

WINDOW = timedelta(days=120)
"""How far back a source's past counts."""
_WATCHED = timedelta(days=30)
"""The last days are watched for a change; what was before them says what is usual."""
_CAUTION = 0.8
"""How sure it must be that the usual share is no higher than what the watch starts from."""
_LEVEL = 0.9


class Day(Struct, frozen=True):
    """What became of the leads that a source sent for a vertical on one day."""

    day: date
    vertical: str
    source_id: str
    seen: int = 0
    barred: int = 0
    sold: int = 0
    returned: int = 0


class Standing(Struct, frozen=True, kw_only=True):
    """What is believed of a source in a vertical.

    ``returned`` of ``sold`` leads came back, among those old enough to be judged; ``share`` is the expected share and
    ``low`` to ``high`` holds the true one nine times of ten, all three in hundredths of a per cent. ``turned`` names
    the share that has risen, if one has, ``since`` the day from which on, and ``evidence`` what speaks for it (the sum
    that a bet of one against "as usual" has become).
    """

    vertical: str
    source_id: str
    sold: int
    returned: int
    share: int
    low: int
    high: int
    turned: Sort | None = None
    since: date | None = None
    evidence: int = 0


def survey(days: Iterable[Day], cards: Mapping[str, Card], today: date) -> list[Standing]:
    """The standing of every source in every vertical that has a card, by what became of its leads of the last
    ``WINDOW``; ordered by vertical and source."""
    by_vertical: dict[str, dict[str, list[Day]]] = defaultdict(lambda: defaultdict(list))
    for one in days:
        if one.vertical in cards and today - WINDOW <= one.day <= today:
            by_vertical[one.vertical][one.source_id].append(one)
    found = []
    for vertical, sources in sorted(by_vertical.items()):
        card = cards[vertical]
        ripe = today - timedelta(days=card.ripe_days)
        sold = {source: _sum(_returns(own, ripe)) for source, own in sources.items()}
        prior = fit_prior(list(sold.values()))
        door = fit_prior([_sum(_door(own)) for own in sources.values()])
        for source, own in sorted(sources.items()):
            seen = sold[source]
            belief = prior.after(seen.hits, seen.tries)
            low, high = interval(belief, _LEVEL)
            turned, since, evidence = _turned(own, prior, door, card, ripe, today)
            found.append(
                Standing(
                    vertical=vertical,
                    source_id=source,
                    sold=seen.tries,
                    returned=seen.hits,
                    share=_parts(belief.mean),
                    low=_parts(low),
                    high=_parts(high),
                    turned=turned,
                    since=since,
                    evidence=evidence,
                )
            )
    return found


def _turned(
    own: list[Day], prior: Beta, door: Beta, card: Card, ripe: date, today: date
) -> tuple[Sort | None, date | None, int]:
    """Which share has risen, since when, and how much speaks for it."""
    best: tuple[Sort | None, date | None, int] = (None, None, 0)
    watched: tuple[tuple[Sort, Beta, dict[date, Yield], date], ...] = (
        ("door", door, _door(own), today),
        ("returned", prior, _returns(own, ripe), ripe),
    )
    for sort, belief, counts, last in watched:
        edge = last - _WATCHED
        before = _sum({day: one for day, one in counts.items() if day <= edge})
        usual = quantile(belief.after(before.hits, before.tries), _CAUTION)
        steps = sorted((day, one) for day, one in counts.items() if edge < day <= last and one.tries)
        change = watch([one for _, one in steps], usual)
        if change.is_sure(card.patience) and change.evidence > best[2]:
            best = sort, steps[-max(1, change.since)][0], int(min(change.evidence, 1e9))
    return best


def _door(own: list[Day]) -> dict[date, Yield]:
    return {one.day: Yield(one.barred, max(one.seen, one.barred)) for one in own}


def _returns(own: list[Day], ripe: date) -> dict[date, Yield]:
    # A report may come before the sale is tallied: never more returned than sold.
    return {one.day: Yield(max(0, min(one.returned, one.sold)), one.sold) for one in own if one.day <= ripe}


def _sum(counts: Mapping[date, Yield]) -> Yield:
    return Yield(sum(one.hits for one in counts.values()), sum(one.tries for one in counts.values()))


def _parts(share: float) -> int:
    return round(share * 10_000)
