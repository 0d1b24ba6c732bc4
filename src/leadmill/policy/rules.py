"""The rules of law packs, read and judged. Pure.

A rule speaks where it is in force on the local date, concerns the lead's vertical and state, and all its predicates
hold over the evidence: a flat mapping of names such as ``consent.kind`` and ``recipient.named``. ``docs/packs.md``
lists the names.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from leadmill.consent import Proof
from leadmill.core.predicates import compile_predicate, parse
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Rule
from leadmill.parties import Buyer, Team
from leadmill.policy.model import (
    CHANNELS,
    RECIPIENT,
    UNJUDGED,
    Clearance,
    Law,
    LawRule,
    LicenceRule,
)
from leadmill.policy.provisions import Standing

Evidences = Mapping[str, Any]
Ready = tuple[LawRule, Callable[[Any, datetime], bool]]
"""A rule with its predicates compiled."""


def ready(laws: Iterable[Law], scope: str) -> list[Ready]:
    """The rules of one scope that can speak at all, compiled."""
    return [
        (rule, compile_predicate(parse(list(rule.when), f"rule {rule.id}")))
        for law in laws
        for rule in law.rules
        if rule.scope == scope and (rule.status == "in_force" or rule.switches)
    ]


def in_force(rule: LawRule | LicenceRule | Standing, day: date) -> bool:
    """Whether the rule stands on this date: begun, not ended, and neither waived, vacated nor still to come."""
    if rule.effective_from is not None and day < rule.effective_from:
        return False
    if isinstance(rule, LicenceRule):
        return True
    if rule.effective_to is not None and day >= rule.effective_to:
        return False
    if not isinstance(rule, LawRule):
        return True
    status = rule.status
    for switch in rule.switches:
        if day >= switch.from_day:
            status = switch.status
    return status == "in_force"


def day_in(zone: str | None, now: datetime) -> date:
    """The date where the lead lives, by which laws and licences stand; in UTC where its zone is not known."""
    if zone is None:
        return now.astimezone(UTC).date()
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except (KeyError, OSError, ValueError):  # unknown names, and names that are paths
        return now.astimezone(UTC).date()


def speaking(rules: Iterable[Ready], seen: Evidences, now: datetime, day: date) -> list[LawRule]:
    """The rules that speak against the evidence on this date, in the packs' order."""
    vertical, state = seen.get("vertical"), seen.get("state")
    return [
        rule
        for rule, holds in rules
        if (not rule.verticals or vertical in rule.verticals)
        and (not rule.states or state in rule.states)
        and in_force(rule, day)
        and holds(seen, now)
    ]


def closed_channels(rules: Iterable[Ready], seen: Evidences, now: datetime, day: date) -> dict[str, Because | None]:
    """Each way of contact, and what closes it on this date."""
    shut: dict[str, Because | None] = dict.fromkeys(CHANNELS)
    for rule in speaking(rules, seen, now, day):
        for channel in rule.channels or CHANNELS:
            if shut.get(channel) is None:
                shut[channel] = _spoken(rule)
    return shut


def _spoken(rule: LawRule | LicenceRule) -> Because:
    return because(RECIPIENT, says=rule.says, rule=rule.id, citation=rule.citation)


def cite(rule: LawRule) -> Rule:
    """The rule as a decision records it."""
    return Rule(rule.id, rule.citation, rule.says)


def missing_licence(
    laws: Iterable[Law], recipient: Buyer, vertical: str, state: str | None, day: date, judged: bool = False
) -> Because | None:
    """The licence rule that the recipient does not meet, or None. ``judged`` leaves out those that the engine asks.

    A lead without a known state needs a state-wide answer that nobody can give: every rule of its vertical then counts
    as unmet unless the recipient holds the licence in all states (``*``).
    """
    for law in laws:
        for rule in law.licences:
            concerned = vertical in rule.verticals and in_force(rule, day) and not (judged and rule.cases)
            if concerned and (not rule.states or state is None or state in rule.states):
                held = any(
                    licence.active
                    and licence.kind in rule.kinds
                    and ("*" in licence.states or state in licence.states)
                    and (licence.expires is None or day <= licence.expires)
                    for licence in recipient.licences
                )
                if not held:
                    return _spoken(rule)
    return None


def names_of(recipient: Buyer) -> tuple[str, ...]:
    """The recipient's legal name and brands in normal form."""
    return tuple(filter(None, map(plain, (recipient.name, *recipient.brands))))


def named_in(names: Iterable[str], sellers: frozenset[str], text: str) -> bool:
    """Whether one of a recipient's names was shown at signing: in the list of sellers, or as whole words in the text
    itself (TEL-02). Everything is in normal form, see :func:`plain`; ``text`` with a space before and after it."""
    return any(name in sellers or f" {name} " in text for name in names)


def is_named(proof: Proof | None, recipient: Buyer | Team) -> bool:
    """Whether the person was shown a buyer's name when agreeing; a team is of the house itself. A list behind a link
    was not shown (TEL-02)."""
    if isinstance(recipient, Team):
        return True
    if proof is None:
        return False
    shown = proof.sellers if proof.sellers_display != "hyperlink" else ()
    return named_in(names_of(recipient), frozenset(map(plain, shown)), f" {plain(proof.text)} ")


def plain(text: str) -> str:
    """A text as names are compared: lower case, single spaces, ``and`` for ``&``, no other sign. Full stops and
    apostrophes join what they stand between ("L.L.C.", "O'Neil"), other signs part it."""
    folded = text.casefold().translate(_JOINED)
    return " ".join(_WORD.findall(folded))


_JOINED = str.maketrans({".": None, "'": None, "’": None, "&": " and "})
_WORD = re.compile(r"[^\W_]+")


def clear_recipient(clearance: Clearance, recipient: Buyer | Team, now: datetime) -> Because | None:
    """Why this recipient may not have the lead, or None. ``now`` is the moment of the decision, for the day that a
    clearance can run out; a recipient nobody judged is refused, since missing evidence never clears."""
    refused = clearance.refused.get(recipient.id)
    if refused is not None or recipient.id in clearance.cleared:
        return refused
    return because(UNJUDGED, recipient=recipient.id)
