"""An enquiry and the requests it becomes: who asks, what for, what is wrong with it, in the dialect of its source.

Used by ``traffic``. Pure but for the given randomness and moment; what it makes is bytes ready to be sent.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

from leadmill_demo.enquiries import ASK, Answers, consent_text
from leadmill_demo.people import BROWSERS, PROGRAMS, Person, bad_phone, make_person, throwaway_email
from leadmill_demo.places import PLACES, SUNNY
from leadmill_demo.senders import Sender
from leadmill_demo.troubles import ON_A_PAGE, Trouble
from leadmill_demo.vendors import issue_certificate, issue_token
from leadmill_demo.visiting import visiting

HONEYPOT = "fax_number"
"""The field that Leadmill's forms hide from people."""

_LEGACY = {
    "first_name": "FirstName", "last_name": "LastName", "email": "EmailAddress", "phone": "PrimaryPhone",
    "address": "Address1", "zip": "ZipCode", "state": "StateCode", "date_of_birth": "DOB",
    "text": "TcpaText", "given_at": "TcpaTimestamp", "sellers": "NamedSellers", "landing_page": "OriginalUrl",
    "ip": "IP_Address", "user_agent": "UserAgent", "session_seconds": "SessionLength", "sub1": "SubId",
    "source_lead_id": "VendorLeadId", "test": "Test_Lead",
}  # fmt: skip
_FLAT = {
    "text": "tcpa_text", "given_at": "tcpa_timestamp", "sellers": "sellers_named", "landing_page": "landing_page_url",
    "ip": "ip_address", "session_seconds": "time_on_page", "source_lead_id": "vendor_lead_id", "phone": "phone_number",
    "trustedform": "xxTrustedFormCertUrl", "jornaya": "universal_leadid", "test": "test_lead",
}  # fmt: skip
_AWAY = "Partners of this site may contact me. Consent is not a condition of purchase."
_IMPLAUSIBLE: Mapping[str, Answers] = {
    "solar": {"monthly_bill": 4_200},
    "mortgage": {"loan_amount": 26_000_000, "property_value": 31_000_000},
    "legal": {"minor_involved": True},
    "home_services": {"budget": 1_500_000},
    "insurance_auto": {"vehicle_count": 9},
}
"""What makes Leadmill's scorecards ask for a person's eye."""
_PERSON = frozenset(("first_name", "last_name", "email", "phone", "address", "date_of_birth"))
"""What a ping keeps back."""
_WORDS = ("about a few", "lots", "n/a (ask me)", "see notes")


class Enquiry(NamedTuple):
    """One enquiry: everything about it but its spelling."""

    sender: Sender
    trouble: Trouble
    person: Person
    answers: Answers
    consent: dict[str, Any]
    context: dict[str, Any]
    serial: str


class Call(NamedTuple):
    """A request to the API. ``again`` is sent afterwards: the same once more, or another body under the same key.
    ``ping`` is what could be asked first: the answers without the person."""

    headers: dict[str, str]
    body: bytes
    trouble: Trouble
    again: bytes | None = None
    ping: bytes | None = None


class Visit(NamedTuple):
    """A person on a hosted form: what is typed, with which browser. The page's stamp is still missing. ``twice`` says
    that the button is pressed twice."""

    form: str
    typed: dict[str, str]
    browser: str
    trouble: Trouble
    twice: bool = False


def make_enquiry(
    rng: Random, sender: Sender, trouble: Trouble, now: datetime, earlier: Person | None = None
) -> Enquiry:
    """An enquiry with this trouble. ``earlier`` is who asks again; without anybody, ``again`` is a first enquiry."""
    if sender.form and trouble not in ON_A_PAGE:
        trouble = "none"
    if trouble == "again" and earlier is None:
        trouble = "none"
    if trouble == "honeypot" and not sender.form:
        trouble = "program"
    odd = _IMPLAUSIBLE.get(sender.vertical, {}) if trouble == "implausible" else {}
    if trouble == "implausible" and not odd:
        trouble = "none"
    person = earlier if trouble == "again" and earlier is not None else _person(rng, sender, now)
    person = _spoil(rng, person, trouble)
    serial = f"{rng.getrandbits(48):012x}"
    return Enquiry(
        sender=sender,
        trouble=trouble,
        person=person,
        answers=ASK[sender.vertical](rng, person.place, now.date()) | odd,
        consent=_consent(rng, sender, trouble, now, person),
        context=_context(rng, now, sender, person, trouble, serial),
        serial=serial,
    )


def _person(rng: Random, sender: Sender, now: datetime) -> Person:
    return make_person(rng, now.date(), SUNNY if sender.vertical == "solar" and rng.random() < 0.9 else PLACES)


def _spoil(rng: Random, person: Person, trouble: Trouble) -> Person:
    if trouble == "bad_phone":
        return person._replace(phone=bad_phone(rng))
    if trouble == "throwaway":
        return person._replace(email=throwaway_email(rng, person))
    if trouble == "placeholder":
        return person._replace(first=rng.choice(("Test", "asdf", "xxx")), last=rng.choice(("Test", "qwerty", "Fake")))
    if trouble == "no_contact":
        return person._replace(phone="", email="")
    if trouble == "program":
        return person._replace(browser=rng.choice(PROGRAMS))
    return person


_SENSITIVE = {"legal": "health", "mortgage": "financial", "solar": "financial"}
"""Sensitive data that forms of a vertical ask for, with a box of its own."""


def _consent(rng: Random, sender: Sender, trouble: Trouble, now: datetime, person: Person) -> dict[str, Any]:
    if trouble == "no_consent":
        return {}
    consent: dict[str, Any] = {
        "text": _AWAY if trouble == "not_named" else consent_text(sender.sellers, sender.about),
        "given_at": (now - timedelta(seconds=rng.randint(1, 12))).isoformat(timespec="seconds"),
        "sellers": ["Hollow Reed Partners"] if trouble == "not_named" else list(sender.sellers),
    }
    if sender.vertical in _SENSITIVE:
        consent["sensitive_opt_in"] = [_SENSITIVE[sender.vertical]]
    if rng.random() < 0.8:
        consent["trustedform"] = _certified(rng, now, person, issue_certificate)
    if rng.random() < 0.35:
        consent["jornaya"] = _certified(rng, now, person, issue_token)
    return consent


def _certified(
    rng: Random, now: datetime, person: Person, issue: Callable[[str, str, float, Random], str]
) -> str:  # fmt: skip
    """A certificate of the person's visit; of a hundred, two are of somebody else's, two lay about for a week, and one
    was never issued."""
    lot = rng.random()
    email, phone, at = person.email, person.phone, now.timestamp() - rng.randint(5, 90)
    if lot < 0.02:
        email, phone = f"somebody{rng.randint(1, 999)}@example.com", f"+1512555{rng.randint(0, 9999):04d}"
    elif lot < 0.04:
        at -= 7 * 86_400
    made = issue(email, phone, at, rng)
    return made if lot >= 0.05 or lot < 0.04 else made[:-2] + ("00" if made[-2:] != "00" else "11")


def _context(
    rng: Random, now: datetime, sender: Sender, person: Person, trouble: Trouble, serial: str
) -> dict[str, Any]:
    seconds = rng.uniform(0.3, 1.9) if trouble == "fast" else rng.lognormvariate(4.3, 0.5) + 8
    return {
        "ip": person.ip,
        "user_agent": person.browser,
        "landing_page": f"{sender.page}?c={rng.randint(100, 140)}",
        "session_seconds": round(seconds, 1),
        "utm_source": rng.choice(("google", "facebook", "bing", "newsletter", "tiktok")),
        "utm_campaign": f"{sender.vertical}-{rng.choice(('search', 'social', 'retarget', 'native'))}",
        "sub1": f"{sender.source[:2]}{rng.randint(11, 46)}",
        "source_lead_id": serial,
        **visiting(rng, now),
    }


# Writing it down


def write_call(rng: Random, enquiry: Enquiry, key: str) -> Call:
    """The enquiry as a request to ``POST /v1/leads``, authorised with the source's key."""
    sender, trouble = enquiry.sender, enquiry.trouble
    as_form = sender.dialect == "form"
    content = _content(rng, enquiry)
    body = _form(content) if as_form else _json(content)
    if trouble == "broken":
        body = body[: int(len(body) * rng.uniform(0.3, 0.9))] if not as_form else b"\xff\xfe=%zz&" + body[:40]
    elif trouble == "huge":
        body = _json({**content, "blob": "x" * 1_100_000})
    headers = {
        "Authorization": f"Bearer {key if trouble != 'wrong_key' else 'demo-only-key-of-nobody'}",
        "Content-Type": "application/x-www-form-urlencoded" if as_form and trouble != "huge" else "application/json",
        "User-Agent": f"{sender.source}/1.4",
    }
    again = None
    if trouble in ("replay", "reused_key") or sender.dialect in ("nested", "flat"):
        headers["Idempotency-Key"] = f'"{sender.source}-{enquiry.serial}"'
    if trouble == "replay":
        again = body
    elif trouble == "reused_key":
        other = {**content, "comments": "please call in the evening"}
        again = _form(other) if as_form else _json(other)
    ping = None
    if sender.dialect == "nested" and trouble in ("none", "again", "test"):
        answers = {name: value for name, value in content["fields"].items() if name not in _PERSON}
        ping = _json({**content, "fields": answers, "consent": None})
    return Call(headers, body, trouble, again, ping)


def _content(rng: Random, enquiry: Enquiry) -> dict[str, Any]:
    sender, trouble = enquiry.sender, enquiry.trouble
    fields = _fields(rng, enquiry)
    if trouble == "wrong_type":
        numbers = [name for name, value in enquiry.answers.items() if type(value) is int]
        fields[rng.choice(numbers) if numbers else "age"] = rng.choice(_WORDS)
    vertical = "yacht_charter" if trouble == "unknown_vertical" else sender.vertical
    more: dict[str, Any] = {"test": True} if trouble == "test" else {}
    if sender.dialect == "nested":
        content = {"vertical": vertical, "fields": fields, "context": enquiry.context, **more}
        if enquiry.consent:
            content["consent"] = enquiry.consent
    else:
        flat = {"vertical": vertical, **fields, **enquiry.consent, **enquiry.context, **more}
        content = {_name(name, sender): value for name, value in flat.items()}
    if trouble == "unknown_fields":
        into = content["fields"] if sender.dialect == "nested" else content
        into |= {"quiz_answer_7": "B", "favorite_season": "fall", "lead_grade_internal": rng.randint(1, 9)}
    return content


def _fields(rng: Random, enquiry: Enquiry) -> dict[str, Any]:
    person = enquiry.person
    fields: dict[str, Any] = {"first_name": person.first, "last_name": person.last}
    fields |= {name: value for name, value in (("email", person.email), ("phone", person.phone)) if value}
    fields["zip"] = person.place.zip
    if enquiry.trouble == "wrong_place":
        fields["state"] = rng.choice([place.state for place in PLACES if place.state != person.place.state])
    elif rng.random() < 0.8:  # the others leave it to the ZIP
        fields |= {"city": person.place.city, "state": person.place.state}
    if enquiry.sender.vertical in ("mortgage", "solar", "home_services"):
        fields["address"] = person.street
    if enquiry.sender.vertical == "insurance_auto":
        fields["date_of_birth"] = person.born.isoformat()
    return fields | enquiry.answers


def _name(name: str, sender: Sender) -> str:
    if sender.dialect == "legacy":
        return _LEGACY.get(name) or "".join(part.capitalize() for part in name.split("_"))
    return _FLAT.get(name, name)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _form(content: Mapping[str, Any]) -> bytes:
    pairs: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, list):
            pairs += [(f"{name}[]", str(item)) for item in value]
        else:
            pairs.append((name, ("yes" if value else "no") if isinstance(value, bool) else str(value)))
    return urlencode(pairs).encode()


# On a hosted page

_ASKED = {
    "solar": ("zip", "homeowner", "monthly_bill", "roof_shade", "first_name", "last_name", "email", "phone"),
    "mortgage": (
        "loan_purpose", "loan_amount", "property_value", "credit_rating", "zip", "first_name", "last_name", "email",
        "phone",
    ),
}  # fmt: skip


def write_visit(rng: Random, enquiry: Enquiry) -> Visit:
    """The enquiry as typed into a hosted form."""
    sender, person, trouble = enquiry.sender, enquiry.person, enquiry.trouble
    known: dict[str, Any] = {
        **enquiry.answers,
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email,
        "phone": person.phone,
        "zip": person.place.zip,
    }
    typed = {name: _typed(known.get(name, "")) for name in _ASKED[sender.form]}
    if trouble == "wrong_type":
        typed["monthly_bill" if sender.form == "solar" else "loan_amount"] = rng.choice(_WORDS)
    if trouble != "no_consent":
        typed["consent[granted]"] = "yes"
    typed[HONEYPOT] = "https://win.example.com" if trouble == "honeypot" else ""
    browser = person.browser if person.browser not in PROGRAMS else rng.choice(BROWSERS)
    return Visit(sender.form, typed, browser, trouble, twice=trouble == "replay")


def _typed(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
