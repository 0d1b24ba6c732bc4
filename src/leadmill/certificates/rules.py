"""From what a vendor says to facts, from facts to certificates, and whether those are what a recipient requires. Pure.

A vendor's word is kept as facts of the lead's dossier, so that it has a source, a moment and a price like any other and
stands in conditions: ``certificate.trustedform.matched``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from leadmill.certificates.model import WORDS, Certificate, CertificateRead, Standing
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.core.spans import moment
from leadmill.facts import Dossier, Fact, FactValue, Outcome
from leadmill.parties import Requirement

HEAD = "certificate"
"""The first part of the keys of these facts; the vendor's name and one of :data:`TAILS` follow."""

TAILS = {
    "standing": "what the vendor says of the token: good, expired, missing, gone, withdrawn, spent, sandbox, malformed",
    "matched": "true where it is of the lead's phone number and e-mail address, false where one of them differs",
    "phone": "true where it is of the lead's phone number",
    "email": "true where it is of the lead's e-mail address",
    "created_at": "when it was made",
    "age_seconds": "how old it was when its vendor was asked, where that does not say when it was made",
    "expires_at": "when its vendor lets go of it unless it is kept",
    "kept": "true where its vendor keeps it for us",
    "kept_until": "until when",
    "recorded": "true where the request for consent is stored as the person saw it",
    "page": "the site it was made on",
}
"""What the facts say, by the last part of their keys."""

_STANDINGS = frozenset(get_args(Standing))
_DAY = timedelta(days=1)


def key_of(vendor: str, tail: str) -> str:
    """The key of a fact about a vendor's certificate."""
    return f"{HEAD}.{vendor}.{tail}"


def facts_of(vendor: str, read: CertificateRead) -> list[Fact]:
    """What a vendor said, as facts; its provider's name, moment and price are put to them by who asked."""
    known = [one for one in (read.phone, read.email) if one is not None]
    values: dict[str, FactValue] = {
        "standing": read.standing,
        "matched": all(known) if known else None,
        "phone": read.phone,
        "email": read.email,
        "created_at": _text(read.created_at),
        "age_seconds": read.age_seconds,
        "expires_at": _text(read.expires_at),
        "kept": read.kept,
        "kept_until": _text(read.kept_until),
        "recorded": read.recorded,
        "page": read.page,
    }
    return [
        Fact(key_of(vendor, tail), value, _outcome(tail, value), vendor)
        for tail, value in values.items()
        if value is not None
    ]


def _outcome(tail: str, value: FactValue) -> Outcome:
    if tail == "standing":
        return "pass" if value == "good" else "fail"
    return "fail" if value is False else "pass"


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def certificates_of(case: Case) -> list[Certificate]:
    """The certificates that came with a lead, with what is known of them now; empty where none came."""
    proof, dossier = case.get(Proof), case.get(Dossier)
    tokens = proof.certificates if proof is not None else {}
    return [_certificate(vendor, dossier.by_key if dossier is not None else {}) for vendor in sorted(tokens)]


def _certificate(vendor: str, facts: Mapping[str, Fact]) -> Certificate:
    said = {tail: fact for tail in TAILS if (fact := facts.get(key_of(vendor, tail))) is not None}
    standing = said.get("standing")
    if standing is None or standing.value not in _STANDINGS:
        return Certificate(vendor=vendor)
    kept = said.get("kept")
    return Certificate(
        vendor=vendor,
        standing=next(one for one in _STANDINGS if one == standing.value),
        by=standing.source,
        asked_at=standing.observed_at,
        phone=_flag(said.get("phone")),
        email=_flag(said.get("email")),
        created_at=_created(said),
        expires_at=_moment(said.get("expires_at")),
        kept_at=kept.observed_at if kept is not None and kept.value is True else None,
        kept_until=_moment(said.get("kept_until")),
        recorded=_flag(said.get("recorded")),
        page=str(said["page"].value) if "page" in said else "",
    )


def _created(said: Mapping[str, Fact]) -> datetime | None:
    found, age = _moment(said.get("created_at")), said.get("age_seconds")
    if found is not None or age is None or age.observed_at is None or not isinstance(age.value, int | float):
        return found
    return age.observed_at - timedelta(seconds=age.value)


def _flag(fact: Fact | None) -> bool | None:
    return fact.value if fact is not None and isinstance(fact.value, bool) else None


def _moment(fact: Fact | None) -> datetime | None:
    return moment(fact.value) if fact is not None and isinstance(fact.value, str) else None


# What is made of them


def best_of(certificates: Sequence[Certificate], now: datetime) -> Certificate | None:
    """The one to rely on where several came: one that is good and of this person, else one that is known to be somebody
    else's, which nothing may hide, else one that is good, else one that its vendor spoke of; the first by vendor's name
    among equals."""
    return max(certificates, key=lambda one: _rank(one, now), default=None)


def _rank(one: Certificate, now: datetime) -> tuple[bool, bool, bool, bool]:
    good = one.stands(now) == "good"
    return good and one.matched is True, good and one.matched is False, good, one.standing is not None


def as_evidence(certificate: Certificate, now: datetime) -> dict[str, Any] | None:
    """A certificate as the law's rules name it (``consent.certificate``): ``vendor``, ``created_at``, ``retained_at``,
    ``matched``, ``rendered_request``; what is not known is not there. None where there is no evidence at all: a token
    on which no vendor gave a word, or one that its vendor does not stand by; nor is a certificate any of which is only
    known that it was issued, not what it holds, unless it is known to be somebody else's."""
    standing = certificate.stands(now)
    if standing != "good" and (standing != "expired" or certificate.created_at is None):
        return None
    if certificate.recorded is None and certificate.matched is not False:
        return None
    found = {
        "vendor": certificate.vendor,
        "created_at": _text(certificate.created_at),
        "retained_at": _text(certificate.kept_at),
        "matched": certificate.matched,
        "rendered_request": certificate.recorded,
    }
    return {name: value for name, value in found.items() if value is not None}


def lacking(required: Requirement, certificates: Iterable[Certificate], now: datetime) -> str | None:
    """What a lead's certificates lack of what a recipient requires, in words that follow a colon; None where one of
    them is what it wants."""
    wanted = [one for one in certificates if not required.certificate or one.vendor in required.certificate]
    if not wanted:
        return "none came with the lead"
    faults = [(_rank(one, now), _fault(required, one, now)) for one in wanted]
    if any(fault is None for _, fault in faults):
        return None
    return max(faults, key=lambda item: item[0])[1]


def _fault(required: Requirement, one: Certificate, now: datetime) -> str | None:
    standing = one.stands(now)
    if standing is None:
        return f"nobody has the word of {one.vendor} on the token that came"
    if standing != "good":
        return f"the one of {one.vendor} is {WORDS[standing]}"
    if required.matched and one.matched is not True:
        if one.matched is None:
            return f"whose the one of {one.vendor} is was not compared"
        return f"the one of {one.vendor} is of another phone number or e-mail address"
    if required.max_age_days is not None:
        age = one.age(now)
        if age is None:
            return f"how old the one of {one.vendor} is, nobody knows"
        if age > required.max_age_days * _DAY:
            return f"the one of {one.vendor} is {age / _DAY:.0f} days old"
    return None


def wanted_of(required: Requirement) -> str:
    """What a recipient requires, in words."""
    of = f" of {' or '.join(required.certificate)}" if required.certificate else ""
    days = required.max_age_days
    age = f", at most {days} day{'' if days == 1 else 's'} old" if days is not None else ""
    return f"a certificate{of}{age}"
