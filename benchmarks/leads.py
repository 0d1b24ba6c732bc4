"""Believable leads without number: distinct persons who can all be reached on paper, and never in fact.

Called by the load generator and by the import's benchmark. The ``number``-th lead is always the same. Names,
addresses and numbers are made up; mail domains are those reserved for examples (RFC 2606). ZIP, city, state and area
code belong together, so that every check has something to do and passes.
"""

import csv
import json
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks.business import SELLERS
from benchmarks.persons import census_table


class Place(Struct, frozen=True):
    """A city with one of its ZIPs and the area codes spoken there."""

    city: str
    state: str
    zip: str
    areas: tuple[str, ...]


PLACES = (
    Place("San Francisco", "CA", "94110", ("415", "628")),
    Place("Los Angeles", "CA", "90026", ("213", "323")),
    Place("San Diego", "CA", "92103", ("619", "858")),
    Place("Sacramento", "CA", "95814", ("916",)),
    Place("Fresno", "CA", "93720", ("559",)),
    Place("Phoenix", "AZ", "85016", ("602", "480")),
    Place("Tucson", "AZ", "85719", ("520",)),
    Place("Austin", "TX", "78704", ("512", "737")),
    Place("Dallas", "TX", "75206", ("214", "972")),
    Place("Houston", "TX", "77007", ("713", "281", "832")),
    Place("San Antonio", "TX", "78209", ("210",)),
    Place("Las Vegas", "NV", "89109", ("702", "725")),
    Place("Reno", "NV", "89501", ("775",)),
    Place("Denver", "CO", "80206", ("303", "720")),
    Place("Colorado Springs", "CO", "80903", ("719",)),
    Place("Miami", "FL", "33133", ("305", "786")),
    Place("Orlando", "FL", "32803", ("407",)),
    Place("Tampa", "FL", "33606", ("813",)),
    Place("Atlanta", "GA", "30307", ("404", "770", "678")),
    Place("Charlotte", "NC", "28203", ("704", "980")),
    Place("Raleigh", "NC", "27605", ("919",)),
    Place("New York", "NY", "10025", ("212", "646", "917")),
    Place("Buffalo", "NY", "14209", ("716",)),
    Place("Newark", "NJ", "07104", ("973", "862")),
    Place("Boston", "MA", "02116", ("617", "857")),
    Place("Philadelphia", "PA", "19147", ("215", "267")),
    Place("Seattle", "WA", "98103", ("206",)),
    Place("Portland", "OR", "97214", ("503", "971")),
    Place("Salt Lake City", "UT", "84105", ("801",)),
    Place("Albuquerque", "NM", "87106", ("505",)),
)

_STREETS = ("Oak Street", "Maple Avenue", "Cedar Lane", "Hill Road", "Park Drive", "Lake View Court", "Elm Street")
_DOMAINS = ("example.com", "example.net", "example.org")
_ROOFS = ("asphalt_shingle", "tile", "metal", "flat")
_SHADES = ("none", "none", "some", "much")
_CREDITS = ("excellent", "good", "good", "fair")
_FRAMES = ("immediately", "1-3 months", "3-6 months", "not sure")
_UTILITIES = ("City Light and Power", "Valley Electric", "Public Service Co", "Edison Cooperative")
_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile",
)

CONSENT = (
    "By clicking Get my quotes I agree that the companies listed here may call, text and e-mail me about solar at the "
    "number and address I gave, also with automated technology. Agreeing is not a condition of purchase."
)

EXCHANGES = tuple(n for n in range(200, 1000) if n != 555 and n % 100 != 11)
"""Central office codes that numbers are given out in: no service codes, and none kept for directory or fiction."""
_LINES = 10_000
_MOST = len(PLACES) * len(EXCHANGES) * _LINES


class Person(Struct, frozen=True):
    """Who sends the ``number``-th lead."""

    first: str
    last: str
    email: str
    phone: str
    address: str
    place: Place


def person(number: int) -> Person:
    """The ``number``-th person; all below :data:`_MOST` have an address and a number of their own."""
    if not 0 <= number < _MOST:
        raise ValueError(f"there are {_MOST} persons")
    place = PLACES[number % len(PLACES)]
    run = number // len(PLACES)
    # A step that shares no factor with the size walks through every number once, and lands far from the one before.
    # Places begin at different numbers: who come one after another are not one digit of the area code apart.
    slot = (run * 2_654_435_761 + number % len(PLACES) * 227_363 + 104_729) % (len(EXCHANGES) * _LINES)
    area = place.areas[run % len(place.areas)]
    # Who come one after another have nothing in common: likeness is looked for by name and home.
    draw = _mixed(number)
    first = _of(_firsts(), draw & 0xFFFFF)
    last = _of(_lasts(), draw >> 20 & 0xFFFFF)
    house = 100 + (draw >> 40) % 9_000
    return Person(
        first=first,
        last=last,
        email=f"{first}.{last}{number}@{_DOMAINS[number % 3]}".lower(),
        phone=f"({area}) {EXCHANGES[slot // _LINES]}-{slot % _LINES:04d}",
        address=f"{house} {_STREETS[number % len(_STREETS)]}",
        place=place,
    )


def _mixed(number: int) -> int:
    """Sixty-four bits that neighbours do not share (Steele, Lea and Flood, Fast splittable pseudorandom number
    generators, OOPSLA 2014)."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & _WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
    return mixed ^ mixed >> 31


_WORD = (1 << 64) - 1


@cache
def _firsts() -> tuple[list[str], list[float]]:
    return _commonest("dist.female.first", 150)


@cache
def _lasts() -> tuple[list[str], list[float]]:
    return _commonest("dist.all.last", 3_000)


def _commonest(name: str, most: int) -> tuple[list[str], list[float]]:
    values, sums = census_table(name)
    return [value.title() for value in values[:most]], sums[:most]


def _of(table: tuple[list[str], list[float]], draw: int) -> str:
    """A name by how common it is; ``draw`` has twenty bits."""
    values, sums = table
    return values[min(bisect(sums, draw / (1 << 20) * sums[-1]), len(values) - 1)]


def solar_lead(number: int) -> dict[str, Any]:
    """The ``number``-th lead as a source sends it."""
    who = person(number)
    return {
        "vertical": "solar",
        "fields": {
            "first_name": who.first,
            "last_name": who.last,
            "email": who.email,
            "phone": who.phone,
            "address": who.address,
            "city": who.place.city,
            "state": who.place.state,
            "zip": who.place.zip,
            "homeowner": "yes",
            "monthly_bill": 90 + number * 37 % 310,
            "utility_provider": _UTILITIES[number % len(_UTILITIES)],
            "roof_type": _ROOFS[number // 3 % len(_ROOFS)],
            "roof_shade": _SHADES[number // 5 % len(_SHADES)],
            "property_type": "single family home",
            "credit_rating": _CREDITS[number // 7 % len(_CREDITS)],
            "timeframe": _FRAMES[number // 11 % len(_FRAMES)],
        },
        "consent": {
            "text": CONSENT,
            "sellers": SELLERS,
            "box_default": "unchecked",
            "sensitive_opt_in": ["financial"],
        },
        "context": {
            "ip": f"{20 + number % 80}.{number // 80 % 250}.{number // 20_000 % 250}.{1 + number % 250}",
            "user_agent": _AGENTS[number % len(_AGENTS)],
            "landing_page": f"https://solar.example/quote?step=4&v={number % 5}",
            "utm_source": "search",
            "sub1": f"c{number % 97}",
        },
    }


def body(number: int) -> bytes:
    """The ``number``-th lead's JSON, about a kilobyte."""
    return json.dumps(solar_lead(number), separators=(",", ":")).encode()


_OF_THE_PERSON = ("first_name", "last_name", "email", "phone", "address")


def ping_body(number: int) -> bytes:
    """The ``number``-th lead's JSON without the person: what a source asks a price for."""
    lead = solar_lead(number)
    fields = {name: value for name, value in lead["fields"].items() if name not in _OF_THE_PERSON}
    told = {"vertical": lead["vertical"], "fields": fields, "context": lead["context"]}
    return json.dumps(told, separators=(",", ":")).encode()


EDUCATION_COLUMNS = (
    "first_name", "last_name", "email", "phone", "city", "state", "zip", "program", "subject", "degree_level",
    "occupation", "timeframe", "time_on_site", "total_visits", "ip", "user_agent", "landing_page", "consent_text",
    "sellers",
)  # fmt: skip
_SUBJECTS = ("Nursing", "Accounting", "Computer Science", "Marketing", "Psychology")
_LEVELS = ("certificate", "associate", "bachelor", "master")
_JOBS = ("working professional", "student", "unemployed", "other")


def education_row(number: int) -> tuple[str, ...]:
    """The ``number``-th row of a clean file of enquiries, in the order of :data:`EDUCATION_COLUMNS`."""
    who = person(number)
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return (
        who.first,
        who.last,
        who.email,
        who.phone,
        who.place.city,
        who.place.state,
        who.place.zip,
        f"{subject} programme",
        subject,
        _LEVELS[number // 5 % len(_LEVELS)],
        _JOBS[number // 3 % len(_JOBS)],
        _FRAMES[number // 11 % len(_FRAMES)],
        str(250 + number * 13 % 900),
        str(1 + number % 9),
        f"{20 + number % 80}.{number // 80 % 250}.{number // 20_000 % 250}.{1 + number % 250}",
        _AGENTS[number % len(_AGENTS)],
        "https://school.example/enquiry",
        CONSENT.replace("solar", "courses"),
        "; ".join(SELLERS),
    )


def write_education_file(path: Path, rows: Iterator[tuple[str, ...]]) -> None:
    """A CSV file of enquiries with its heading."""
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(EDUCATION_COLUMNS)
        writer.writerows(rows)
