"""Whether the prices of orders may go by what they go by: the law bars some states' leads from prices tiered by credit.

Called by ``configure`` inside the transaction that applies records. A price rule that looks at ``score`` or ``tier``
goes by all that the vertical's card, the adjustments over it and its models look at. So a card or a model can make the
prices of an order unlawful as well as the order itself: either is refused, with the rule that forbids it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.core.predicates import compile_predicate, fields_of, parse
from leadmill.flow import rating
from leadmill.flow.planning import Plan
from leadmill.flow.rules import Untierable
from leadmill.learning import read_model
from leadmill.market import MarketTerms, read_market
from leadmill.runtime.db import Tx
from leadmill.runtime.records import Snapshot
from leadmill.scoring import DECIDING, MODEL_KIND, Adjustment, CardRecord, ModelRecord, Scorecard, model_bodies

_SCORED = frozenset(("score", "tier"))
_WHERE = ("state", "property_state")
"""Where a person lives and where the property lies: the law asks for either."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def check_prices(
    tx: Tx,
    planned: Plan,
    found: Snapshot,
    verticals: Mapping[str, Vertical],
    of_packs: Mapping[str, Scorecard],
    barred: Untierable,
) -> None:
    """Refuse a change after which an order's price would go by what it may not. Raises BadInput
    ``config.order.unlawful`` with the order, the state and the rule."""
    after = partial(_after, planned, found)
    moved = {
        party.vertical
        for party in planned.parties.values()
        if isinstance(party, CardRecord | Adjustment | ModelRecord | MarketTerms)
    }
    changed = {ident for kind, ident in planned.documents if kind == "order"}
    if not moved and not changed:
        return
    tiered: dict[str, list[dict[str, Any]]] = {}
    for ident, body in after("order").items():
        if '"price_rules"' in body:
            raw = msgspec.json.decode(body)
            if not raw.get("retired") and (ident in changed or raw["vertical"] in moved):
                tiered.setdefault(raw["vertical"], []).append(raw)
    if not tiered:
        return
    markets = {one.vertical: one for one in map(_market, after("market").values())}
    cards = _cards(after, of_packs)
    for vertical, orders in tiered.items():
        looks = any(_SCORED & fields_of(parse(list(rule["where"]))) for raw in orders for rule in raw["price_rules"])
        scored = await _scored_by(tx, vertical, cards.get(vertical), after(MODEL_KIND)) if looks else frozenset()
        market = markets.get(vertical)
        certified = tuple(market.certified or ()) if market is not None and not market.retired else ()
        places = [name for name in _WHERE if name in verticals[vertical].fields]
        for raw in orders:
            check_order(raw, scored, places, partial(_barred, barred, vertical, certified))


def _barred(barred: Untierable, vertical: str, certified: tuple[str, ...], names: frozenset[str]) -> Mapping[str, str]:
    return barred(vertical, names, certified)


def check_order(
    raw: Mapping[str, Any],
    scored: frozenset[str],
    places: Sequence[str],
    barred: Callable[[frozenset[str]], Mapping[str, str]],
) -> None:
    """Refuse an order as declared whose price rules go by what they may not for leads that it takes. ``scored`` is what
    the vertical's score goes by, ``places`` are the fields that say where a lead is of."""
    for place, rule in enumerate(raw["price_rules"]):
        names = fields_of(parse(list(rule["where"])))
        by_score = bool(names & _SCORED)
        every = frozenset(names | (scored if by_score else frozenset()))
        for state, why in barred(every).items():
            if any(_takes([*raw.get("where", ()), *rule["where"]], name, state) for name in places):
                through = " by way of the score" if by_score and not barred(frozenset(names)) else ""
                leave = " and ".join(f'{{ not = {{ field = "{name}", eq = "{state}" }} }}' for name in places)
                raise BadInput(
                    "config.order.unlawful",
                    f"order {raw['id']}, price_rules[{place}]: for leads of {state} its price would go{through} by "
                    f"what it may not: {why}; leave them out with {leave} in where, or declare what the house is "
                    "certified for in [[market]]",
                )


def _takes(where: Iterable[Mapping[str, Any]], name: str, state: str) -> bool:
    """Whether conditions about this field alone let the state in."""
    for item in where:
        condition = parse([item])
        if fields_of(condition) == {name} and not compile_predicate(condition)({name: state}, _EPOCH):
            return False
    return True


async def _scored_by(tx: Tx, vertical: str, card: Scorecard | None, models: Mapping[str, str]) -> frozenset[str]:
    """All that a vertical's score goes by."""
    names: set[str] = set()
    if card is not None:
        names |= card.asked
        for one in card.adjustments:
            names |= fields_of(one.when)
    for body in (await model_bodies(tx, deciding(rating.models_of(models), vertical))).values():
        names |= {column.name for column in read_model(body).columns}
    return frozenset(names - _SCORED)


def deciding(models: Iterable[ModelRecord], vertical: str) -> list[str]:
    """The digests of the models whose chance becomes a vertical's score: no shadow's does, and none of what foresees
    something else than conversion."""
    found = (one for one in models if one.vertical == vertical and one.runs and one.state in DECIDING)
    return sorted({one.digest for one in found if one.foresees == "conversion"})


def _cards(after: Callable[[str], dict[str, str]], of_packs: Mapping[str, Scorecard]) -> dict[str, Scorecard]:
    documents = {(kind, ident): body for kind in rating.KINDS for ident, body in after(kind).items()}
    return rating.cards_of(Snapshot(0, documents), of_packs)


def _after(planned: Plan, found: Snapshot, kind: str) -> dict[str, str]:
    """The documents of a kind as they will be."""
    kept = dict(found.of(kind))
    for (of, ident), body in planned.documents.items():
        if of == kind:
            if body:
                kept[ident] = body
            else:
                kept.pop(ident, None)
    return kept


def _market(body: str) -> MarketTerms:
    return read_market(msgspec.json.decode(body))
