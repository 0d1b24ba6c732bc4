"""The law engine: one case in, one decision out, with the rules that speak for it.

Built once from the law packs; deciding is pure. Every rule and provision that concerns the case's action, vertical and
places is asked, and the gravest answer stands: deny over review over defer over allow. What is missing never passes.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct, UnsetType

from leadmill.core.predicates import Check, compile_predicate, parse
from leadmill.facts import Reference
from leadmill.policy.calendars import Calendar
from leadmill.policy.cases import moment_of, stamp
from leadmill.policy.clocks import Deferral, first_free
from leadmill.policy.contacts import CONTACTS
from leadmill.policy.dealings import DEALINGS
from leadmill.policy.evidence import Evidence, Setting
from leadmill.policy.model import ACTIONS, Law, LawRule, LicenceRule
from leadmill.policy.places import Places
from leadmill.policy.provisions import Cap, Deadline, Sensitive, Wait, Window
from leadmill.policy.replies import classify_reply
from leadmill.policy.rules import in_force
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


class _Ready(Struct, frozen=True):
    """A rule compiled; None for states that do not matter, ``dated`` where its day does."""

    rule: LawRule
    holds: Check
    states: frozenset[str] | None
    reached: frozenset[str] | None
    dated: bool


def _readied(rule: LawRule) -> _Ready:
    dated = bool(rule.effective_from or rule.effective_to or rule.switches) or rule.status != "in_force"
    holds = compile_predicate(parse(list(rule.when), f"rule {rule.id}"))
    return _Ready(rule, holds, frozenset(rule.states) or None, frozenset(rule.reached) or None, dated)


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
    """Decides cases by the laws given. Safe to keep; holds no state but what it has compiled."""

    def __init__(self, laws: Iterable[Law], reference: Reference) -> None:
        self.laws = sorted(laws, key=lambda law: law.name)
        zones: dict[str, tuple[str, ...]] = {}
        of_zip: dict[str, tuple[str, ...]] = {}
        for law in self.laws:
            zones |= law.zones
            of_zip |= law.zip_zones
        everywhere = next((law.everywhere for law in self.laws if law.everywhere), ("UTC",))
        terms = {term.name: compile_predicate(term.when) for law in self.laws for term in law.terms}
        places = Places(reference, zones, everywhere, of_zip)
        calendar = Calendar([day for law in self.laws for day in law.holidays])
        self._setting = Setting(CONTACTS | DEALINGS, terms, places, calendar, classify_reply)
        self._packs = {law.name: law.digest for law in self.laws}
        self._benches: dict[tuple[str, str], _Bench] = {}

    def decide(self, case: Mapping[str, Any]) -> Result:
        """The decision on a whole case, see :func:`leadmill.policy.cases.read_case`. Raises BadInput where it has no
        moment."""
        e = Evidence(case, moment_of(case), self._setting)
        findings, deferrals = self._findings(e)
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
            packs=self._packs,
            until=stamp(until) if until is not None else UNSET,
        )

    def findings(self, case: Mapping[str, Any]) -> list[Finding]:
        """Everything that speaks of a case, the lighter beside the graver; for those who test a pack."""
        return self._findings(Evidence(case, moment_of(case), self._setting))[0]

    def unread(self, ident: Any) -> Result:
        """What is answered to a case that cannot be read: a person must look."""
        says = "The case cannot be read."
        return Result(ident, "review", "case_malformed", says, ["ENG-3"], [_HOUSE], [], self._packs)

    def _findings(self, e: Evidence) -> tuple[list[Finding], list[Deferral]]:
        action, vertical = e.get("action"), e.get("vertical")
        if action not in ACTIONS:
            return [Finding("review", ("ENG-3",), _HOUSE, "evidence_missing", "Nobody knows what is to be done.")], []
        findings: list[Finding] = []
        if vertical not in VERTICALS and action != "request":
            findings.append(
                Finding("review", ("ENG-3",), _HOUSE, "evidence_missing", "Nobody knows what the lead is for.")
            )
        bench = self._bench(action, vertical if vertical in VERTICALS else "")
        for ready in bench.rules:
            if _speaks(ready, e):
                rule = ready.rule
                ids = (rule.id, *rule.also)
                findings.append(Finding(rule.decision, ids, rule.citation, rule.reason, rule.says, rule.obligations))
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
        if bench.sensitive and e.get("sale") and e.get("sensitive.categories"):
            for one, holds in bench.sensitive:
                if stands(one, holds, e):
                    _add(findings, weigh_sensitive(one, e))
        if bench.licences and e.get("sale"):
            for licence in bench.licences:
                _add(findings, weigh_licence(licence, e))
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


def _add(findings: list[Finding], found: Finding | None) -> None:
    if found is not None:
        findings.append(found)
