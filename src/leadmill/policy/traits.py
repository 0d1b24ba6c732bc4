"""What the law may look at of a lead on its walk, gathered once: the traits on which its clearance turns.

Called by the station. Traits name nobody and take few different values, so that thousands of leads share a set of them,
and with it a judgement; whatever a rule is to see must stand here. Moments are counted by the hour: no rule of a sale
turns on less, and what does (a certificate's three days) is worked out exactly before. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import ceil

from msgspec import Struct

from leadmill.capture import Lead, Submission, Vertical
from leadmill.certificates import Certificate, as_evidence, best_of, certificates_of
from leadmill.consent import Proof, Witnessed
from leadmill.core.case import Case
from leadmill.core.spans import moment
from leadmill.facts import Dossier
from leadmill.parties import Source
from leadmill.policy.brought import Page, Papers, came_by, origin_of, page_of, papers_of, signal_of
from leadmill.policy.calendars import local_day, within_months
from leadmill.policy.dealings import certificate_state
from leadmill.policy.model import SuppressionFound
from leadmill.policy.places import Places, Whereabouts
from leadmill.policy.rules import day_in

FEDERAL = "federal"
"""The name of the national do-not-call registry among the registries; the others are states."""

_CONDITION = ("not a condition", "not required", "without purchase", "no purchase necessary")
"""How disclosures say that consent is not a condition of purchase (47 CFR 64.1200(f)(9)(i)(B))."""

_LINES = {"mobile": "wireless", "fixed": "landline", "voip": "voip", "company": "business", "uan": "business"}
"""Kinds of lines as the law names them; a number that may be either is of unknown kind."""

_ADULT = 18
_HOUR = timedelta(hours=1)


class Certified(Struct, frozen=True):
    """A vendor's certificate: see ``consent.certificate`` in cases. ``state`` is kept, unretained or expired."""

    vendor: str
    matched: bool | None
    rendered: bool | None
    state: str | None


class Listed(Struct, frozen=True):
    """What the do-not-call registries say: of the nation's, of those of the states that may be called; None where that
    one is not here. ``as_of`` is the oldest version that was looked into."""

    nation: bool | None
    state: bool | None
    as_of: date | None


class Traits(Struct, frozen=True, kw_only=True):
    """Everything the law may look at of one lead, whoever gets it. Hashable.

    ``day`` is the date where the lead lives, in UTC where its zone is not known; ``today`` the latest that it may be
    there. ``unconditional`` says that the text called agreeing no condition of purchase, ``permitted`` that contact was
    agreed to within the last twelve months. ``chosen`` are the companies that the person chose one by one, ``agreed``
    the sensitive categories opted in to, ``came`` how the lead came to us. ``gpc`` is the browser's wish, now or from
    an earlier lead of the person; ``directed`` are the buyers to whom the person directed the lead after it.
    ``pull_hours`` is the age of the state's deletion list, the hour that has begun included; ``trusted`` what a source
    certified of its leads, ``complaints`` how many are open against it; ``certified_for`` what the house itself is
    certified for. None is unknown throughout.
    """

    vertical: str
    hour: datetime
    day: date
    today: date
    where: Whereabouts
    state: str | None
    known_state: bool
    property_state: str | None
    kind: str
    box: str | None
    channels: tuple[str, ...]
    refused: tuple[str, ...]
    unconditional: bool
    permitted: bool | None
    named: frozenset[str]
    chosen: tuple[str, ...] | None
    phone: bool
    email: bool
    no_phone: bool
    no_email: bool
    gpc: bool | None
    age: int | None
    sensitive: tuple[str, ...]
    agreed: tuple[str, ...]
    noticed: bool | None
    certified: Certified | None
    listed: Listed | None
    reassigned: str | None
    line: str | None
    came: str
    fields: tuple[str, ...] | None = None
    """The names of a ping's fields; None for a lead."""
    initiated: str = "consumer"
    directed: frozenset[str] = frozenset()
    pull_hours: int | None = None
    page: Page | None = None
    papers: Papers | None = None
    trusted: tuple[str, ...] = ()
    complaints: int | None = None
    certified_for: tuple[str, ...] | None = None


class Gatherer:
    """Gathers traits by the verticals' fields, the places of the law and what the sources' records say."""

    def __init__(
        self,
        verticals: Mapping[str, Vertical],
        places: Places,
        sources: Mapping[str, Source] = {},
        certified: Mapping[str, tuple[str, ...]] = {},
    ) -> None:
        self._places = places
        self._certified = certified
        self._origins = {name: origin_of(source) for name, source in sources.items()}
        self._sensitive = {
            name: tuple((key, spec.sensitive) for key, spec in one.fields.items() if spec.sensitive)
            for name, one in verticals.items()
        }

    def gather(
        self,
        case: Case,
        proof: Proof,
        named: frozenset[str],
        found: SuppressionFound,
        now: datetime,
        directed: frozenset[str] = frozenset(),
    ) -> Traits:
        """The traits of a lead; ``directed`` are the buyers to whom the person directed it."""
        lead, dossier = case[Lead], case[Dossier]
        state = dossier.text("zip.state") or lead.text("state")
        where = self._places.find(state, dossier.text("zip.code"), None, None, None)
        phone_state = dossier.text("phone.state")
        if phone_state is not None and phone_state not in where.reached:
            where = _reaching(where, phone_state)
        hour = now.replace(minute=0, second=0, microsecond=0)
        consent, submission, seen = lead.consent, case.get(Submission), case.get(Witnessed)
        signal = signal_of(lead, submission, seen)
        origin = came_by(submission, lead, self._origins)
        chosen, noticed = consent.get("chosen"), consent.get("sensitive_notice")
        property_state = lead.fields.get("property_state")
        return Traits(
            vertical=lead.vertical,
            hour=hour,
            day=day_in(dossier.text("zip.zone"), now),
            today=_today(where.days, hour),
            where=where,
            state=state,
            known_state=bool(where.home),
            property_state=property_state if isinstance(property_state, str) else None,
            kind=proof.kind,
            box=proof.box_default,
            channels=tuple(proof.channels),
            refused=tuple(proof.refused),
            unconditional=is_unconditional(proof.text),
            permitted=_permitted(proof, where, hour),
            named=named,
            chosen=tuple(chosen) if isinstance(chosen, list) else None,
            phone=dossier.outcome("phone.valid") == "pass",
            email=dossier.outcome("email.syntax") == "pass",
            no_phone=found.phone is not None,
            no_email=found.email is not None,
            gpc=True if found.unsold is not None else signal,
            age=_age(dossier, lead),
            sensitive=self._categories(lead),
            agreed=tuple(proof.sensitive_opt_in),
            noticed=noticed if isinstance(noticed, bool) else None,
            certified=_certified(certificates_of(case), proof, now),
            listed=_listed(found, where) if found.registries else None,
            reassigned=_reassigned(found, dossier, proof),
            line=_line(dossier),
            came=origin.came,
            initiated=origin.initiated_by,
            directed=directed if directed and signal is not True and _is_after(proof, found.unsold) else frozenset(),
            pull_hours=_hours_begun(found.pulled, now),
            page=page_of(lead, proof, seen),
            papers=papers_of(lead),
            trusted=origin.certifies,
            complaints=origin.complaints,
            certified_for=self._certified.get(lead.vertical),
        )

    def _categories(self, lead: Lead) -> tuple[str, ...]:
        fields, found = lead.fields, []
        for name, category in self._sensitive.get(lead.vertical, ()):
            if fields.get(name) not in (None, "", []) and category not in found:
                found.append(category)
        return tuple(found)


def _today(zones: tuple[str, ...], hour: datetime) -> date:
    return max([local_day(hour, zone) for zone in zones], default=hour.date())


@lru_cache(4_096)
def _reaching(where: Whereabouts, state: str) -> Whereabouts:
    """The same, with a state where the phone may ring."""
    return Whereabouts(where.home, (*where.reached, state), where.zones, where.days)


@lru_cache(1_024)
def is_unconditional(text: str) -> bool:
    """Whether a text says that agreeing is no condition of a purchase."""
    plain = text.casefold()
    return any(words in plain for words in _CONDITION)


def _permitted(proof: Proof, where: Whereabouts, hour: datetime) -> bool | None:
    if proof.kind != "written":
        return False
    if proof.given_at is None:
        return None
    # A lead comes after it was agreed to, which may be within the hour that has begun.
    return within_months(min(proof.given_at, hour), hour, 12, where.days)


def _age(dossier: Dossier, lead: Lead) -> int | None:
    """Whole years, of adults eighteen: no rule of a sale asks for more."""
    found = dossier.value("person.age")
    if found is None:
        found = lead.fields.get("age")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return min(int(found), _ADULT)


def _certified(found: Sequence[Certificate], proof: Proof, now: datetime) -> Certified | None:
    # Read from the facts, not from what the walk told: a correction may have come in between.
    best = best_of(found, now)
    said = as_evidence(best, now) if best is not None else None
    if best is None or said is None:
        return None
    kept = said.get("retained_at")
    state = certificate_state(best.vendor, best.created_at, moment(kept) if kept else None, now)
    # The request as it was shown is stored by the vendor, or else it is the text that we have.
    rendered = bool(proof.text) if best.recorded is None else best.recorded
    return Certified(best.vendor, best.matched, rendered, state)


def _listed(found: SuppressionFound, where: Whereabouts) -> Listed:
    """What the registries say of the number, as far as they bear on where it may ring."""
    states = [state for state in where.reached if state in found.registries]
    nation = FEDERAL in found.registries
    dates = [found.registries[name] for name in ([FEDERAL] if nation else []) + states]
    on_state = any(state in found.listed for state in states) if states else None
    return Listed(FEDERAL in found.listed if nation else None, on_state, min(dates, default=None))


def _reassigned(found: SuppressionFound, dossier: Dossier, proof: Proof) -> str | None:
    """What is known of the number's having gone to somebody else since consent: yes, no, no_data. A provider's fact
    ``phone.reassigned`` speaks as well as a result that was taken in; yes outweighs no. What was asked before consent
    says nothing of it."""
    said = {found.reassigned} if found.reassigned is not None and _is_later(found.reassigned_at, proof) else set()
    fact = dossier.by_key.get("phone.reassigned")
    if fact is not None and isinstance(fact.value, bool) and _is_later(fact.observed_at or dossier.at, proof):
        said.add("yes" if fact.value else "no")
    return next((word for word in ("yes", "no", "no_data") if word in said), None)


def _is_later(at: datetime | None, proof: Proof) -> bool:
    return at is None or proof.given_at is None or at >= proof.given_at


def _line(dossier: Dossier) -> str | None:
    return _LINES.get(dossier.text("phone.type") or "")


def _is_after(proof: Proof, unsold: datetime | None) -> bool:
    """Whether what the person directed was directed after they last said that nothing is to be sold."""
    at = proof.directed_at
    return at is not None and (unsold is None or at > unsold)


def _hours_begun(since: datetime | None, now: datetime) -> int | None:
    """Hours from then to now, one that has begun counted whole: more than so many exactly where the age is."""
    return None if since is None else ceil((now - since) / _HOUR)
