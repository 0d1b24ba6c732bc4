"""Whether what packs and records say may be: scorecards, rankings, the fields of pings, what prices are for.

Called by the book when it reads the packs. What the law forbids is refused there, or when records are applied, with the
rule that forbids it, so that no lead meets it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import get_args

import msgspec

from leadmill.capture import Vertical
from leadmill.core.faults import BadInput
from leadmill.facts import STATES
from leadmill.flow.rules import Untierable
from leadmill.market import Unit
from leadmill.policy import Engine, Permit, masked_in_pings, may_charge, may_rank, may_score, may_tier
from leadmill.scoring import Scorecard

_CRITERIA = {"licence": "state", "near": "distance", "fit": "practice_area"}
"""What neutral criteria look at, in the law's words; who has waited longest is a turn, and looks at nothing."""


def bounded(verticals: Mapping[str, Vertical], engine: Engine, now: datetime) -> dict[str, Vertical]:
    """The verticals, each with the fields that no ping of it may carry and with what no price of it may be for: what is
    not allowed when a lead is sold, or not yet."""
    return {
        name: msgspec.structs.replace(
            one, masked=masked_in_pings(engine, name, one.fields, now), barred=_barred(engine, name, now)
        )
        for name, one in verticals.items()
    }


def _barred(engine: Engine, vertical: str, now: datetime) -> dict[str, str]:
    permits = {unit: may_charge(engine, vertical, unit, now) for unit in get_args(Unit)}
    return {unit: _because(permit) for unit, permit in permits.items() if not permit.given}


def check_cards(cards: Mapping[str, Scorecard], engine: Engine, now: datetime) -> None:
    """Refuse a scorecard that looks at what may move no score. Raises BadInput ``scoring.card.unlawful``."""
    for name, card in cards.items():
        if why := why_unscorable(engine, now, name, card.asked):
            raise BadInput("scoring.card.unlawful", f"{name}/scorecard.toml: {why}")


def why_unscorable(engine: Engine, now: datetime, vertical: str, names: Iterable[str]) -> str:
    """Why no score of the vertical's leads may look at these names; nothing where it may."""
    permit = may_score(engine, vertical, names, now)
    return _because(permit) if permit.decision == "deny" else ""


def untierable(engine: Engine, now: datetime) -> Untierable:
    """What the law says of prices that go by something, remembered as long as the packs stand."""

    @lru_cache(maxsize=512)
    def ask(vertical: str, names: frozenset[str], certified: tuple[str, ...]) -> Mapping[str, str]:
        found = {}
        for state in STATES:
            permit = may_tier(engine, vertical, names, state, certified, now)
            if permit.decision == "deny":
                found[state] = _because(permit)
        return found

    return ask


def check_rankings(verticals: Mapping[str, Vertical], engine: Engine, now: datetime) -> None:
    """Refuse a pack that ranks by what may rank nobody. Raises BadInput ``packs.vertical.unlawful``."""
    for name, one in verticals.items():
        if one.neutral is None:
            continue
        looked = [_CRITERIA[criterion] for criterion in one.neutral.criteria if criterion in _CRITERIA]
        permit = may_rank(engine, name, looked, now)
        if permit.decision == "deny":
            raise BadInput("packs.vertical.unlawful", f"{name}/pack.toml, neutral: {_because(permit)}")


def _because(permit: Permit) -> str:
    by = ", ".join(f"{rule.id}: {rule.citation}" for rule in permit.rules[:1])
    return f"{permit.says} ({by})"
