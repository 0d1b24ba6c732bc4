"""What a person who asks is told of themselves: what is held, from whom, for what, and who has it.

Filled by ``flow`` from all that is stored, shown as a page and as JSON. Categories are those of Cal. Civ. Code
1798.140(v), which other states' laws do not contradict. Some things are never shown, only named: who reads an answer by
mistake must not be able to use it (11 CCR 7024(d)).
"""

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

Value = str | int | float | bool | list[str] | None


class Piece(Struct, frozen=True, kw_only=True):
    """One thing that is held: what it is called, its value, who says so and since when."""

    name: str
    title: str
    value: Value
    category: str
    source: str
    at: datetime


class Recipient(Struct, frozen=True, kw_only=True):
    """Somebody who has what a person once sent: sold to another company, or handed to people of ours."""

    name: str
    sold: bool
    interest: str
    at: datetime
    lead_id: str


class Agreed(Struct, frozen=True, kw_only=True):
    """What the person agreed to: the text they were shown, when, where, and which companies it named."""

    text: str
    at: datetime | None
    page: str | None
    companies: list[str]
    ways: list[str]


class Enquiry(Struct, frozen=True, kw_only=True):
    """One time that the person asked for something: when, what for, through whom, and all that is held of it."""

    lead_id: str
    at: datetime
    interest: str
    source: str
    pieces: list[Piece]
    agreement: Agreed | None = None


class Category(Struct, frozen=True, kw_only=True):
    """A kind of data: what is held of it, where it is from, what for, and who got it."""

    code: str
    title: str
    holds: list[str]
    sources: list[str]
    purposes: list[str]
    recipients: list[str]


class PrivacyAnswer(Struct, frozen=True, kw_only=True):
    """An answer. ``enquiries`` are empty where one was not sure enough of who asks to show the very data; ``withheld``
    names what is held and never shown. ``corrected`` are the fields that were put right, by enquiry; ``refused`` those
    that could not be, and why. ``kept`` says what stays after a deletion, and on which ground."""

    request_id: str
    kind: str
    at: datetime
    held: bool
    categories: list[Category] = []
    recipients: list[Recipient] = []
    enquiries: list[Enquiry] = []
    withheld: list[str] = []
    opted_out: list[datetime] = []
    messages: int = 0
    corrected: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    kept: list[str] = []


TITLES: dict[str, str] = {
    "identifiers": "Identifiers: name, ways to reach you, addresses of your browser",
    "protected": "Characteristics that the law protects, such as age",
    "commercial": "What you asked for and told us about it",
    "internet": "How you came to us: pages, campaigns, your browser",
    "geolocation": "Where you are, as far as an address or a postal code shows it",
    "professional": "Your work",
    "education": "Your education",
    "inferences": "What was found out or concluded from this",
    "sensitive": "Sensitive data",
}
"""The categories, in the order that they are shown."""

PURPOSES: dict[str, list[str]] = {
    "identifiers": ["to have you called or written to about what you asked for", "to prevent fraud"],
    "protected": ["to find who serves you"],
    "commercial": ["to find who serves you"],
    "internet": ["to know which page or campaign brought you", "to prevent fraud"],
    "geolocation": ["to find who serves you where you are", "to call at hours that the law allows there"],
    "professional": ["to find who serves you"],
    "education": ["to find who serves you"],
    "inferences": ["to see whether you can be reached", "to prevent fraud", "to find who serves you"],
    "sensitive": ["to find who serves you"],
}

_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("identifiers", re.compile(r"(first|last|full|middle)?_?name|email|phone.*|address|city|state|zip|country|ip")),
    ("protected", re.compile(r"date_of_birth|dob|age|gender|sex|marital_status|veteran.*|military.*|citizenship")),
    ("internet", re.compile(r"user_agent|landing_page|referr?er|utm_.*|.*clid|sub\d|gpc|browser.*|device.*|time_zone")),
    ("professional", re.compile(r"job_.*|company.*|employ.*|occupation|industry")),
    ("education", re.compile(r"education.*|degree.*|gpa|school.*|program.*|graduat.*")),
)
_PLACES = re.compile(r"(zip|ip|place|address|geo)\.")
_NEVER = re.compile(
    r".*(ssn|social_security|passport|driver.?s?_licen|licen[cs]e_number|account_n|routing|iban|card_n|cvv|password|"
    r"security_(question|answer)|medicare_(number|id)|health_insurance_id|tax_id).*"
)


def category_of(name: str, sensitive: bool = False, found_out: bool = False) -> str:
    """The category of a field by its name; of what was ``found_out``, by the fact's key."""
    if sensitive:
        return "sensitive"
    if found_out:
        return "geolocation" if _PLACES.match(name) else "inferences"
    return next((category for category, names in _NAMES if names.fullmatch(name)), "commercial")


def never_shown(name: str) -> bool:
    """Whether a field's value must never stand in an answer (11 CCR 7024(d))."""
    return _NEVER.fullmatch(name.lower()) is not None


def categories_of(enquiries: Iterable[Enquiry], recipients: Iterable[Recipient]) -> list[Category]:
    """The categories of what is held, each with what it holds, where that is from and who got it."""
    got: dict[str, list[str]] = {}
    for one in recipients:
        got.setdefault(one.lead_id, []).append(one.name)
    holds: dict[str, dict[str, None]] = {}
    sources: dict[str, dict[str, None]] = {}
    sharers: dict[str, dict[str, None]] = {}
    for enquiry in enquiries:
        for piece in enquiry.pieces:
            holds.setdefault(piece.category, {})[piece.title] = None
            sources.setdefault(piece.category, {})[piece.source] = None
            # What was found out about somebody is not handed on; what they told is.
            if piece.category != "inferences":
                sharers.setdefault(piece.category, {}).update(dict.fromkeys(got.get(enquiry.lead_id, ())))
    return [
        Category(
            code=code,
            title=title,
            holds=list(holds[code]),
            sources=list(sources[code]),
            purposes=PURPOSES[code],
            recipients=list(sharers.get(code, ())),
        )
        for code, title in TITLES.items()
        if code in holds
    ]
