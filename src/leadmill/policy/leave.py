"""Leave to do something with a lead, by the same engine that answers written cases.

Called by the stations of policy with a lead's traits. A recipient is asked only what turns on the recipient; the rest
once a lead. Pure: the same traits give the same leave.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from msgspec import Struct

from leadmill.core.reasons import Because, Reason, because
from leadmill.core.verdicts import Rule
from leadmill.parties import Buyer, Demand, Team
from leadmill.policy.decide import Engine
from leadmill.policy.documents import Document, bought_by, contact_of, kept_by, known_of, page_of, ping_of, sale_of
from leadmill.policy.model import RECIPIENT, UNSURE
from leadmill.policy.traits import Traits
from leadmill.policy.weighing import Finding

_WAYS = ("call", "text")
"""The ways of contact that a lead's own evidence can close; e-mail asks for no consent and no list but our own."""

_OURS_TO_MEND = frozenset(("stale_scrub",))
"""What is denied for a fault of ours and not of the lead: it waits until somebody has seen to it."""

_OF_POSTS: frozenset[Demand] = frozenset(
    (
        *("aca", "authorization", "certificate", "dnc", "gpc", "line", "page", "reassigned", "recording", "replay"),
        *("state_dnc", "tpmo"),
    )
)
"""What no ping can bring, because it names no person: it is asked of the post."""

_PLAIN = ("zip",)
"""What every ping of ours may be taken to carry, where it is asked whether there may be pings at all."""


class Leave(Struct, frozen=True):
    """What the law says of one lead. ``against`` are the findings that forbid its sale, ``unsure`` those for which a
    person must look; ``shut`` closes ways of contact, ``waits`` are those that are closed for want of something of
    ours; ``pings`` forbids asking for bids. ``refused`` and ``doubted`` are recipients, each with what speaks first."""

    against: list[Finding]
    unsure: list[Finding]
    said: list[Finding]
    shut: dict[str, Finding]
    waits: list[Finding]
    pings: Finding | None
    refused: dict[str, Because]
    doubted: dict[str, Because]

    @property
    def obligations(self) -> list[str]:
        """What goes with the leave, each once."""
        return list(dict.fromkeys(one for finding in self.said for one in finding.obligations))


class Counsel:
    """Asks the engine about leads for these recipients. ``demands`` is the evidence that the house insists on, by
    vertical; a buyer may insist on more."""

    def __init__(
        self, engine: Engine, buyers: Iterable[Buyer], teams: Iterable[Team], demands: Mapping[str, Set[Demand]]
    ) -> None:
        self._engine = engine
        self._buyers = list(buyers)
        self._teams = list(teams)
        self._demands = {name: frozenset(items) for name, items in demands.items()}

    def give(self, traits: Traits) -> Leave:
        """The leave for a lead, or for a ping that its post will be held to."""
        demanded = self._demands.get(traits.vertical, frozenset())
        if traits.fields is not None:
            demanded -= _OF_POSTS
        known, document = known_of(traits), sale_of(traits)
        # A person may direct a lead to some though the browser objects to its sale; then that is asked of each buyer.
        directed = {**known, "gpc.directed_later": True} if traits.directed else known
        said = self._hear(document, traits, directed, demanded, "lead")
        if traits.fields is None and (traits.page is not None or "page" in demanded):
            said = [*self._hear(page_of(traits), traits, known, demanded, None), *said]
        against, unsure = _of(said, "deny"), _of(said, "review")
        refused: dict[str, Because] = {}
        doubted: dict[str, Because] = {}
        for buyer in self._buyers:
            finding = against[0] if against else self._of_buyer(document, buyer, traits, known, demanded)
            if finding is not None:
                side, reason = (refused, RECIPIENT) if finding.decision == "deny" else (doubted, UNSURE)
                side[buyer.id] = worded(finding, reason)
        for team in self._teams:
            found = self._hear(kept_by(document, team, traits), traits, known, demanded, None)
            finding = _gravest(found)
            if finding is not None:
                refused[team.id] = worded(finding, RECIPIENT)
        shut, waits = self._ways(traits, known, demanded) if traits.fields is None else ({}, [])
        pings = self.ping(traits, _PLAIN if traits.fields is None else traits.fields)
        return Leave(against, unsure, said, shut, waits, pings, refused, doubted)

    def ping(self, traits: Traits, fields: Sequence[str]) -> Finding | None:
        """What speaks against a ping with these fields, None where nothing does."""
        demanded = self._demands.get(traits.vertical, frozenset()) - _OF_POSTS
        return _gravest(self._hear(ping_of(traits, fields), traits, known_of(traits), demanded, None))

    def _of_buyer(
        self,
        document: Document,
        buyer: Buyer,
        traits: Traits,
        known: Mapping[str, Any],
        demanded: frozenset[Demand],
    ) -> Finding | None:
        more = frozenset(buyer.demands) - demanded
        if traits.fields is not None:
            more -= _OF_POSTS
        known = {**known, "consent.names_seller": buyer.id in traits.named}
        if traits.directed:
            known["gpc.directed_later"] = buyer.id in traits.directed
        # What a buyer alone insists on is asked of the whole lead.
        part = "recipient" if not more and not traits.directed else None
        return _gravest(self._hear(bought_by(document, buyer, traits), traits, known, demanded | more, part))

    def _ways(
        self, traits: Traits, known: Mapping[str, Any], demanded: Set[Demand]
    ) -> tuple[dict[str, Finding], list[Finding]]:
        shut: dict[str, Finding] = {}
        waits: list[Finding] = []
        # Who is not named may not have the lead at all, but for our own people.
        named = bool(traits.named) or (bool(self._teams) and traits.kind == "written")
        known = {**known, "consent.names_seller": named, "medicare.permission": traits.permitted}
        for way in _WAYS if traits.phone else ():
            finding = _gravest(self._hear(contact_of(traits, way), traits, known, demanded, None))
            if finding is not None:
                shut[way] = finding
                if finding.decision == "review" or finding.reason in _OURS_TO_MEND:
                    waits.append(finding)
        return shut, waits

    def _hear(
        self,
        document: Document,
        traits: Traits,
        known: Mapping[str, Any],
        demanded: Set[Demand],
        part: Any,
    ) -> list[Finding]:
        return self._engine.hear(document, traits.hour, known, demanded, part)


def _of(findings: Iterable[Finding], decision: str) -> list[Finding]:
    return [finding for finding in findings if finding.decision == decision]


def _gravest(findings: Sequence[Finding]) -> Finding | None:
    """The first that denies, else the first that asks for a person."""
    return next(iter(_of(findings, "deny") or _of(findings, "review")), None)


def worded(finding: Finding, reason: Reason) -> Because:
    """A finding as a coded reason."""
    return because(reason, says=finding.says, rule=finding.ids[0], citation=finding.citation)


def cited(findings: Iterable[Finding]) -> tuple[Rule, ...]:
    """Findings as a decision records them, each once."""
    return tuple(dict.fromkeys(Rule(finding.ids[0], finding.citation, finding.says) for finding in findings))
