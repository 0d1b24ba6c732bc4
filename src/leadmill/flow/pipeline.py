"""The walk: the ordered stations of a lead.

Built from the rules in force by ``main`` and by replay; run by the runner. To see what happens to a lead, read this
list.
"""

from collections.abc import Sequence

from msgspec import Struct

from leadmill.billing import Post
from leadmill.capture import AnswerLater, Map
from leadmill.certificates import Keep, Vouch
from leadmill.consent import Prove
from leadmill.core.step import Step
from leadmill.delivery import Dispatch
from leadmill.enrich import Correct, Enrich, EnrichAgain
from leadmill.facts import Verify
from leadmill.flow.rules import Rules
from leadmill.followup import Plan
from leadmill.fraud import Suspect
from leadmill.hygiene import Remember
from leadmill.identity import Recognise
from leadmill.market import Allocate, House, Redeem, Solicit
from leadmill.overlap import Compare
from leadmill.parties import Demand
from leadmill.policy import Clear
from leadmill.scoring import Rate


class Walk(Struct, frozen=True):
    """The stations in three stretches: ``alone`` a lead walks by itself and may listen to the network; ``together`` it
    walks with others inside one transaction; ``after`` runs whatever the verdict was. ``aside`` stand those that a lead
    is taken to at another time; they decide nothing about it."""

    rules: Rules
    alone: Sequence[Step]
    together: Sequence[Step]
    after: Sequence[Step]
    aside: Sequence[Step] = ()


def build_walk(rules: Rules, earlier: Walk | None = None) -> Walk:
    """The walk under these rules, taking over from an ``earlier`` one what a large order book has left unchanged."""
    before = next((step for step in earlier.together if isinstance(step, Allocate)), None) if earlier else None
    asked = next((step for step in earlier.together if isinstance(step, Solicit)), None) if earlier else None
    currencies = {name: one.currency for name, one in rules.verticals.items()}
    return Walk(
        rules=rules,
        alone=(
            Map(rules.verticals, rules.forms, rules.lexicon, rules.keyed_hash),
            Prove(rules.verticals, rules.forms),
            Verify(rules.reference, rules.checks),
            Enrich(rules.enrichment, rules.verticals, rules.reference, rules.checks),
            Vouch(),
        ),
        together=(
            Redeem(),
            Recognise(rules.verticals, rules.keyed_hash),
            Remember(rules.upkeeps, rules.checks),
            Suspect(rules.suspects, rules.keyed_hash),
            Rate(rules.cards, rules.models.panels),
            Clear(
                *(rules.laws, rules.verticals, rules.roster, rules.keyed_hash, rules.engine),
                *(demands(rules), certified(rules)),
            ),
            Compare(rules.roster),
            Solicit(rules.orders, rules.roster, currencies, asked, by_consent(rules)),
            Allocate(rules.orders, rules.roster, currencies, before, house(rules)),
        ),
        after=(
            Dispatch(
                rules.roster,
                [order.id for order in rules.orders.values() if order.post == "inline"],
                [order.id for order in rules.orders.values() if order.call is not None],
                rules.dialects.outbound,
            ),
            Post(rules.roster, rules.orders, rules.engine),
            Plan(rules.roster, rules.templates),
            AnswerLater(),
        ),
        aside=(
            Correct(Verify(rules.reference, rules.checks), rules.enrichment),
            EnrichAgain(rules.enrichment, rules.verticals, rules.reference),
            Keep(rules.enrichment, rules.verticals, rules.reference),
        ),
    )


def demands(rules: Rules) -> dict[str, tuple[Demand, ...]]:
    """The evidence that the house insists on, by vertical."""
    return {name: one.demands for name, one in rules.markets.items() if one.demands and not one.retired}


def certified(rules: Rules) -> dict[str, tuple[str, ...]]:
    """What the house itself is certified for, by vertical; nothing where that is not declared."""
    return {name: one.certified for name, one in rules.markets.items() if one.certified is not None and not one.retired}


def by_consent(rules: Rules) -> frozenset[str]:
    """The verticals whose leads go only to those that their consent names."""
    return frozenset(name for name, one in rules.markets.items() if one.consent_list and not one.retired)


def house(rules: Rules) -> House:
    """On what terms leads are given out: as the house has set them, and as the packs demand."""
    neutral = {name: one.neutral for name, one in rules.verticals.items() if one.neutral is not None}
    return House(rules.markets, neutral)
