"""The model to begin with: consumers in the United States, before any data of one's own was seen.

How far records of one person differ (``m``) are careful guesses from published studies of clerical data; how often
strangers agree (``u``) follows from the Census Bureau's name tables, 41,000 ZIP codes and a span of 80 birth years.
Estimation on real files replaces them.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import names

from leadmill.linkage.ladders import ladder
from leadmill.linkage.model import Bundle, Comparison, Echo, Field, Frequencies, Kind, Level, Model, Swap

_UNSEEN_NAME = 2e-6
"""A name below the Census tables' end (0.001 % of last names, 0.004 % of first ones), counted with care."""

GIVEN = Field("given_name", Kind.GIVEN_NAME)
FAMILY = Field("family_name", Kind.FAMILY_NAME)
EMAIL = Field("email", Kind.EMAIL)
PHONE = Field("phone", Kind.PHONE)
BORN = Field("birth_date", Kind.DATE)
STREET = Field("street", Kind.STREET)
HOUSE = Field("house_number", Kind.HOUSE_NUMBER)
POSTCODE = Field("postcode", Kind.POSTCODE)
CITY = Field("city", Kind.CITY)
STATE = Field("state", Kind.STATE)
SEX = Field("sex", Kind.SEX)

_NAMES = (Kind.GIVEN_NAME, Kind.FAMILY_NAME)
_PLACE = ("street", "house_number", "postcode", "city", "state")
_HOME = (*_PLACE, "family_name", "phone", "email")


def consumers(persons: int = 1_000_000) -> Model:
    """The beginning model for a book of ``persons`` US consumers: a new record is any of them, or as likely none."""
    prior = min(0.1, 0.5 / max(1, persons))
    return Model(
        comparisons=(
            begin(GIVEN),
            begin(FAMILY),
            begin(EMAIL, rarity=False),
            begin(PHONE, rarity=False),
            begin(BORN, rarity=False),
            begin(STREET, rarity=False),
            begin(HOUSE, rarity=False),
            begin(POSTCODE, rarity=False),
            begin(CITY, rarity=False),
            begin(STATE, rarity=False),
            begin(SEX, rarity=False),
        ),
        prior=prior,
        swaps=(Swap("given_name", "family_name"),),
        echoes=echoes_of((GIVEN, FAMILY, EMAIL)),
        bundles=(
            Bundle("place", _PLACE, 2.0 * prior),
            Bundle("home", _HOME, 1.5 * prior),
            Bundle("twins", (*_HOME, "birth_date"), 0.03 * prior),
            Bundle("namesakes", (*_HOME, "given_name"), 0.03 * prior),
        ),
    )


@cache
def census() -> Frequencies:
    """How common US names are: the Census Bureau's 1990 tables (public domain; from the package ``names``)."""
    male, female = _table("dist.male.first"), _table("dist.female.first")
    given = {name: (male.get(name, 0.0) + female.get(name, 0.0)) / 2 for name in sorted({*male, *female})}
    for name, share in [*given.items()]:
        # An initial stands for every name that begins so: shared, it is no rare name.
        given[name[0]] = given.get(name[0], 0.0) + share
    return Frequencies(
        shares={"given_name": given, "family_name": _table("dist.all.last")},
        unseen={"given_name": _UNSEEN_NAME, "family_name": _UNSEEN_NAME},
    )


def _table(name: str) -> dict[str, float]:
    shares = {}
    for line in Path(names.full_path(name)).read_text("ascii").splitlines():
        value, percent = line.split()[:2]
        # Letters alone stand there, so this is their plain form; a hundred thousand names are read at a first lead.
        shares[value.lower()] = max(_UNSEEN_NAME, float(percent) / 100)
    return shares


ECHOED = {Kind.EMAIL: (0.0001, 0.002, 0.008, 0.08, 0.35, 0.5599)}
"""How a kind of field falls on its levels between strangers of one name: half of all addresses are made of it."""


def echoes_of(fields: Sequence[Field]) -> tuple[Echo, ...]:
    """Which of the fields are often made of which others: e-mail addresses of names."""
    names = tuple(next((field.name for field in fields if field.kind is kind), "") for kind in _NAMES)
    if not all(names):
        return ()
    return tuple(Echo(field.name, names, ECHOED[field.kind]) for field in fields if field.kind in ECHOED)


def begin(field: Field, rarity: bool = True) -> Comparison:
    """A field's comparison with its kind's first guesses."""
    rungs = ladder(field.kind)
    levels = zip(rungs.names, rungs.m, rungs.u, strict=True)
    return Comparison(field, tuple(Level(name, m, u) for name, m, u in levels), rarity)
