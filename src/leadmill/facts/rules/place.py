"""What ZIP, state, city and county say, and whether they agree with one another and with the phone number.

Called by :func:`leadmill.facts.rules.find_facts` for leads in the United States.
"""

from functools import lru_cache

from leadmill.facts.model import OURS, Fact
from leadmill.facts.reference import Place, Reference, fold_city
from leadmill.facts.rules.address import Address
from leadmill.facts.rules.fields import Values, text_of
from leadmill.facts.rules.phone import Phone

_PHONE = "phonenumbers"
_ZIP = "zipcodes"


def agreement(key: str, same: bool, source: str, confidence: int = 100) -> Fact:
    """That two things agree, or do not."""
    return Fact(key, same, "pass" if same else "fail", source, confidence)


_AGREED = {
    key: agreement(key, True, source)
    for key, source in (
        ("agree.zip_state", _ZIP),
        ("agree.zip_city", _ZIP),
        ("agree.zip_county", _ZIP),
        ("agree.phone_state", _PHONE),
        ("agree.phone_zip", _ZIP),
        ("agree.phone_zone", _PHONE),
    )
}
_DISAGREED = {
    "agree.zip_state": agreement("agree.zip_state", False, _ZIP),
    # A place may go by a name that the post does not list, and a ZIP may reach into the next county.
    "agree.zip_city": agreement("agree.zip_city", False, _ZIP, 60),
    "agree.zip_county": agreement("agree.zip_county", False, _ZIP, 60),
    # People keep their number when they move, and codes are laid over one another.
    "agree.phone_state": agreement("agree.phone_state", False, _PHONE, 50),
    "agree.phone_zip": Fact("agree.phone_zip", False, "unknown", _ZIP, 30),
    "agree.phone_zone": agreement("agree.phone_zone", False, _PHONE, 50),
}


def _agreed(key: str, same: bool) -> Fact:
    return _AGREED[key] if same else _DISAGREED[key]


_ELSEWHERE_IN_STATE = Fact("agree.phone_zone", False, "unknown", _PHONE, 30)
"""An exchange at a state's border keeps its neighbour's time."""


def _zone_agreed(same: bool, same_state: bool) -> Fact:
    return _ELSEWHERE_IN_STATE if not same and same_state else _agreed("agree.phone_zone", same)


@lru_cache(16_384)
def zip_facts(text: str, reference: Reference) -> tuple[Place | None, tuple[Fact, ...]]:
    """What is known of the place of a ZIP as it was written, and the facts that say so."""
    code = read_zip(text)
    place = reference.place(code) if code else None
    if place is None or code is None:
        return None, (Fact("zip.known", False, "fail", _ZIP),)
    facts = [
        Fact("zip.known", True, "pass", _ZIP),
        Fact("zip.code", code, "pass", OURS),
        Fact("zip.state", place.state, "pass", _ZIP),
        Fact("zip.city", place.city, "pass", _ZIP),
        Fact("zip.county", place.county or None, "pass" if place.county else "unknown", _ZIP),
        Fact("zip.zone", place.zone, "pass" if place.zone else "unknown", _ZIP),
    ]
    rest = text.strip()[5:].strip(" -")
    if len(rest) == 4 and rest.isascii() and rest.isdigit() and text.strip()[:5] == code:
        facts.append(Fact("zip.plus4", rest, "pass", OURS))
    if place.kind:
        facts.append(Fact("zip.kind", place.kind, "pass", _ZIP))
    return place, tuple(facts)


def read_zip(text: str) -> str | None:
    """The five digits of a ZIP, None where there are none."""
    head = text.strip()[:5]
    if len(head) == 4 and head.isascii() and head.isdigit():
        head = f"0{head}"  # a spreadsheet took the leading nought of a New England ZIP
    return head if len(head) == 5 and head.isascii() and head.isdigit() else None


def place_facts(
    fields: Values, phone_state: str | None, reference: Reference, phone: Phone | None = None
) -> list[Fact]:
    """What the ZIP says of the place, and whether state, city, county and area code agree with it."""
    facts: list[Fact] = []
    place = None
    zip_text, state_text = text_of(fields, "zip"), text_of(fields, "state")
    if zip_text:
        place, known = zip_facts(zip_text, reference)
        facts += known
    state = None
    if state_text:
        state = reference.state(state_text)
        facts.append(Fact("state.code", state, "pass" if state else "unknown", OURS))
    if place is not None:
        if state:
            facts.append(_agreed("agree.zip_state", place.state == state))
        if (city := text_of(fields, "city")) is not None:
            facts.append(_agreed("agree.zip_city", fold_city(city) in place.cities))
        if place.county and (county := text_of(fields, "county")) is not None:
            facts.append(_agreed("agree.zip_county", fold_county(county) == fold_county(place.county)))
        if phone is not None and phone.area:
            if place.areas:
                facts.append(_agreed("agree.phone_zip", phone.area in place.areas))
            if place.zone and phone.zones:
                facts.append(_zone_agreed(place.zone in phone.zones, phone_state == place.state))
    home = state or (place.state if place else None)
    if home and phone_state:
        facts.append(_agreed("agree.phone_state", home == phone_state))
    return facts


@lru_cache(8_192)
def fold_county(name: str) -> str:
    """A county's name as it is compared: without what kind of county it is."""
    words = fold_city(name).split()
    while len(words) > 1 and words[-1] in _COUNTY_WORDS:
        words.pop()
    return " ".join(words)


_COUNTY_WORDS = frozenset(("county", "parish", "borough", "municipality", "municipio", "area", "census", "co"))


def written_place_fact(address: Address, fields: Values, reference: Reference) -> Fact | None:
    """Whether a ZIP or a state that stands in the street address is the lead's own; None where neither is there."""
    own = read_zip(text_of(fields, "zip") or "")
    if address.zip and own:
        return agreement("agree.address_zip", address.zip == own, address.read_by, 80)
    state = reference.state(address.state) if address.state else None
    stated = reference.state(text_of(fields, "state") or "")
    if state and stated:
        return agreement("agree.address_zip", state == stated, address.read_by, 80)
    return None
