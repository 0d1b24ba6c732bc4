"""What a phone number says by itself: pure functions; numbers of the usual American shape skip the general parser.

Called by :func:`leadmill.facts.rules.find_facts` and, for the one normal form, by whoever compares numbers.
"""

from functools import lru_cache

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneMetadata, PhoneNumberType
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE, _number_type_helper
from phonenumbers.tzdata import TIMEZONE_DATA

from leadmill.facts.model import OURS, Fact, Outcome
from leadmill.facts.reference import Reference

_SOURCE = "phonenumbers"
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
_AMERICA = PhoneMetadata.metadata_for_region(COUNTRY_CODE_TO_REGION_CODE[1][0], None)
_NO_STATE = {"toll_free", "premium", "shared_cost", "personal", "company"}
_A_PERSONS = {"fixed", "mobile", "fixed_or_mobile"}
_NOBODYS = {"toll_free", "premium", "shared_cost", "company", "voicemail"}
AMERICAN = frozenset(("PR", "GU", "VI", "AS", "MP"))
"""Territories that the number plan treats as countries and the post as states."""

_PLAIN = str.maketrans("", "", " ()-.\u00a0\u2010\u2011\u2013")
_RUNS = ("01234567890123456789", "98765432109876543210")

_TESTS = frozenset(("4155552671", "2024561414", "2024561111", "6502530000", "8005882300", "2125552368"))
"""Numbers that stand in vendors' examples or that everybody knows: an API's sample, the White House's two, the number
plan library's sample, an advertised company's and a film's."""
_SONG = "8675309"
_DIRECTORY = "5551212"

_VALID = Fact("phone.valid", True, "pass", _SOURCE, 80)
"""That the plan has such a number does not say that somebody answers it: a provider may know better."""
_INVALID = Fact("phone.valid", False, "fail", _SOURCE)
_FICTIONAL = Fact("phone.fictional", True, "unknown", OURS)
_PATTERNED = Fact("phone.patterned", True, "fail", OURS, 90)
_TEST = Fact("phone.test", True, "fail", OURS, 90)
_SUNG = Fact("phone.test", None, "unknown", OURS, 50)
"""Jenny's number is somebody's in most area codes."""


class Phone(Struct, frozen=True):
    """A number that exists in its country's plan. ``area`` and ``state`` are American and None elsewhere."""

    e164: str
    country: str
    kind: str
    area: str | None
    zones: tuple[str, ...]
    extension: str | None = None


def read_phone(text: str, country: str = "US") -> Phone | None:
    """The number, None where no such number can exist in its plan. ``country`` says how a number without ``+`` is
    read."""
    number = _parse(text, country)
    if number is None:
        return None
    region, kind = _placed(number)
    if kind is None:
        return None
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    area = e164[2:5] if (region == "US" or region in AMERICAN) and kind not in _NO_STATE else None
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


def _placed(number: phonenumbers.PhoneNumber) -> tuple[str, str | None]:
    """The region of a number and its kind, None where its plan has no such number."""
    if number.country_code == 1 and _AMERICA is not None:
        # Of the countries that share the plan the United States are asked first, and answer for most numbers; the
        # package's own functions would ask them three times.
        kind = _number_type_helper(phonenumbers.national_significant_number(number), _AMERICA)
        if kind != PhoneNumberType.UNKNOWN:
            return "US", _TYPES.get(kind)
    region = phonenumbers.region_code_for_number(number) or "001"
    return region, _TYPES.get(phonenumbers.number_type(number))


@lru_cache(65_536)
def _zones(prefix: str) -> tuple[str, ...]:
    # The longest entry of the zone map that the number begins with; none has more than nine digits.
    for length in range(len(prefix), 1, -1):
        zones = TIMEZONE_DATA.get(prefix[1:length])
        if zones:
            return tuple(zones)
    return ()


def is_possible(text: str, country: str = "US") -> bool:
    """Whether a number has at least a length that its country's numbers have."""
    number = _parse(text, country)
    return number is not None and phonenumbers.is_possible_number(number)


def is_fictional(e164: str) -> bool:
    """Whether an American number is kept free for fiction: 555-0100 to 555-0199 in every area code."""
    return len(e164) == 12 and e164.startswith("+1") and e164[5:10] == "55501"


def is_patterned(e164: str) -> bool:
    """Whether a number is what fingers type when they do not want to: one digit over and over, counting up or down, or
    the area code three times."""
    tail, whole = e164[-7:], e164[-10:]
    return (
        len(set(tail)) == 1
        or len(set(whole)) <= 2
        or any(tail in run for run in _RUNS)
        or (len(whole) == 10 and whole[:9] == whole[:3] * 3)
    )


def fact_of_test(e164: str) -> Fact | None:
    """The fact that an American number is one that everybody knows, None where it is not."""
    if len(e164) != 12 or not e164.startswith("+1"):
        return None
    if e164[5:] == _DIRECTORY or e164[2:] in _TESTS:
        return _TEST
    return _SUNG if e164[5:] == _SONG else None


@lru_cache(4_096)
def _kind_facts(country: str, kind: str) -> tuple[Fact, ...]:
    personal = True if kind in _A_PERSONS else False if kind in _NOBODYS else None
    return (
        Fact("phone.country", country, "pass", _SOURCE),
        Fact("phone.type", kind, "pass", _SOURCE),
        Fact("phone.personal", personal, _outcome(personal), _SOURCE),
    )


def _outcome(personal: bool | None) -> Outcome:
    return "unknown" if personal is None else "pass" if personal else "fail"


@lru_cache(4_096)
def _area_facts(area: str, country: str, reference: Reference) -> tuple[Fact, ...]:
    state = country if country in AMERICAN else reference.area_states.get(area)
    return (
        Fact("phone.area_code", area, "pass", _SOURCE),
        Fact("phone.state", state, "pass" if state else "unknown", _SOURCE),
    )


def phone_facts(text: str, country: str, reference: Reference) -> list[Fact]:
    """Validity, normal form, kind and place of a phone number."""
    phone = read_phone(text, country)
    if phone is None:
        possible = is_possible(text, country)
        return [_INVALID, Fact("phone.possible", possible, "pass" if possible else "fail", _SOURCE)]
    return known_facts(phone, reference)


def known_facts(phone: Phone, reference: Reference) -> list[Fact]:
    """The facts of a number that exists."""
    e164 = phone.e164
    facts = [_VALID, Fact("phone.e164", e164, "pass", _SOURCE), *_kind_facts(phone.country, phone.kind)]
    if phone.area:
        facts += _area_facts(phone.area, phone.country, reference)
    if phone.zones:
        facts.append(Fact("phone.zones", list(phone.zones), "pass", _SOURCE))
    if phone.extension:
        facts.append(Fact("phone.extension", phone.extension, "pass", _SOURCE))
    if is_fictional(e164):
        facts.append(_FICTIONAL)
    if is_patterned(e164):
        facts.append(_PATTERNED)
    test = fact_of_test(e164)
    if test is not None:
        facts.append(test)
    return facts
