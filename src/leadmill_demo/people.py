"""People who do not exist: names, addresses, numbers and browsers that look like those of visitors.

Used by ``traffic``. Everything comes from the given source of randomness, so the same seed gives the same people.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from leadmill_demo.places import PLACES, Place

_FIRST_NAMES = (
    "Maria James Linda Robert Patricia Michael Jennifer David Elizabeth William Barbara Richard Susan Joseph Jessica "
    "Thomas Karen Carlos Nancy Daniel Lisa Matthew Sandra Anthony Ashley Mark Kimberly Steven Emily Paul Donna Andrew "
    "Michelle Joshua Carol Kenneth Amanda Kevin Melissa Brian Deborah Jorge Stephanie Ronald Rebecca Timothy Laura "
    "Jason Sharon Jeffrey Cynthia Ryan Amy Jacob Angela Gary Shirley Nicholas Brenda Eric Pamela Jonathan Nicole "
    "Stephen Ruth Larry Katherine Justin Samantha Scott Christine Brandon Catherine Benjamin Virginia Samuel Rachel "
    "Gregory Janet Alexander Heather Patrick Diane Raymond Olivia Jack Julie Dennis Joyce Jerry Victoria Tyler Kelly "
    "Aaron Lauren Jose Christina Adam Joan Nathan Evelyn Luis Judith Priya Wei Fatima Andre Lakshmi Dmitri Aisha Kenji"
)
_LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales "
    "Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson "
    "Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long "
    "Ross Foster Jimenez O'Brien Schneider Kowalski Okafor Haddad Petrov Yamamoto Nakamura Fischer Larsen Dubois"
)
_STREET_NAMES = (
    "Maple Oak Cedar Elm Walnut Juniper Willow Birch Hawthorn Meadow Prairie Orchard Harbor Mill Quarry Summit Canyon "
    "Lakeview Sycamore Magnolia Cypress Chestnut Foothill Riverside Stonebridge Larkspur"
)
_FIRST, _LAST, _STREETS = _FIRST_NAMES.split(), _LAST_NAMES.split(), _STREET_NAMES.split()
_KINDS = ("St", "Ave", "Dr", "Ln", "Ct", "Rd", "Way", "Blvd")
_MAILBOXES = ("example.com", "mail.example.com", "example.net", "inbox.example.net", "example.org", "post.example.org")
"""Kept for examples (RFC 2606), so that no letter can reach anybody."""
_THROWAWAY = ("mailinator.com", "guerrillamail.com", "yopmail.com", "sharklasers.com")

BROWSERS: tuple[str, ...] = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
PROGRAMS: tuple[str, ...] = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "python-requests/2.32.3",
    "Scrapy/2.12.0 (+https://scrapy.org)",
    "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
)


class Person(NamedTuple):
    """A visitor: who, where, and with what browser."""

    first: str
    last: str
    email: str
    phone: str
    street: str
    place: Place
    born: date
    ip: str
    browser: str


def make_person(rng: Random, today: date, places: Sequence[Place] = PLACES) -> Person:
    """Somebody new, grown up, at home in one of ``places``."""
    first, last, place = rng.choice(_FIRST), rng.choice(_LAST), rng.choice(places)
    return Person(
        first=first,
        last=last,
        email=make_email(rng, first, last),
        phone=make_phone(rng, place),
        street=f"{rng.randint(11, 9899)} {rng.choice(_STREETS)} {rng.choice(_KINDS)}",
        place=place,
        born=today - timedelta(days=rng.randint(21 * 366, 79 * 365)),
        ip=make_ip(rng),
        browser=rng.choice(BROWSERS),
    )


def make_email(rng: Random, first: str, last: str) -> str:
    """An address that looks like its owner's and reaches nobody."""
    name, surname = first.lower(), "".join(sign for sign in last.lower() if sign.isalpha())
    shape = rng.choice((f"{name}.{surname}", f"{name[0]}{surname}", f"{surname}{name}", f"{name}_{surname}"))
    return f"{shape}{rng.randint(1, 99_999)}@{rng.choice(_MAILBOXES)}"


def make_phone(rng: Random, place: Place) -> str:
    """A number of the place's area codes with the prefix 555, as people and programs write them. Of that prefix only
    the directory (1212) and one more line (4334) were ever in use."""
    area = rng.choice(place.area_codes)
    line = rng.randint(2000, 9999)
    while line in (4334, 5555):
        line = rng.randint(2000, 9999)
    shape = rng.choice(("({0}) 555-{1}", "{0}-555-{1}", "{0}555{1}", "+1{0}555{1}", "{0}.555.{1}"))
    return shape.format(area, line)


def make_ip(rng: Random) -> str:
    """An address of the networks that documents may use (RFC 5737)."""
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(1, 254)}"


def throwaway_email(rng: Random, person: Person) -> str:
    """An address of a service whose mailboxes last ten minutes."""
    return f"{person.first.lower()}{rng.randint(100_000, 999_999)}@{rng.choice(_THROWAWAY)}"


def bad_phone(rng: Random) -> str:
    """A number that cannot be dialled, or that fingers typed at random."""
    return rng.choice(
        (
            f"555-{rng.randint(1000, 9999)}",
            f"{rng.randint(100, 199)}{rng.randint(1_000_000, 9_999_999)}",
            "0000000000",
            "1234567890",
            "999-999-9999",
            f"({rng.randint(200, 989)}) 155-{rng.randint(1000, 9999)}",
        )
    )
