"""The vocabulary of record linkage: what is compared, how alike two values are, what that weighs.

The model is Fellegi and Sunter's (A Theory for Record Linkage, 1969). For each field a pair of records falls on one
level, from "same" to "differs". A level is told of one person's records with probability ``m`` and of two different
persons' with probability ``u``; it weighs log2(m / u) bits. The bits of all fields and of the prior add up to the
log2 odds that both records are one person's. Everything here is data: it can be kept, shipped and read in years.
"""

import math
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """What a field holds. It decides how a value is written plainly, and which levels a pair may fall on."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    FULL_NAME = "full_name"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    POSTCODE = "postcode"
    CITY = "city"
    STATE = "state"
    STREET = "street"
    HOUSE_NUMBER = "house_number"
    IDENTIFIER = "identifier"
    SEX = "sex"
    CATEGORY = "category"
    TEXT = "text"


class Field(Struct, frozen=True):
    """One thing known of a record. ``columns`` are the source's, joined by a space where there are several (a birth
    date in three parts); none means the column is called as the field is. ``form`` is the order of a date's parts
    where it is not written year first: ``mdy`` or ``dmy``."""

    name: str
    kind: Kind
    columns: tuple[str, ...] = ()
    form: str = "ymd"


class Level(Struct, frozen=True):
    """One step of a field's ladder: its name, and how often it is met among matches (``m``) and others (``u``)."""

    name: str
    m: float
    u: float

    @property
    def bits(self) -> float:
        """What it weighs, as log2 odds: +3 makes one person eight times as likely, −3 two persons."""
        return math.log2(self.m / self.u)


class Comparison(Struct, frozen=True):
    """How one field is weighed: the levels of its kind in their order, the last being "differs". With ``rarity`` a
    shared rare value weighs more than a shared common one."""

    field: Field
    levels: tuple[Level, ...]
    rarity: bool = True


class Swap(Struct, frozen=True):
    """Two fields whose values are sometimes exchanged, like first and last name. ``m`` is how often that happens
    between two records of one person; a pair that agrees only crosswise pays log2(m) bits once."""

    first: str
    second: str
    m: float = 0.02


class Bundle(Struct, frozen=True):
    """Fields that different persons share together, for one reason: a home, a town, a birth. ``share`` is how often two
    records picked at random are two such persons'. It adds to the odds against one person what their sharing would
    explain: however rare the street, who agrees on nothing but the bundle is one of its persons, not the same one."""

    name: str
    fields: tuple[str, ...]
    share: float


class Echo(Struct, frozen=True):
    """A field that is often made of others, like an e-mail address of a name. Where none of those differs and one at
    least is known, its likeness says little more: short of "same" it is then weighed by this ``u``, level by level,
    which is of strangers who share the others."""

    field: str
    of: tuple[str, ...]
    u: tuple[float, ...]


class Model(Struct, frozen=True):
    """All that is needed to weigh a pair. ``prior`` is the probability that two records picked at random, before
    anything is compared, are one person's."""

    comparisons: tuple[Comparison, ...]
    prior: float
    swaps: tuple[Swap, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    echoes: tuple[Echo, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """What a record must be prepared for, in order."""
        return tuple(comparison.field for comparison in self.comparisons)

    @property
    def prior_bits(self) -> float:
        """The prior as log2 odds."""
        return math.log2(self.prior / (1.0 - self.prior))


class Levels(Struct, frozen=True):
    """On which level each comparison of the model falls, MISSING where a value is absent. ``swapped`` are the places,
    in ``Model.swaps``, of the exchanges that were seen."""

    at: tuple[int, ...]
    swapped: tuple[int, ...] = ()


MISSING = -1
"""The level of a field that one of the two records lacks. It weighs nothing."""


class Part(Struct, frozen=True):
    """What one field added: its name, the level in words, the bits."""

    field: str
    level: str
    bits: float


class Weight(Struct, frozen=True):
    """The log2 odds that two records are one person's, and where they come from; the prior is the first part."""

    bits: float
    parts: tuple[Part, ...]

    @property
    def probability(self) -> float:
        """The odds as a probability between 0 and 1."""
        return 1.0 / (1.0 + math.exp2(-max(-1000.0, min(1000.0, self.bits))))


class Frequencies(Struct, frozen=True):
    """How common a value is, by field: the share of persons who have it. ``unseen`` is the share taken for a value
    that is not listed; a field without one knows nothing of rarity."""

    shares: dict[str, dict[str, float]] = {}
    unseen: dict[str, float] = {}

    def share(self, field: str, value: str) -> float | None:
        """The share of persons with this value, None where the field has no table."""
        unseen = self.unseen.get(field)
        if unseen is None:
            return None
        return self.shares.get(field, {}).get(value, unseen)
