"""The law engine: one case in, one decision out, with the rules that speak for it.

Built once from the law packs; deciding is pure. Every rule and provision that concerns the case's action, vertical and
places is asked, and the gravest answer stands: deny over review over defer over allow. What is missing never passes.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from leadmill.core.predicates import Check, compile_predicate, parse
from leadmill.facts import Reference
from leadmill.parties import Demand
from leadmill.policy.calendars import Calendar
from leadmill.policy.cases import moment_of, stamp
from leadmill.policy.clocks import Deferral, first_free
from leadmill.policy.contacts import CONTACTS
from leadmill.policy.dealings import DEALINGS
from leadmill.policy.evidence import Evidence, Setting
from leadmill.policy.families import EVERY, FAMILIES, families_in, names_in
from leadmill.policy.model import ACTIONS, Law, LawRule, LicenceRule
from leadmill.policy.places import Places
from leadmill.policy.provisions import Cap, Deadline, Sensitive, Wait, Window
from leadmill.policy.replies import Reply, classify_reply
from leadmill.policy.rules import in_force
from leadmill.policy.shapes import shapes_of
from leadmill.policy.weighing import (
    Finding,
    Holds,
    stands,
    weigh_cap,
    weigh_deadline,
    weigh_licence,
    weigh_sensitive,
    weigh_wait,
    weigh_windows,
)

VERTICALS = (
    *("mortgage", "insurance_auto", "insurance_life", "insurance_health", "insurance_medicare", "legal", "solar"),
    *("education", "home_services", "b2b", "debt_relief"),
)
"""What a lead may be for, as far as law knows it."""

_GRAVEST = ("deny", "review", "defer", "allow")
_HOUSE = "House rule: missing evidence never passes"


class Result(Struct, frozen=True, omit_defaults=False):
    """The decision on a case: the reason in a word and in a sentence, the first moment at which a deferred one may go
    ahead, what goes with it, the rules that speak for it with their citations, and the digest of each pack."""

    id: Any
    decision: str
    reason: str
    says: str
    rules: list[str]
    citations: list[str]
    obligations: list[str]
    packs: dict[str, str]
    until: str | UnsetType = UNSET


Part = Literal["lead", "recipient"]
"""Which rules are asked: those that are the same whoever gets the lead, or those that look at the recipient."""

_NONE: frozenset[Demand] = frozenset()
_THEIRS = frozenset(
    (
        *("purpose.differs", "consent.names_seller", "health.sale_authorized", "tpmo.chosen", "sold_elsewhere"),
        "dnc.relationship",
    )
)
"""The derived names that turn on who the recipient is, besides all that begin with ``recipient.``."""


class _Ready(Struct, frozen=True):
    """A rule compiled; None for states that do not matter, ``dated`` where its day does. ``kinds`` are the families of
    evidence it looks at, ``theirs`` says that it looks at the recipient."""

    rule: LawRule
    holds: Check
    states: frozenset[str] | None
    reached: frozenset[str] | None
    dated: bool
    kinds: frozenset[Demand]
    theirs: bool


def _readied(rule: LawRule) -> _Ready:
    dated = bool(rule.effective_from or rule.effective_to or rule.switches) or rule.status != "in_force"
    holds = compile_predicate(parse(list(rule.when), f"rule {rule.id}"))
    names = names_in(rule)
    theirs = any(name in _THEIRS or name.removeprefix("given.").startswith("recipient.") for name in names)
    states, reached = frozenset(rule.states) or None, frozenset(rule.reached) or None
    return _Ready(rule, holds, states, reached, dated, families_in(names), theirs)


class _Bench(Struct, frozen=True):
    """All that concerns one action in one vertical, compiled."""

    rules: list["_Ready"]
    windows: dict[str, list[tuple[Window, Holds]]]
    caps: list[tuple[Cap, Holds]]
    waits: list[tuple[Wait, Holds]]
    deadlines: list[tuple[Deadline, Holds]]
    sensitive: list[tuple[Sensitive, Holds]]
    licences: list[LicenceRule]


class Engine:
    """Decides cases by the laws given. Safe to keep; holds no state but what it has compiled. ``packs`` are the laws'
    digests, ``places`` who finds where a person may be, ``read_reply`` who reads a person's words."""

    def __init__(
        self,
        laws: Iterable[Law],
        reference: Reference,
        read_reply: Callable[[str], Reply] = classify_reply,
    ) -> None:
        self.laws = sorted(laws, key=lambda law: law.name)
        zones: dict[str, tuple[str, ...]] = {}
        of_zip: dict[str, tuple[str, ...]] = {}
        for law in self.laws:
            zones |= law.zones
            of_zip |= law.zip_zones
        everywhere = next((law.everywhere for law in self.laws if law.everywhere), ("UTC",))
        terms = {term.name: compile_predicate(term.when) for law in self.laws for term in law.terms}
        self.places = Places(reference, zones, everywhere, of_zip)
        calendar = Calendar([day for law in self.laws for day in law.holidays])
        self._setting = Setting(CONTACTS | DEALINGS, terms, self.places, calendar, read_reply, shapes_of(self.laws))
        self.read_reply = read_reply
        self.packs = {law.name: law.digest for law in self.laws}
        self._benches: dict[tuple[str, str], _Bench] = {}

    def decide(self, case: Mapping[str, Any], demanded: Set[Demand] = EVERY) -> Result:
        """The decision on a whole case, see :func:`leadmill.policy.cases.read_case`. Raises BadInput where it has no
        moment. Rules about kinds of evidence that the case lacks and nobody has ``demanded`` are not asked, and
        verticals of one's own are judged by what holds in all; a written case is held to everything."""
        e = Evidence(case, moment_of(case), self._setting)
        findings, deferrals = self._findings(e, _closed(e, demanded), written=demanded is EVERY)
        gravest = next((one for one in _GRAVEST if any(finding.decision == one for finding in findings)), "allow")
        speaking = [finding for finding in findings if finding.decision == gravest]
        until = first_free(e.now, deferrals) if gravest == "defer" else None
        if gravest == "defer" and until is None:
            gravest = "deny"
        first = speaking[0] if speaking and gravest != "allow" else None
        return Result(
            id=case.get("id"),
            decision=gravest,
            reason=first.reason if first else "nothing_against_it",
            says=first.says if first else "No rule speaks against it.",
            rules=list(dict.fromkeys(ident for finding in speaking for ident in finding.ids)),
            citations=list(dict.fromkeys(finding.citation for finding in speaking)),
            obligations=list(dict.fromkeys(one for finding in findings for one in finding.obligations)),
            packs=self.packs,
            until=stamp(until) if until is not None else UNSET,
        )

    def findings(self, case: Mapping[str, Any]) -> list[Finding]:
        """Everything that speaks of a case, the lighter beside the graver; for those who test a pack."""
        return self._findings(Evidence(case, moment_of(case), self._setting))[0]

    def hear(
        self,
        case: Mapping[str, Any],
        now: datetime,
        known: Mapping[str, Any],
        demanded: Set[Demand],
        part: Part | None = None,
    ) -> list[Finding]:
        """What the rules say of something that happens, as :meth:`findings`, hours and holds left out. ``known`` is
        derived evidence worked out already; ``part`` leaves out the rules that look at the recipient, or the others."""
        e = Evidence(case, now, self._setting, known)
        return self._findings(e, _closed(e, demanded), part, written=False, timed=False)[0]

    def unread(self, ident: Any) -> Result:
        """What is answered to a case that cannot be read: a person must look."""
        says = "The case cannot be read."
        return Result(ident, "review", "case_malformed", says, ["ENG-3"], [_HOUSE], [], self.packs)

    def _findings(
        self,
        e: Evidence,
        closed: Set[Demand] = _NONE,
        part: Part | None = None,
        *,
        written: bool = True,
        timed: bool = True,
    ) -> tuple[list[Finding], list[Deferral]]:
        action, vertical = e.get("action"), e.get("vertical")
        if action not in ACTIONS:
            return [Finding("review", ("ENG-3",), _HOUSE, "evidence_missing", "Nobody knows what is to be done.")], []
        findings: list[Finding] = []
        if vertical not in VERTICALS and action != "request" and written:
            findings.append(
                Finding("review", ("ENG-3",), _HOUSE, "evidence_missing", "Nobody knows what the lead is for.")
            )
        bench = self._bench(action, vertical if vertical in VERTICALS else "")
        for ready in bench.rules:
            asked = (part is None or ready.theirs is (part == "recipient")) and closed.isdisjoint(ready.kinds)
            if asked and _speaks(ready, e):
                rule = ready.rule
                ids = (rule.id, *rule.also)
                findings.append(Finding(rule.decision, ids, rule.citation, rule.reason, rule.says, rule.obligations))
        deferrals = _timed(bench, e, findings) if timed else []
        if part != "recipient" and bench.sensitive and e.get("sale") and e.get("sensitive.categories"):
            for one, holds in bench.sensitive:
                if stands(one, holds, e):
                    _add(findings, weigh_sensitive(one, e))
        if part != "lead" and bench.licences and e.get("sale"):
            for licence in bench.licences:
                _add(findings, weigh_licence(licence, e, closed))
        if written and e.garbled:
            says = "Something that the law turns on is not written as anybody could read it."
            findings.append(Finding("review", ("ENG-3",), _HOUSE, "evidence_unreadable", says))
        return findings, deferrals

    def _bench(self, action: str, vertical: str) -> _Bench:
        found = self._benches.get((action, vertical))
        if found is None:
            found = self._benches[action, vertical] = self._gather(action, vertical)
        return found

    def _gather(self, action: str, vertical: str) -> _Bench:
        bench = _Bench([], {}, [], [], [], [], [])
        kinds: list[tuple[type, list[Any]]] = [
            (Cap, bench.caps),
            (Wait, bench.waits),
            (Deadline, bench.deadlines),
            (Sensitive, bench.sensitive),
        ]
        for law in self.laws:
            for rule in law.rules:
                if action in rule.actions and (not rule.verticals or vertical in rule.verticals):
                    bench.rules.append(_readied(rule))
            for one in law.provisions:
                if action in one.actions and (not one.verticals or vertical in one.verticals):
                    ready = (one, compile_predicate(one.when))
                    if isinstance(one, Window):
                        for state in one.states:
                            bench.windows.setdefault(state, []).append(ready)  # type: ignore[arg-type]
                    else:
                        next(place for kind, place in kinds if isinstance(one, kind)).append(ready)
            if action in ("route", "sell"):
                bench.licences.extend(one for one in law.licences if one.cases and vertical in one.verticals)
        return bench


def _speaks(one: _Ready, e: Evidence) -> bool:
    if one.states is not None and one.states.isdisjoint(e.where.home):
        return False
    if one.reached is not None and one.reached.isdisjoint(e.where.reached):
        return False
    rule = one.rule
    if one.dated:
        day = e.now.astimezone(ZoneInfo(rule.zone)).date() if rule.zone else e.today
        if not in_force(rule, day):
            return False
    return one.holds(e, e.now) and (not rule.absent or any(e.get(name) is None for name in rule.absent))


def _timed(bench: _Bench, e: Evidence, findings: list[Finding]) -> list[Deferral]:
    """What turns on the hour, on what was done before and on terms of days, added to the findings; and what defers."""
    deferrals: list[Deferral] = []
    if bench.windows:
        shut, deferral = weigh_windows(bench.windows, e)
        findings += shut
        deferrals += [deferral] if deferral else []
    for cap, holds in bench.caps:
        if stands(cap, holds, e):
            _add(findings, weigh_cap(cap, e))
    for wait, holds in bench.waits:
        if stands(wait, holds, e):
            held = weigh_wait(wait, e)
            if held:
                findings.append(held[0])
                deferrals.append(held[1])
    for deadline, holds in bench.deadlines:
        if stands(deadline, holds, e):
            _add(findings, weigh_deadline(deadline, e))
    return deferrals


def _closed(e: Evidence, demanded: Set[Demand]) -> frozenset[Demand]:
    """The kinds of evidence that nobody demands and the case does not come with."""
    return frozenset(kind for kind in EVERY - demanded if e.get(FAMILIES[kind].witness) is None)


def _add(findings: list[Finding], found: Finding | None) -> None:
    if found is not None:
        findings.append(found)
