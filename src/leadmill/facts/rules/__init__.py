"""What can be found out about a lead without asking anybody: pure functions from what it says to facts.

Called by the step for every lead, so each function is cheap: what many leads share is cached, the usual shape of a
number or an address skips the general parser. Nothing is guessed: what a lead does not say gets no fact, what cannot
be told is ``unknown``. Flags such as ``phone.fictional`` stand only where they are raised. One module a subject.
"""

from datetime import datetime

from leadmill.facts.model import OURS, Fact
from leadmill.facts.reference import Reference
from leadmill.facts.rules.address import address_facts, read_address
from leadmill.facts.rules.email import Email, carries_name, email_facts, read_email
from leadmill.facts.rules.fields import Values, text_of
from leadmill.facts.rules.name import Name, name_facts, read_name
from leadmill.facts.rules.person import age_at, date_facts, person_facts
from leadmill.facts.rules.phone import AMERICAN, Phone, known_facts, phone_facts, read_phone
from leadmill.facts.rules.place import agreement, place_facts, written_place_fact
from leadmill.facts.rules.visitor import is_public, language_fact, visitor_facts, zone_fact

__all__ = [
    "Email",
    "Name",
    "Phone",
    "age_at",
    "email_facts",
    "find_facts",
    "is_public",
    "person_facts",
    "phone_facts",
    "place_facts",
    "read_address",
    "read_email",
    "read_name",
    "read_phone",
    "visitor_facts",
]

_CARRIED = Fact("agree.name_email", True, "pass", OURS, 90)
_NOT_CARRIED = Fact("agree.name_email", False, "unknown", OURS, 30)
"""Half of all addresses carry no name: that one does not says next to nothing."""


def find_facts(fields: Values, context: Values, reference: Reference, now: datetime) -> list[Fact]:
    """Everything that can be found out about a lead without asking anybody."""
    facts: list[Fact] = []
    email, phone_text, country_text = (text_of(fields, name) for name in ("email", "phone", "country"))
    if email:
        facts += email_facts(email, reference)
    country = reference.country(country_text) if country_text else None
    if country_text:
        facts.append(Fact("country.code", country, "pass" if country else "unknown", OURS))
    phone, phone_state = None, None
    if phone_text:
        phone = read_phone(phone_text, country or "US")
        seen = phone_facts(phone_text, country or "US", reference) if phone is None else known_facts(phone, reference)
        phone_state = next((str(fact.value) for fact in seen if fact.key == "phone.state" and fact.value), None)
        facts += seen
        if phone is not None and country_text and country:
            facts.append(_same_country(phone, country))
    here = country in (None, "US") or country in AMERICAN
    if here:
        facts += place_facts(fields, phone_state, reference, phone)
        facts += _street_facts(fields, reference)
    facts += _name_facts(fields, email, reference)
    facts += person_facts(fields, now)
    facts += date_facts(fields, now)
    facts += visitor_facts(fields, context, reference)
    facts += _browser_facts(fields, context, facts, now)
    return facts


def _same_country(phone: Phone, country: str) -> Fact:
    same = phone.country == country or (phone.country in AMERICAN and country == "US") or phone.country == "001"
    # People keep their number when they move abroad, too.
    return agreement("agree.phone_country", same, "phonenumbers", 100 if same else 60)


def _street_facts(fields: Values, reference: Reference) -> list[Fact]:
    text = text_of(fields, "address")
    if not text:
        return []
    found = read_address(text, text_of(fields, "address_2") or "")
    facts = address_facts(found)
    written = written_place_fact(found, fields, reference) if found.zip or found.state else None
    if written is not None:
        facts.append(written)
    return facts


def _name_facts(fields: Values, email: str | None, reference: Reference) -> list[Fact]:
    first, last, full = (text_of(fields, name) for name in ("first_name", "last_name", "full_name"))
    if not first and not last and not full:
        return []
    name = read_name(first, last, full)
    raw = " ".join(filter(None, (first, last))) or full or ""
    facts = name_facts(name, raw, reference)
    if email and "@" in email and (name.first or name.last):
        local = email.rpartition("@")[0].strip().lower()
        facts.append(_CARRIED if carries_name(local, name.first, name.last) else _NOT_CARRIED)
    return facts


def _browser_facts(fields: Values, context: Values, facts: list[Fact], now: datetime) -> list[Fact]:
    found: list[Fact | None] = []
    zone = text_of(context, "time_zone")
    if zone:
        home = next((fact.value for fact in facts if fact.key == "zip.zone"), None)
        found.append(zone_fact(zone, home, now) if isinstance(home, str) else None)
    browser, wanted = text_of(context, "browser_language"), text_of(fields, "language")
    if browser and wanted:
        found.append(language_fact(browser, wanted))
    return [fact for fact in found if fact is not None]
