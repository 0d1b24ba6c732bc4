"""The station ``policy``: what the law and the parties' papers allow.

Run after scoring. Asks whether the person opted out; then judges the lead, each way of contact, and each recipient on
the roster.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from leadmill.capture import Lead, Vertical
from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.identity import Identity
from leadmill.parties import Buyer, Roster, Team
from leadmill.policy.listed import listed_emails, listed_phones
from leadmill.policy.model import (
    DENIED,
    NO_CHANNEL,
    NOT_CONSENTED,
    RECIPIENT,
    REVIEW,
    SUPPRESSED,
    Clearance,
    Law,
    LawRule,
    SuppressionAsk,
    SuppressionFound,
)
from leadmill.policy.rules import (
    cite,
    closed_channels,
    day_in,
    missing_licence,
    named_in,
    names_of,
    plain,
    ready,
    speaking,
)

_KEPT = 10_000
"""Judgements kept for the next lead that is like one before."""

_CONDITION = ("not a condition", "not required", "without purchase", "no purchase necessary")
"""How disclosures say that consent is not a condition of purchase (47 CFR 64.1200(f)(9)(i)(B))."""


class Clear:
    """Judges by the law packs in force. Built for one revision of the rules."""

    name = "policy"

    def __init__(
        self,
        laws: Mapping[str, Law],
        verticals: Mapping[str, Vertical],
        roster: Roster,
        keyed_hash: Callable[[str, str], bytes],
    ) -> None:
        # Packs that speak of cases alone have no part in the walk, nor in what it records.
        self._laws = [laws[name] for name in sorted(laws) if laws[name].walks]
        self._verticals = verticals
        self._teams = list(roster.teams.values())
        self._hash = keyed_hash
        self._recipients: list[Buyer | Team] = [*roster.buyers.values(), *roster.teams.values()]
        self.names = {buyer.id: names_of(buyer) for buyer in roster.buyers.values()}
        self._lead = ready(self._laws, "lead")
        self._channel = ready(self._laws, "channel")
        self._recipient = ready(self._laws, "recipient")
        self._digests = {law.name: law.digest for law in self._laws}
        self._kept: dict[tuple[Any, ...], tuple[list[str], dict[str, Because]]] = {}
        self._shown: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
        self._standing: dict[tuple[str, str, str | None, date], Because | None] = {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Whether phone or e-mail is suppressed, by the keys that identity found."""
        identity = case[Identity]
        phone, email = identity.keys.get("phone"), identity.keys.get("email")
        dossier = case[Dossier]
        return (
            SuppressionAsk(
                bytes.fromhex(phone) if phone else None,
                bytes.fromhex(email) if email else None,
                listed_phones(self._hash, dossier.text("phone.e164")),
                listed_emails(self._hash, dossier.text("email.lookup")),
            ),
        )

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Stop a lead that nobody may have; else clear it as far as the rules go."""
        return self.decide(case, case[Proof], heard.to(self.wants(case)[0], SuppressionFound), now)

    def decide(self, case: Case, proof: Proof, found: SuppressionFound, now: datetime) -> Verdict:
        """The verdict on this proof and these opt-outs."""
        seen = self._evidence(case, proof, found)
        day = day_in(case[Dossier].text("zip.zone"), now)
        spoken = speaking(self._lead, seen, now, day)
        deny = next((rule for rule in spoken if rule.decision == "deny"), None)
        if deny is not None:
            return Stop(_stopped(deny, seen), rules=tuple(map(cite, spoken)))
        channels = closed_channels(self._channel, seen, now, day)
        shut = [item for item in channels.values() if item is not None]
        clearance = self._clearance(seen, proof, channels, now, day)
        if spoken:
            # Whoever lets it go on lets it go as far as it was cleared.
            why = because(REVIEW, says=spoken[0].says, rule=spoken[0].id)
            return Hold(why, learned=(clearance,), rules=tuple(map(cite, spoken)))
        rules = tuple(map(cite, speaking(self._channel, seen, now, day)))
        if len(shut) == len(channels):
            return Stop(because(NO_CHANNEL, says=shut[0].message), (clearance,), rules)
        return Pass((clearance,), rules)

    def _evidence(self, case: Case, proof: Proof, found: SuppressionFound) -> dict[str, Any]:
        lead, dossier = case[Lead], case[Dossier]
        vertical = self._verticals.get(lead.vertical)
        text = proof.text.casefold()
        state = dossier.text("zip.state") or lead.text("state")
        return {
            "vertical": lead.vertical,
            "state": state,
            "consent.kind": proof.kind,
            "consent.required": vertical.consent_required if vertical else True,
            "consent.box_default": proof.box_default,
            "consent.channels": proof.channels,
            "consent.refused": proof.refused,
            "consent.not_condition": any(words in text for words in _CONDITION),
            "phone.valid": dossier.outcome("phone.valid") == "pass",
            "email.valid": dossier.outcome("email.syntax") == "pass",
            "suppressed.phone": found.phone is not None,
            "suppressed.email": found.email is not None,
            "in_house": any(not team.verticals or lead.vertical in team.verticals for team in self._teams),
        }

    def _clearance(
        self, seen: dict[str, Any], proof: Proof, channels: dict[str, Because | None], now: datetime, day: date
    ) -> Clearance:
        # Thousands of leads come with one text and differ in nothing that a recipient's clearance turns on.
        named = self.named(proof)
        known = (tuple(value) if isinstance(value, list) else value for value in seen.values())
        key = (named, day, *known)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            kept = self._kept[key] = self._judge_recipients(seen, named, now, day)
        cleared, refused = kept
        return Clearance(channels=channels, cleared=cleared, refused=refused, packs=self._digests)

    def named(self, proof: Proof) -> frozenset[str]:
        """The buyers who were named when consent was given, by id."""
        # A list behind a link was not shown (TEL-02).
        shown = tuple(proof.sellers) if proof.sellers_display != "hyperlink" else ()
        key = (proof.text, shown)
        found = self._shown.get(key)
        if found is None:
            sellers = frozenset(map(plain, shown))
            text = f" {plain(proof.text)} "
            found = frozenset(buyer for buyer, names in self.names.items() if named_in(names, sellers, text))
            if len(self._shown) >= _KEPT:
                self._shown.clear()
            self._shown[key] = found
        return found

    def _judge_recipients(
        self, seen: dict[str, Any], named: frozenset[str], now: datetime, day: date
    ) -> tuple[list[str], dict[str, Because]]:
        cleared: list[str] = []
        refused: dict[str, Because] = {}
        for recipient in self._recipients:
            against = self._against(recipient, seen, named, now, day)
            if against is None:
                cleared.append(recipient.id)
            else:
                refused[recipient.id] = against
        return cleared, refused

    def _against(
        self, recipient: Buyer | Team, seen: dict[str, Any], named: frozenset[str], now: datetime, day: date
    ) -> Because | None:
        outside = isinstance(recipient, Buyer)
        # What is known of a recipient takes the place of what was known of the one before, all of it.
        seen |= _of_buyer(recipient, day) if isinstance(recipient, Buyer) else _OF_TEAM
        if isinstance(recipient, Buyer):
            seen["recipient.named"] = recipient.id in named
        spoken = [rule for rule in speaking(self._recipient, seen, now, day) if outside or rule.in_house]
        if spoken:
            rule = spoken[0]
            return because(RECIPIENT, says=rule.says, rule=rule.id, citation=rule.citation)
        if isinstance(recipient, Buyer):
            return self._licence(recipient, seen["vertical"], seen["state"], day)
        return None

    def _licence(self, recipient: Buyer, vertical: str, state: str | None, day: date) -> Because | None:
        # The same few answers are asked for with every lead of a day; a step lives as long as a revision.
        key = (recipient.id, vertical, state, day)
        if key not in self._standing:
            if len(self._standing) > 50_000:
                self._standing.clear()
            self._standing[key] = missing_licence(self._laws, recipient, vertical, state, day)
        return self._standing[key]


def _of_buyer(buyer: Buyer, day: date) -> dict[str, bool]:
    terms = buyer.contract
    if terms is not None and (terms.signed > day or (terms.ends is not None and day > terms.ends)):
        terms = None
    return {
        "recipient.in_house": False,
        "recipient.vetted": buyer.vetted,
        "recipient.certifies_use": buyer.certifies_use,
        "recipient.contract": terms is not None,
        "recipient.privacy_terms": terms is not None and terms.privacy_terms,
    }


_OF_TEAM = {
    "recipient.in_house": True,
    "recipient.named": None,
    "recipient.vetted": None,
    "recipient.certifies_use": None,
    "recipient.contract": None,
    "recipient.privacy_terms": None,
}


def _stopped(rule: LawRule, seen: Mapping[str, Any]) -> Because:
    if rule.stops == "suppressed":
        what = " and ".join(name for name in ("phone", "email") if seen[f"suppressed.{name}"])
        return because(SUPPRESSED, what=what, rule=rule.id)
    if rule.stops == "consent":
        return because(NOT_CONSENTED, rule=rule.id)
    return because(DENIED, says=rule.says, rule=rule.id)
