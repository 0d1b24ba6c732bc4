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
    known = dossier.text
    email = known("email.lookup")
    given, last, suffix = _name(lead, dossier)
    house, street = known("address.number"), known("address.street_name")
    if house is None and street is None:
        house, street = _split_address(lead.text("address"))
    place = known("zip.code") or lead.text("zip")
    return Traits(
        given=given,
        last=last,
        suffix=suffix,
        born=_born(lead.text("date_of_birth")),
        house=(house or "").lower(),
        street=linkage.plain(_STREET, street) if street else "",
        zip=linkage.plain(_ZIP, place) if place else "",
        email=email_key(email) if email else "",
        phone=known("phone.e164") or "",
    )


def _name(lead: Lead, dossier: Dossier) -> tuple[str, str, str]:
    if any(dossier.outcome(key) == "fail" for key in _NO_NAME):
        return "", "", ""
    given, last = dossier.text("name.first"), dossier.text("name.last")
    suffix = dossier.text("name.suffix")
    if given is None and last is None:
        given, last = lead.text("first_name"), lead.text("last_name")
    plain_given, plain_last = linkage.plain(_GIVEN, given) if given else "", linkage.plain(_LAST, last) if last else ""
    words = plain_last.split()
    while len(words) > 1 and words[-1] in _SUFFIXES:
        suffix = suffix or words[-1]
        words.pop()
    return plain_given, " ".join(words), _SUFFIXES.get((suffix or "").lower(), "")


def _split_address(address: str | None) -> tuple[str, str]:
    found = _HOUSE.match(address or "")
    return (found[1], _UNIT.sub("", found[2])) if found else ("", "")


def _born(text: str | None) -> str:
    digits = linkage.plain(_BORN, text) if text else ""
    return digits if len(digits) == 8 and digits.isdigit() and "1900" <= digits[:4] <= "2100" else ""
