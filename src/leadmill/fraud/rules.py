"""Which signals a lead raises, and how likely they make a fraud of it.

Pure. What is unknown raises nothing: a lead without an IP address, a form without a script, a fact nobody found out.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from leadmill.capture import Lead, Value
from leadmill.consent import Proof, read_moment
from leadmill.facts import Dossier
from leadmill.fraud.model import Card, Kind, Path, Raised, Sighted, Sighting
from leadmill.fraud.signals import SIGNALS

Detector = Callable[[Lead, Dossier, Proof | None, Sighted | None, bool], list[Raised]]
"""Says which signals a lead raises; the last argument is whether somebody of the person's household shares a key."""

_AUTOMATION = re.compile(
    r"headless|phantomjs|selenium|webdriver|puppeteer|playwright|slimerjs|cypress/|jsdom|htmlunit|splash/|nightmare",
    re.IGNORECASE,
)
_TOO_FAST = 3.0
"""Seconds under which nobody fills in a form by hand."""
_KEYS = 20
"""Keys from which on their rhythm says anything."""
_GAP = 20
"""Milliseconds between keys that no fingers keep up."""
_SPREAD = 8
"""Per cent of the median gap within which half of a person's gaps never lie."""
_PASTES = 3
_NOT = frozenset(("", "0", "no", "false", "off", "none"))
_SKEW = timedelta(hours=26)
"""How far a time without its zone, or a clock, may be ahead."""
_HOUR = timedelta(hours=1)
_TURNED = {"door": "were stopped at the door", "returned": "came back"}
_WHAT: dict[Kind, str] = {"phone": "phone number", "email": "e-mail address"}


def build_detector(card: Card) -> Detector:
    """The detector of a card; signals without a weight are not looked for."""
    weights = {code: weight for code, weight in card.weights.items() if weight}
    facts = [
        (one.fact, one.flag, code, weights[code])
        for code, one in SIGNALS.items()
        if one.fact is not None and code in weights
    ]

    def detect(
        lead: Lead, dossier: Dossier, proof: Proof | None, sighted: Sighted | None, household: bool
    ) -> list[Raised]:
        found: list[Raised] = []

        def raised(code: str, **detail: Any) -> None:
            weight = weights.get(code)
            if weight:
                found.append(Raised(code, weight, detail))

        known = dossier.by_key
        for key, flag, code, weight in facts:
            fact = known.get(key)
            if fact is not None and (fact.value is True if flag else fact.outcome == "fail"):
                found.append(Raised(code, weight))
        _form(lead.context, raised, form_fast="form.fast" in known and known["form.fast"].outcome == "fail")
        _times(card, lead, proof, raised)
        if sighted is not None:
            for item in sighted.sightings:
                _often(card, item, raised)
                _recycled(card, item, household, raised)
                _burned(card, item, weights, found)
            if sighted.hour is not None and sighted.usual is not None and is_burst(card, sighted.hour, sighted.usual):
                raised("source.burst", count=sighted.hour, usual=round(sighted.usual))
            if sighted.poor is not None:
                raised("source.poor", share=sighted.poor)
            if sighted.turned is not None:
                raised(
                    "source.turned", what=_TURNED.get(sighted.turned, sighted.turned), since=sighted.since or "lately"
                )
        return _strongest(found)

    return detect


def _form(context: dict[str, Value], raised: Callable[..., None], form_fast: bool) -> None:
    agent = context.get("user_agent")
    if isinstance(agent, str) and _AUTOMATION.search(agent):
        raised("agent.automation")
    if context.get("webdriver") is True:
        raised("form.webdriver")
    trapped = context.get("trapped")
    if isinstance(trapped, str) and trapped.strip().casefold() not in _NOT:
        raised("form.honeypot")
    seconds = _number(context, "filled_seconds")
    if not form_fast and seconds is not None and 0 <= seconds < _TOO_FAST:
        raised("form.fast")
    keys, pastes, fills = (_number(context, name) for name in ("key_count", "paste_count", "fill_count"))
    if keys == 0 and pastes == 0 and fills == 0:
        raised("form.untouched")
    if pastes is not None and pastes >= _PASTES:
        raised("form.pasted", count=int(pastes))
    gap, spread = _number(context, "key_gap_ms"), _number(context, "key_gap_spread")
    enough = keys is not None and keys >= _KEYS
    if enough and gap is not None and spread is not None and (gap < _GAP or spread < _SPREAD):
        raised("form.rhythm", gap=round(gap), spread=round(spread))


def _times(card: Card, lead: Lead, proof: Proof | None, raised: Callable[..., None]) -> None:
    came = lead.received_at
    sent = read_moment(lead.context.get("captured_at"))
    if sent is not None and came - sent >= timedelta(hours=card.posted_hours):
        raised("recycled.posted", hours=(came - sent) // _HOUR)
    # The proof counts a time after the arrival from the arrival: what was claimed stands with the lead.
    given = read_moment(lead.consent.get("given_at"))
    if given is not None and given - came > _SKEW:
        raised("consent.future", hours=(given - came) // _HOUR)
    if proof is not None and proof.given_at is not None and came - proof.given_at > timedelta(days=card.consent_days):
        raised("consent.stale", days=(came - proof.given_at).days)


def _often(card: Card, item: Sighting, raised: Callable[..., None]) -> None:
    """The widest excess of each sort: of several windows that are exceeded, the one that is so most."""
    windows = card.windows.get(item.kind, ())
    for sort, limits, seen in (
        ("velocity", card.limits.get(item.kind, ()), item.counts),
        ("crowd", card.crowds.get(item.kind, ()), item.persons),
    ):
        over = [
            (count / most, window, count, most)
            for window, most, count in zip(windows, limits, seen, strict=False)
            if most is not None and count > most
        ]
        if over:
            _, window, count, most = max(over)
            raised(f"{sort}.{item.kind}", count=count, window=words_of(window), most=most)


def _recycled(card: Card, item: Sighting, household: bool, raised: Callable[..., None]) -> None:
    what = _WHAT.get(item.kind)
    if what is None:
        return
    if item.elsewhere is not None and item.elsewhere >= card.recycled_days:
        raised("recycled.source", what=what, days=item.elsewhere)
    if item.vertical is not None and item.vertical >= card.recycled_days:
        raised("recycled.vertical", what=what, days=item.vertical)
    if item.names and not household:
        raised("recycled.name", what=what, names=item.names)


def _burned(card: Card, item: Sighting, weights: dict[str, int], found: list[Raised]) -> None:
    code = f"burned.{item.kind}"
    whole = weights.get(code)
    if not whole or not item.burned:
        return
    weight = round(100 * burned_weight(whole / 100, item.burned, card.half_life_days))
    if weight:
        found.append(Raised(code, weight, {"count": len(item.burned), "days": min(item.burned) // 24}))


def burned_weight(whole: float, hours: Iterable[int], half_life_days: int) -> float:
    """What returns say after so many hours: each ``whole`` at first, half of it after a half-life, and together as
    independent reasons, 1 − Π(1 − w)."""
    left = 1.0
    for age in hours:
        left *= 1 - whole * 0.5 ** (max(0, age) / 24 / half_life_days)
    return 1 - left


def is_burst(card: Card, hour: int, usual: float) -> bool:
    """Whether a source sends more within an hour than it ever does: over ``burst_least``, and over ``burst_factor``
    times what it usually sends in an hour in which it sends at all."""
    return hour > max(card.burst_least, card.burst_factor * usual)


def _strongest(found: list[Raised]) -> list[Raised]:
    """Each signal once, by its strongest instance; the heaviest first."""
    best: dict[str, Raised] = {}
    for item in found:
        held = best.get(item.code)
        if held is None or item.weight > held.weight:
            best[item.code] = item
    return sorted(best.values(), key=lambda item: (-item.weight, item.code))


def weigh(raised: Iterable[Raised]) -> int:
    """The score, 0 to 100: how likely it is that at least one reason holds, 1 − Π(1 − w), the weight w of a family
    being that of its strongest signal ("noisy or": Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, 4.3.2).

    Families are taken as independent of one another; signals within one are not, so they do not add up.
    """
    left: dict[str, float] = {}
    for item in raised:
        known = SIGNALS.get(item.code)
        family = known.family if known is not None else item.code
        left[family] = min(left.get(family, 1.0), 1 - item.weight / 100)
    product = 1.0
    for share in left.values():
        product *= share
    return round(100 * (1 - product))


def path_of(card: Card, score: int) -> Path:
    """Where a lead of this score goes."""
    if score >= card.reject_at:
        return "reject"
    return "review" if score >= card.review_at else "pass"


def words_of(seconds: int) -> str:
    """A window in words: ``1 hour``, ``24 hours``, ``30 days``."""
    hours = seconds // 3600
    if hours > 48 and hours % 24 == 0:
        return f"{hours // 24} days"
    return f"{hours} hour{'' if hours == 1 else 's'}"


def hours_between(earlier: datetime, later: datetime) -> int:
    """Whole hours from one moment to another, none less than 0."""
    return max(0, (later - earlier) // _HOUR)


def _number(context: dict[str, Value], name: str) -> float | None:
    value = context.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
