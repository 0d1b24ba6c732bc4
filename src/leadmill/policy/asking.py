"""Leave for what happens beside the sale itself: a message, a charge, a score, a ranking, the fields of a ping.

Called by ``flow`` and ``billing`` with the engine of the rules in force. Each makes the document of a case from what is
known and has it decided like any other. Pure.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct

from leadmill.consent import Proof
from leadmill.core.verdicts import Rule
from leadmill.parties import Certification, Demand
from leadmill.policy.cases import stamp
from leadmill.policy.decide import Engine, Result
from leadmill.policy.evidence import instant_in
from leadmill.policy.model import Decision, SuppressionFound
from leadmill.policy.traits import FEDERAL, is_unconditional

Way = Literal["call", "text", "email"]

_HOUSE = "the house"
_NOBODY: frozenset[Demand] = frozenset()
_OF_WHOM = frozenset(("person", "context", "agree"))
"""First parts of names of facts whose last part says what they are about."""

_SAME = {
    "gender": "sex",
    "browser_language": "language",
    "ethnicity": "race",
    "nationality": "national_origin",
    "adult": "age",
    "date_of_birth": "age",
}
"""What fields and facts are called here, in the law's words."""

_TIERED = {
    "credit_rating": "credit_score",
    "bureau_score": "credit_score",
    "household_income": "income",
    "annual_income": "income",
    "debt_to_income": "dti",
}
"""What fields that say the same are called where prices go by them, in the law's words."""


_BY_MACHINE: dict[str, Any] = {
    "automated": True,
    "marketing": True,
    "sender": _HOUSE,
    "seller": _HOUSE,
    "caller_id": {"assigned": True, "accepts_optout": True},
    "identifies_caller": True,
    "opt_out_offered": True,
    "tendlc": {"registered": True},
}
"""How the house itself contacts people. Whoever installs a way to send texts has its campaign registered."""


class Permit(Struct, frozen=True):
    """Leave, or why not. ``until`` is the first moment at which something deferred may go ahead; ``rules`` are those
    that speak for the decision, ``packs`` the digests of the laws asked."""

    decision: Decision
    says: str
    rules: tuple[Rule, ...] = ()
    until: datetime | None = None
    packs: dict[str, str] = {}

    @property
    def given(self) -> bool:
        """Whether it may be done now."""
        return self.decision == "allow"


class Message(Struct, frozen=True, kw_only=True):
    """A message to a person that is about to go out. ``phone`` is in E.164; ``proof`` what was agreed, where anybody
    knows; ``found`` what is suppressed and registered; ``before`` when the person was written to or called lately, each
    with the way. ``link`` says that it carries a way to unsubscribe with one click."""

    way: Way
    vertical: str
    state: str | None = None
    zip_code: str | None = None
    phone: str | None = None
    proof: Proof | None = None
    found: SuppressionFound = SuppressionFound()
    before: tuple[tuple[datetime, Way], ...] = ()
    link: bool = False


def may_message(engine: Engine, message: Message, now: datetime, demanded: Set[Demand] = _NOBODY) -> Permit:
    """Whether a message may go out now. An e-mail is about the person's own enquiry and advertises nothing; a text or a
    call is held to all that the law asks of one that does: hours, caps, lists and written consent."""
    found = message.found
    case: dict[str, Any] = {
        "action": message.way,
        "now": stamp(now),
        "vertical": message.vertical,
        "lead": {
            "state": message.state,
            "zip": message.zip_code,
            "phone": message.phone,
            "purpose": message.vertical,
            "inquiry": {"initiated_by": "consumer"},
        },
        "facts": {
            "suppression": {"phone": found.phone is not None, "email": found.email is not None},
            **_registers(found),
        },
        "history": [{"at": stamp(at), "kind": way} for at, way in message.before],
    }
    if message.way == "email":
        case["channel"] = _mail(message.link)
    else:
        case["channel"] = _BY_MACHINE
        case["consent"] = _consent(message.proof)
    return _permit(engine.decide(case, demanded))


def _registers(found: SuppressionFound) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if FEDERAL in found.registries:
        dated = found.registries[FEDERAL]
        states = [name for name in found.registries if name != FEDERAL]
        facts["dnc"] = {"listed": FEDERAL in found.listed, "registry_date": dated.isoformat()}
        if states:
            facts["dnc"]["state_listed"] = any(name in found.listed for name in states)
    if found.reassigned is not None:
        facts["rnd"] = {"result": found.reassigned}
    return facts


def _mail(link: bool) -> dict[str, Any]:
    """Our own mail: the sender is the settings', the subject the pack's. What it lacks is told only where it is known
    to be there; whether that counts is for whoever demands ``mail``."""
    carries: dict[str, Any] = {"from_true": True, "subject_true": True}
    if link:
        carries |= {"opt_out_visible": True, "one_click": True}
    return {"marketing": False, "purpose": "transactional", "email": carries}


def _consent(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None or proof.kind != "written":
        return None
    ours = [_HOUSE] if proof.origin == "form" else []
    return {
        "kind": "written",
        "box_default": proof.box_default,
        "channels": proof.channels,
        "given_at": stamp(proof.given_at) if proof.given_at is not None else None,
        "obtained_by": _HOUSE if ours else proof.obtained_by,
        "sellers_named": [*proof.sellers, *ours],
        "sellers_display": "hyperlink" if proof.sellers_display == "hyperlink" else "visible",
        "pewc": {
            "signed": True,
            "authorises_seller_marketing": True,
            "phone_number": True,
            "conspicuous": True,
            "not_condition_of_purchase": is_unconditional(proof.text),
        },
    }


def may_charge(engine: Engine, vertical: str, unit: str, now: datetime, state: str | None = None) -> Permit:
    """Whether a vertical's recipient may be charged by this unit now."""
    case = {
        "action": "bill",
        "now": stamp(now),
        "vertical": vertical,
        "lead": {"state": state},
        "pricing": {"unit": unit},
    }
    return _permit(engine.decide(case, _NOBODY))


def may_tier(
    engine: Engine, vertical: str, features: Iterable[str], state: str, certified: Iterable[str], now: datetime
) -> Permit:
    """Whether a vertical's recipient may pay more or less for a lead of a state by what these names hold. ``certified``
    is what the house is certified for; what it does not name it is not."""
    held = set(certified)
    case = {
        "action": "bill",
        "now": stamp(now),
        "vertical": vertical,
        "lead": {"state": state},
        "pricing": {"unit": "per_lead", "tiered_by": sorted({_TIERED.get(name, name) for name in features})},
        "facts": {"platform": {name: name in held for name in get_args(Certification)}},
    }
    return _permit(engine.decide(case, _NOBODY))


def may_score(engine: Engine, vertical: str, features: Iterable[str], now: datetime) -> Permit:
    """Whether a vertical's leads may be scored by what these names hold: fields and facts, as conditions name them."""
    names = {name for feature in features for name in (feature, _about(feature))}
    case = {"action": "score", "now": stamp(now), "vertical": vertical, "features": sorted(names)}
    return _permit(engine.decide(case, _NOBODY))


def may_rank(engine: Engine, vertical: str, features: Sequence[str], now: datetime) -> Permit:
    """Whether a vertical's recipients may be ranked by these on a page."""
    case = {"action": "rank", "now": stamp(now), "vertical": vertical, "rank_features": list(features)}
    return _permit(engine.decide(case, _NOBODY))


def masked_in_pings(engine: Engine, vertical: str, fields: Iterable[str], now: datetime) -> frozenset[str]:
    """Those of the fields that no ping of the vertical may carry."""
    case: dict[str, Any] = {"action": "ping", "now": stamp(now), "vertical": vertical, "ping": {"recipients": 2}}
    found = set()
    for name in fields:
        result = engine.decide({**case, "payload": {"fields": [name]}, "features": [_about(name)]}, _NOBODY)
        if result.decision == "deny":
            found.add(name)
    return frozenset(found)


def _about(feature: str) -> str:
    head, _, tail = feature.partition(".")
    name = tail if tail and head in _OF_WHOM else feature
    return _SAME.get(name, name)


def _permit(result: Result) -> Permit:
    decision: Any = result.decision
    citations = [*result.citations, *[result.citations[-1] if result.citations else ""] * len(result.rules)]
    rules = tuple(Rule(ident, citation, "") for ident, citation in zip(result.rules, citations, strict=False))
    until = instant_in(result.until) if isinstance(result.until, str) else None
    return Permit(decision, result.says, rules if decision != "allow" else (), until, result.packs)
