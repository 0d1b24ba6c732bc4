"""The station ``policy``: what the law and the parties' papers allow.

Run after scoring. Asks whether the person opted out; then judges the lead, each way of contact, and each recipient on
the roster.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import structs

from leadmill.capture import Vertical
from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.identity import Identity
from leadmill.parties import Buyer, Demand, Roster, Team
from leadmill.policy.decide import VERTICALS, Engine
from leadmill.policy.leave import Counsel, Leave, cited, worded
from leadmill.policy.listed import listed_emails, listed_phones, sale_key
from leadmill.policy.model import (
    DENIED,
    NO_CHANNEL,
    NOT_CONSENTED,
    RECIPIENT,
    REVIEW,
    SUPPRESSED,
    UNSURE,
    Clearance,
    Law,
    LawRule,
    SuppressionAsk,
    SuppressionFound,
)
from leadmill.policy.releasing import Released, let_go
from leadmill.policy.rules import (
    cite,
    closed_channels,
    missing_licence,
    named_in,
    names_of,
    plain,
    ready,
    speaking,
)
from leadmill.policy.traits import Gatherer, Traits
from leadmill.policy.weighing import Finding

_KEPT = 10_000
"""Judgements kept for the next lead that is like one before."""


class Clear:
    """Judges by the law packs in force. Built for one revision of the rules; by vertical, ``demands`` is the evidence
    that the house insists on, ``certified`` what the house itself is certified for."""

    name = "policy"

    def __init__(
        self,
        laws: Mapping[str, Law],
        verticals: Mapping[str, Vertical],
        roster: Roster,
        keyed_hash: Callable[[str, str], bytes],
        engine: Engine,
        demands: Mapping[str, Collection[Demand]] = {},
        certified: Mapping[str, tuple[str, ...]] = {},
    ) -> None:
        self._laws = [laws[name] for name in sorted(laws)]
        self._verticals = verticals
        self._teams = list(roster.teams.values())
        self._hash = keyed_hash
        self._recipients: list[Buyer | Team] = [*roster.buyers.values(), *roster.teams.values()]
        self.names = {buyer.id: names_of(buyer) for buyer in roster.buyers.values()}
        self._lead = ready(self._laws, "lead")
        self._channel = ready(self._laws, "channel")
        self._recipient = ready(self._laws, "recipient")
        self._digests = engine.packs
        self._gatherer = Gatherer(verticals, engine.places, roster.sources, certified)
        wanted = {name: frozenset(items) for name, items in demands.items()}
        self._counsel = Counsel(engine, roster.buyers.values(), self._teams, wanted)
        self._kept: dict[Traits, Verdict] = {}
        self._shown: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
        # Of licences that the cases ask for, the engine speaks; of the others, and of verticals and places that it does
        # not know, the roster.
        self._floor = [law for law in self._laws if law.licences]
        self._standing: dict[tuple[str, str, str | None, date], Because | None] = {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Whether phone or e-mail is suppressed, by the keys that identity found, whether the person opted out of
        sale, and what registries say of the number."""
        identity = case[Identity]
        phone = bytes.fromhex(identity.keys.get("phone") or "")
        email = bytes.fromhex(identity.keys.get("email") or "")
        dossier = case[Dossier]
        return (
            SuppressionAsk(
                phone or None,
                email or None,
                listed_phones(self._hash, dossier.text("phone.e164")),
                listed_emails(self._hash, dossier.text("email.lookup")),
                tuple([sale_key(self._hash, key) for key in (phone, email) if key]),
            ),
        )

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Stop a lead that nobody may have; else clear it as far as the rules go."""
        found = next(iter(heard.values()), None)
        if not isinstance(found, SuppressionFound):
            raise Permanent("flow.answer.mismatch", "policy did not hear who opted out")
        verdict = self.decide(case, case[Proof], found, now)
        return let_go(verdict, case.get(Released))

    def decide(self, case: Case, proof: Proof, found: SuppressionFound, now: datetime) -> Verdict:
        """The verdict on this proof and these opt-outs."""
        traits = self.look(case, proof, found, now)
        # Thousands of leads come with one text and differ in nothing that their clearance turns on.
        kept = self._kept.get(traits)
        if kept is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            kept = self._kept[traits] = self._decide(traits)
        return kept

    def look(self, case: Case, proof: Proof, found: SuppressionFound, now: datetime) -> Traits:
        """What the law may look at of the lead."""
        return self._gatherer.gather(case, proof, self.named(proof), found, now, self._directed(proof))

    def _decide(self, traits: Traits) -> Verdict:
        seen, now, day = self._evidence(traits), traits.hour, traits.day
        spoken = speaking(self._lead, seen, now, day)
        deny = next((rule for rule in spoken if rule.decision == "deny"), None)
        if deny is not None:
            return Stop(_stopped(deny, seen), rules=tuple(map(cite, spoken)))
        leave = self._counsel.give(traits)
        channels = closed_channels(self._channel, seen, now, day)
        for way, finding in leave.shut.items():
            channels[way] = channels[way] or worded(finding, RECIPIENT)
        clearance = self._clearance(seen, traits, leave, channels)
        rules = (*map(cite, (*spoken, *speaking(self._channel, seen, now, day))), *cited(_told(leave)))
        if leave.against and not clearance.cleared:
            first = leave.against[0]
            return Stop(because(DENIED, says=first.says, rule=first.ids[0]), (clearance,), rules)
        why = self._waiting(spoken, leave, clearance)
        if why is not None:
            # Whoever lets it go on lets it go as far as it was cleared.
            return Hold(because(REVIEW, says=why[0], rule=why[1]), learned=(_released(clearance),), rules=rules)
        shut = [item for item in channels.values() if item is not None]
        if len(shut) == len(channels):
            return Stop(because(NO_CHANNEL, says=shut[0].message), (clearance,), rules)
        return Pass((clearance,), rules)

    def _waiting(self, spoken: Sequence[LawRule], leave: Leave, clearance: Clearance) -> tuple[str, str] | None:
        """For what a person must look before the lead goes on: the words and the rule."""
        if spoken:
            return spoken[0].says, spoken[0].id
        bought = [name for name in clearance.cleared if name in self.names]
        doubted = [why for why in clearance.refused.values() if why.code == UNSURE.code]
        finding = next(iter((*leave.unsure, *leave.waits)), None) if bought or doubted else None
        if finding is not None:
            return finding.says, finding.ids[0]
        if doubted and not clearance.cleared:
            return str(doubted[0].detail["says"]), str(doubted[0].detail["rule"])
        return None

    def _evidence(self, traits: Traits) -> dict[str, Any]:
        vertical = self._verticals.get(traits.vertical)
        return {
            "vertical": traits.vertical,
            "state": traits.state,
            "consent.kind": traits.kind,
            "consent.required": vertical.consent_required if vertical else True,
            "consent.box_default": traits.box,
            "consent.channels": list(traits.channels),
            "consent.refused": list(traits.refused),
            "consent.not_condition": traits.unconditional,
            "phone.valid": traits.phone,
            "email.valid": traits.email,
            "suppressed.phone": traits.no_phone,
            "suppressed.email": traits.no_email,
            "in_house": any(not team.verticals or traits.vertical in team.verticals for team in self._teams),
        }

    def _clearance(
        self, seen: dict[str, Any], traits: Traits, leave: Leave, channels: dict[str, Because | None]
    ) -> Clearance:
        cleared: list[str] = []
        refused: dict[str, Because] = {}
        for recipient in self._recipients:
            against = self._against(recipient, seen, traits, leave)
            if against is None:
                cleared.append(recipient.id)
            else:
                refused[recipient.id] = against
        return Clearance(
            channels=channels,
            cleared=cleared,
            refused=refused,
            packs=self._digests,
            obligations=leave.obligations,
            pings=worded(leave.pings, RECIPIENT) if leave.pings is not None else None,
        )

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

    def _directed(self, proof: Proof) -> frozenset[str]:
        """The buyers to whom the person told us to give the lead, by id."""
        if not proof.directed_to:
            return frozenset()
        told = frozenset(map(plain, proof.directed_to))
        return frozenset(buyer for buyer, names in self.names.items() if not told.isdisjoint(names))

    def _against(self, recipient: Buyer | Team, seen: dict[str, Any], traits: Traits, leave: Leave) -> Because | None:
        outside = isinstance(recipient, Buyer)
        # What is known of a recipient takes the place of what was known of the one before, all of it.
        seen |= _of_buyer(recipient, traits.day) if isinstance(recipient, Buyer) else _OF_TEAM
        if isinstance(recipient, Buyer):
            seen["recipient.named"] = recipient.id in traits.named
        spoken = [rule for rule in speaking(self._recipient, seen, traits.hour, traits.day) if outside or rule.in_house]
        if spoken:
            rule = spoken[0]
            return because(RECIPIENT, says=rule.says, rule=rule.id, citation=rule.citation)
        if isinstance(recipient, Buyer) and (lacks := self._licence(recipient, traits)) is not None:
            return lacks
        return leave.refused.get(recipient.id) or leave.doubted.get(recipient.id)

    def _licence(self, recipient: Buyer, traits: Traits) -> Because | None:
        # The same few answers are asked for with every lead of a day; a step lives as long as a revision.
        vertical, state, day = traits.vertical, traits.state, traits.day
        judged = traits.known_state and vertical in VERTICALS
        key = (recipient.id, f"{vertical} {judged}", state, day)
        if key not in self._standing:
            if len(self._standing) > 50_000:
                self._standing.clear()
            self._standing[key] = missing_licence(self._floor, recipient, vertical, state, day, judged)
        return self._standing[key]


def _told(leave: Leave) -> list[Finding]:
    """What is recorded of the leave: what speaks of the lead itself, and what closes ways of contact; the rules about
    recipients stand with each of them."""
    pings = [leave.pings] if leave.pings is not None else []
    return [*leave.said, *leave.shut.values(), *pings]


def _released(clearance: Clearance) -> Clearance:
    """The clearance as it is once a person has looked: where nobody else may have the lead, those of whom somebody had
    to be sure."""
    doubted = [name for name, why in clearance.refused.items() if why.code == UNSURE.code]
    if clearance.cleared or not doubted:
        return clearance
    refused = {name: why for name, why in clearance.refused.items() if name not in doubted}
    return structs.replace(clearance, cleared=doubted, refused=refused)


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
