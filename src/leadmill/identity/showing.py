"""Reads off a lead what it shows of its person. Pure.

The forms are those of the dossier's facts, where somebody found them out, else the lead's own fields in the plain form
of ``linkage``.
"""

import re

from leadmill import linkage
from leadmill.capture import Lead
from leadmill.facts import Dossier
from leadmill.identity.rules import email_key
from leadmill.identity.traits import Traits
from leadmill.linkage import Field, Kind

_GIVEN = Field("given", Kind.GIVEN_NAME)
_LAST = Field("last", Kind.FAMILY_NAME)
_BORN = Field("born", Kind.DATE)
_STREET = Field("street", Kind.STREET)
_ZIP = Field("zip", Kind.POSTCODE)
_HOUSE = re.compile(r"\s*(\d[\w/-]*)\s+(.*)", re.DOTALL)
_UNIT = re.compile(r"(?:,|#|\b(?:apt|apartment|unit|suite|ste|fl|floor|lot|rm)\b).*", re.IGNORECASE | re.DOTALL)
_SUFFIXES = {
    "jr": "jr",
    "junior": "jr",
    "ii": "jr",
    "2nd": "jr",
    "sr": "sr",
    "senior": "sr",
    "iii": "iii",
    "3rd": "iii",
    "iv": "iv",
}
_NO_NAME = ("name.placeholder", "name.gibberish", "name.keyboard", "name.profane", "name.contact")
"""Facts that fail where what stands in the name fields is nobody's name; it then tells no persons apart."""


def traits_of(lead: Lead, dossier: Dossier) -> Traits:
    """The traits that a lead shows. Contact details count where they are in order, names where they can be a
    person's."""
    facts, fields = dossier.values, lead.fields
    email, phone, place = facts.get("email.lookup"), facts.get("phone.e164"), facts.get("zip.code")
    given, last, suffix = _name(lead, dossier)
    house, street = facts.get("address.number"), facts.get("address.street_name")
    if house is None and street is None and fields.get("address"):
        house, street = _split_address(lead.text("address"))
    if place is None and fields.get("zip"):
        place = linkage.plain(_ZIP, lead.text("zip"))
    born = fields.get("date_of_birth")
    return Traits(
        given=given,
        last=last,
        suffix=suffix,
        born=_born(str(born)) if born else "",
        house=str(house).lower() if house else "",
        street=linkage.plain(_STREET, str(street)) if street else "",
        zip=str(place) if place else "",
        email=email_key(email) if isinstance(email, str) else "",
        phone=phone if isinstance(phone, str) else "",
    )


def _name(lead: Lead, dossier: Dossier) -> tuple[str, str, str]:
    known = dossier.by_key
    if any(key in known and known[key].outcome == "fail" for key in _NO_NAME):
        return "", "", ""
    given, last, suffix = dossier.text("name.first"), dossier.text("name.last"), dossier.text("name.suffix")
    if given is None and last is None:
        first, family = lead.text("first_name"), lead.text("last_name")
        given, last = linkage.plain(_GIVEN, first) if first else "", linkage.plain(_LAST, family) if family else ""
    words = last.split() if last else []
    while len(words) > 1 and words[-1] in _SUFFIXES:
        suffix = suffix or words[-1]
        words.pop()
    return given or "", " ".join(words), _SUFFIXES.get(suffix.lower(), "") if suffix else ""


def _split_address(address: str | None) -> tuple[str, str]:
    found = _HOUSE.match(address or "")
    return (found[1], _UNIT.sub("", found[2])) if found else ("", "")


def _born(text: str) -> str:
    digits = text.replace("-", "") if len(text) == 10 else linkage.plain(_BORN, text)
    return digits if len(digits) == 8 and digits.isdigit() and "1900" <= digits[:4] <= "2100" else ""
