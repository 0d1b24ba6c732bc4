"""Who comes first where leads are not given out by what they bring: by turns, by shares, by priority, by neutral
criteria.

Called by the step ``Allocate``, which hands the ranking to ``rules.choose``. Pure. Compliance outranks revenue: where
a vertical's pack bars ranking by payment, its criteria decide, whatever the house has set.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from leadmill.capture import Neutral
from leadmill.core.reasons import Because, because
from leadmill.market.model import MAX_LEGS, Mode, Per, Room
from leadmill.market.orderbook.pricing import HouseTerms
from leadmill.market.rules import Bid, Choice, Ranking
from leadmill.market.terms import NEUTRAL, STRATEGY, MarketTerms
from leadmill.parties import Buyer, Source

Key = Callable[[Bid], Any]
"""What bids are sorted by, the smallest first."""

_SAID = {
    "waterfall": "by the orders' priority, then by who has waited longest",
    "round_robin": "in turn, whoever has waited longest first",
    "weighted": "by shares, whoever is furthest below its own first",
}
_CRITERIA = {
    "licence": "licence for the lead's state",
    "near": "nearness of the office by ZIP code",
    "fit": "how closely the order's conditions fit",
    "waiting": "longest waiting",
}
OWN = Neutral(
    rule="house",
    citation="the market's own setting",
    says="nobody's place is paid for.",
    criteria=("licence", "near", "waiting"),
)
"""What counts where the house itself bars ranking by payment."""


class Manner:
    """How one vertical's leads are ranked, ready to be asked. Made once for each revision."""

    __slots__ = ("_pages", "neutral", "strategy", "why")

    def __init__(self, market: MarketTerms | None, neutral: Neutral | None) -> None:
        self.strategy = market.strategy if market is not None else "revenue"
        own = market is not None and market.neutral
        self.neutral = neutral or (OWN if own else None)
        self._pages = neutral.pages if neutral is not None and not own else ()
        self.why: Because | None = None
        if self.neutral is not None:
            names = tuple(dict.fromkeys((*self.neutral.criteria, "waiting")))
            self.why = because(
                NEUTRAL,
                criteria=", then ".join(_CRITERIA[name] for name in names),
                says=self.neutral.says,
                rule=self.neutral.rule,
                citation=self.neutral.citation,
            )

    def ranking(self, values: Mapping[str, Any], source: Source | None, room: Room, now: datetime) -> Ranking | None:
        """How the bids for a lead are ranked; None by what they bring."""
        barred = not self._pages or (source is not None and source.page in self._pages)
        if barred and self.neutral is not None and self.why is not None:
            return in_order(neutral_key(self.neutral.criteria, values, now.date()), self.why)
        if self.strategy == "revenue":
            return None
        key: Key = {"waterfall": _by_priority, "round_robin": _by_turn}.get(self.strategy) or _by_share(room)
        return in_order(key, because(STRATEGY, how=_SAID[self.strategy]))

    @property
    def pages(self) -> tuple[str, ...]:
        """Of leads of which kinds of page the neutral criteria are; none means of every lead."""
        return tuple(self._pages)

    @property
    def turns(self) -> bool:
        """Whether anybody's last lead may be asked for."""
        return self.neutral is not None or self.strategy != "revenue"


class House:
    """On what terms each vertical's leads are given out: ``markets`` as the house has set them, ``neutral`` as the
    packs demand."""

    __slots__ = ("manners", "markets", "turning")

    def __init__(
        self, markets: Mapping[str, MarketTerms] | None = None, neutral: Mapping[str, Neutral] | None = None
    ) -> None:
        self.markets = {name: one for name, one in (markets or {}).items() if not one.retired}
        barred = dict(neutral or {})
        every = {name: Manner(self.markets.get(name), barred.get(name)) for name in {*self.markets, *barred}}
        self.manners = {name: one for name, one in every.items() if one.turns}
        """The verticals whose leads do not, or not always, go by what they bring."""
        self.turning = {name: one.strategy == "weighted" for name, one in self.manners.items()}
        """The same, and whether their leads go by the shares of a day."""


def _by_priority(bid: Bid) -> Any:
    return bid.line.order.priority, bid.waited, bid.line.order.id


def _by_turn(bid: Bid) -> Any:
    return bid.waited, bid.line.order.priority, bid.line.order.id


def _by_share(room: Room) -> Key:
    """Whoever, with this lead, would have had the fewest of the day's leads for its weight: the one furthest below its
    share of them."""

    def key(bid: Bid) -> Any:
        order = bid.line.order
        today = next((use.leads for use in room.used.get(order.id, ()) if use.per is Per.DAY), 0)
        return (today + 1) / order.weight, bid.waited, order.id

    return key


def neutral_key(criteria: Iterable[str], values: Mapping[str, Any], today: date) -> Key:
    """A key of neutral criteria, in which no amount has a part; longest waiting and the id come last."""
    names = tuple(criteria)
    state, zip_code = values.get("state"), values.get("zip")

    def key(bid: Bid) -> Any:
        party = bid.line.party
        found: list[Any] = []
        for name in names:
            if name == "licence":
                found.append(not (isinstance(party, Buyer) and _licensed(party, state, today)))
            elif name == "near":
                found.append(-_digits_shared(party.zip if isinstance(party, Buyer) else "", zip_code))
            elif name == "fit":
                found.append(-len(bid.line.order.where))
            else:
                found.append(bid.waited)
        return (*found, bid.waited, bid.line.order.id)

    return key


def _licensed(buyer: Buyer, state: object, today: date) -> bool:
    return any(
        licence.active and state in licence.states and (licence.expires is None or today <= licence.expires)
        for licence in buyer.licences
    )


def _digits_shared(ours: str, theirs: object) -> int:
    """How many digits two ZIP codes begin with in common: 5 is one post office, 3 one sorting centre, 1 a region of
    states."""
    if not isinstance(theirs, str):
        return 0
    same = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        same += 1
    return same


def in_order(key: Key, why: Because) -> Ranking:
    """A ranking by a key: whoever comes first gets the lead, alone if its order takes it alone; otherwise as many of
    the next as all agree to share it with."""

    def ranking(bids: Sequence[Bid], terms: HouseTerms | None) -> Choice | None:
        ranked = sorted(bids, key=key)
        for place, first in enumerate(ranked):
            if first.exclusive is not None:
                return Choice(Mode.EXCLUSIVE, [first], first.exclusive, ranked=why)
            legs = _fill(first, ranked[place + 1 :])
            prices = [bid.shared or 0 for bid in legs]
            if terms is None or terms.thin(prices) is None:
                return Choice(Mode.SHARED, legs, sum(prices), ranked=why)
        return None

    return ranking


def _fill(first: Bid, others: Iterable[Bid]) -> list[Bid]:
    legs, buyers = [first], {first.line.order.recipient}
    most = min(MAX_LEGS, first.line.order.max_legs)
    for bid in others:
        order = bid.line.order
        if len(legs) >= most:
            break
        if bid.shared is None or order.recipient in buyers or order.max_legs <= len(legs):
            continue
        most = min(most, order.max_legs)
        legs.append(bid)
        buyers.add(order.recipient)
    return legs
