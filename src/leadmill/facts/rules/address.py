"""A street address read into its parts and written as the post writes it (USPS Publication 28).

Called by :func:`leadmill.facts.rules.find_facts` for addresses in the United States. The usual shape (number, street,
suffix, perhaps directions and a unit) is read by a rule in a few microseconds; whatever else people write goes to
``usaddress``, which takes a hundred and more. Both give the same parts; ``tests/facts`` holds them against each other.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import usaddress
from msgspec import Struct

from leadmill.facts.model import OURS, Fact
from leadmill.facts.streets import DIRECTIONS, LONE_UNITS, SUFFIXES, UNITS

Kind = Literal["street", "po_box", "rural_route", "military", "intersection"]

_PARSER = "usaddress"
_LONGEST = 200
_BOX = re.compile(r"(?:P *O|POST(?:AL)? OFFICE)? *(?:BOX|BX|DRAWER) *#? *([A-Z0-9-]+)|P *O *B *#? *(\d+)")
_ROUTE = re.compile(
    r"(?:(RR|R R|RFD|RURAL (?:ROUTE|RTE|RT)|RURAL DELIVERY)|(HC|HCR|HIGHWAY CONTRACT(?: ROUTE)?|STAR ROUTE))"
    r" *#? *(\d+[A-Z]?)(?: +BOX *#? *([A-Z0-9-]+))?"
)
_MILITARY = re.compile(r"(?:PSC|CMR|UNIT|OMC|USS)\b.*")
_NUMBER = re.compile(r"\d{1,6}(?:-\d{1,5})?[A-Z]?")
_WORD = re.compile(r"[A-Z0-9'&/-]+")
_NOT_PLAIN_WORDS = """
AND AT BOX HIGHWAY HWY ROUTE RTE RT COUNTY STATE INTERSTATE FM CR SR US RR HC PO CORNER BLOCK KM MILE
"""
_NOT_PLAIN = frozenset(_NOT_PLAIN_WORDS.split())
"""Words before which a street is numbered, and those that mean two streets: left to the parser."""
_UNITED = re.compile(r"(#|\b(?:" + "|".join(sorted(UNITS)) + r")\b) *#? *([A-Z0-9-]*)")
_ZIP = re.compile(r"(\d{5})(?:-\d{4})?")


class Address(Struct, frozen=True):
    """An address read. ``number`` and ``street`` make a place to go to, as ``box`` and ``route`` do; ``name`` is the
    street's without direction and suffix. What was not read is empty; ``read_by`` says who read it."""

    kind: Kind | None
    number: str = ""
    street: str = ""
    name: str = ""
    unit: str = ""
    box: str = ""
    route: str = ""
    zip: str = ""
    state: str = ""
    read_by: str = OURS

    @property
    def complete(self) -> bool | None:
        """Whether post has a place to go; None where it could not be read or is a corner."""
        if self.kind in (None, "intersection"):
            return None
        return bool((self.number and self.street) or self.box or self.route or self.kind == "military")

    @property
    def line(self) -> str:
        """The delivery line as the post writes it."""
        if self.kind == "po_box":
            return f"PO BOX {self.box}"
        if self.kind == "rural_route":
            return f"{self.route} BOX {self.box}" if self.box else self.route
        return " ".join(part for part in (self.number, self.street, self.unit) if part)


NOT_READ = Address(None)


@lru_cache(16_384)
def read_address(text: str, unit: str = "") -> Address:
    """An address by its first line and what stands in the second, where there is one."""
    plain = _plain(text[:_LONGEST])
    second = _plain(unit[:_LONGEST])
    found = _plain_box(plain) or _plain_route(plain) or _plain_military(plain) or _plain_street(plain)
    if found is None:
        found = _parsed(text[:_LONGEST])
    if second and not found.unit and found.kind in ("street", None):
        found = _with(found, unit=_unit(second))
    return found


def _plain(text: str) -> str:
    return " ".join(text.upper().replace(",", " ").replace(".", " ").split())


def _plain_box(text: str) -> Address | None:
    found = _BOX.fullmatch(text)
    return Address("po_box", box=found[1] or found[2]) if found else None


def _plain_route(text: str) -> Address | None:
    found = _ROUTE.fullmatch(text)
    if found is None:
        return None
    return Address("rural_route", route=f"{'RR' if found[1] else 'HC'} {found[3]}", box=found[4] or "")


def _plain_military(text: str) -> Address | None:
    # UNIT alone begins ordinary second lines; a military unit has a box behind it.
    return Address("military", street=text) if _MILITARY.fullmatch(text) and " BOX " in text else None


def _plain_street(text: str) -> Address | None:
    words = text.replace("#", " # ").split()
    if len(words) < 3 or not _NUMBER.fullmatch(words[0]) or not _NOT_PLAIN.isdisjoint(words):
        return None
    cut = _cut_unit(words)
    if cut is None:
        return None
    words, unit = cut
    after = ""
    if len(words) > 3 and words[-1] in DIRECTIONS and words[-2] in SUFFIXES:
        after = DIRECTIONS[words.pop()]
    if len(words) < 3 or words[-1] not in SUFFIXES or not all(map(_WORD.fullmatch, words)):
        return None
    before = ""
    if len(words) > 3 and words[1] in DIRECTIONS:
        before = DIRECTIONS[words.pop(1)]
    # A second number (a fraction, half a house) or a unit or direction within the name is for the parser.
    name = words[1:-1]
    if len(name) > 3 or (name[0][0].isdigit() and not name[0][-1].isalpha()):
        return None
    if any(word in UNITS or word in DIRECTIONS for word in name[1:]):
        return None
    street = " ".join(filter(None, (before, *name, SUFFIXES[words[-1]], after)))
    return Address("street", words[0], street, " ".join(name), unit)


def _cut_unit(words: list[str]) -> tuple[list[str], str] | None:
    """The words without the unit at their end, and the unit; None where it cannot be told which they are."""
    for at in range(len(words) - 1, max(2, len(words) - 4), -1):
        word = words[at]
        if word == "#" or (word in UNITS and (word not in SUFFIXES or at < len(words) - 1)):
            cut = at - 1 if word == "#" and words[at - 1] in UNITS else at
            unit = _unit(" ".join(words[cut:]))
            return (words[:cut], unit) if cut >= 3 and unit else None
    return words, ""


def _unit(text: str) -> str:
    """A unit as the post writes it; a bare number is one whose kind nobody said."""
    found = _UNITED.match(text)
    if found is None:
        bare = text.replace(" ", "")
        return f"# {bare}" if re.fullmatch(r"\d{1,5}[A-Z]?|[A-Z]\d{0,4}", bare) else ""
    kind = UNITS.get(found[1], "#")
    if not found[2]:
        return kind if kind in LONE_UNITS else ""
    return f"{kind} {found[2]}"


_PRE = ("StreetNamePreModifier", "StreetNamePreDirectional", "StreetNamePreType")


def _parsed(text: str) -> Address:
    """What the parser makes of an address that is not of the usual shape."""
    try:
        parts, kind = usaddress.tag(text.upper())
    except usaddress.RepeatedLabelError:
        return Address(None, read_by=_PARSER)
    named = {key: _plain(value) for key, value in parts.items()}
    common = {
        "zip": match[1] if (match := _ZIP.fullmatch(named.get("ZipCode", ""))) else "",
        "state": named.get("StateName", ""),
        "read_by": _PARSER,
    }
    if kind == "PO Box" and named.get("USPSBoxID"):
        group = f"{named.get('USPSBoxGroupType', '')} {named.get('USPSBoxGroupID', '')}".strip()
        if group:
            return Address("rural_route", route=group, box=named["USPSBoxID"], **common)
        return Address("po_box", box=named["USPSBoxID"], **common)
    if kind == "Intersection":
        return Address("intersection", street=_plain(text), **common)
    name = named.get("StreetName", "")
    number = " ".join(filter(None, (named.get(f"AddressNumber{part}", "") for part in ("Prefix", "", "Suffix"))))
    if not name or not (number or "StreetNamePostType" in named):
        return Address(None, **common)
    return Address("street", number, _street(named, name), name, _named_unit(named), **common)


def _street(named: Mapping[str, str], name: str) -> str:
    def short(key: str, forms: Mapping[str, str]) -> str:
        return " ".join(forms.get(word, word) for word in named.get(key, "").split())

    return " ".join(
        filter(
            None,
            (
                named.get("StreetNamePreModifier", ""),
                short("StreetNamePreDirectional", DIRECTIONS),
                short("StreetNamePreType", SUFFIXES),
                name,
                short("StreetNamePostType", SUFFIXES),
                short("StreetNamePostDirectional", DIRECTIONS),
            ),
        )
    )


def _named_unit(named: Mapping[str, str]) -> str:
    words = f"{named.get('OccupancyType', '')} {named.get('OccupancyIdentifier', '')}".strip()
    return _unit(words) if words else ""


def _with(found: Address, unit: str) -> Address:
    return Address(
        found.kind, found.number, found.street, found.name, unit, found.box, found.route, found.zip, found.state,
        found.read_by,
    )  # fmt: skip


def address_facts(found: Address) -> list[Fact]:
    """The parts of an address that was read, and whether post has a place to go. That a house has no number in it is
    likely a slip, yet there are such places: the confidence says so."""
    source = found.read_by
    if found.kind is None:
        return [
            Fact("address.kind", None, "unknown", source, 0),
            Fact("address.complete", None, "unknown", source, 0),
        ]
    complete = found.complete
    facts = [
        Fact("address.kind", found.kind, "pass", source),
        Fact(
            "address.complete",
            complete,
            "unknown" if complete is None else "pass" if complete else "fail",
            source,
            100 if complete else 70,
        ),
        Fact("address.line", found.line, "pass", source),
    ]
    for key, value in (
        ("address.number", found.number),
        ("address.street", found.street if found.kind == "street" else ""),
        ("address.street_name", found.name),
        ("address.unit", found.unit),
        ("address.box", found.box),
        ("address.route", found.route),
    ):
        if value:
            facts.append(Fact(key, value, "pass", source))
    return facts
