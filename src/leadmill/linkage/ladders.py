"""The levels of each kind of field, from "same" down to "differs", and which level a pair of values falls on.

A ladder is a list of rungs, asked in order; the first that answers yes is the level. Two equal values are "same" and
two that pass no test "differ", so a rung stands for one test between the two. Where a ladder allows an exchange with
another field (first and last name), its second level is the near miss.
"""

from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.dates import A_DIGIT_OFF, DAY_FOR_MONTH, ONLY_YEAR, SAME_YEAR, TWO_DIGITS_OFF, TWO_PARTS
from leadmill.linkage.likeness import (
    Alike,
    AnyOrder,
    Begins,
    Both,
    Drawn,
    Edits,
    Either,
    Pair,
    SharedEnd,
    SharedStart,
    ShortForms,
    Test,
    Words,
    sheet_of,
)
from leadmill.linkage.model import Kind


class Rung(Struct, frozen=True):
    """One level between same and different. ``rarity`` is how much of a value's rarity counts here: a near miss of a
    rare name is nearly as telling as the name itself. ``m`` and ``u`` are where estimation begins."""

    name: str
    test: Test
    rarity: float
    m: float
    u: float


class Ladder(Struct, frozen=True):
    """The levels of one kind of field; ``same_m`` and ``same_u`` are where estimation of the first begins."""

    rungs: tuple[Rung, ...]
    same_m: float
    same_u: float

    @property
    def names(self) -> tuple[str, ...]:
        """The levels' names, from best to worst."""
        return ("same", *(rung.name for rung in self.rungs), "differs")

    @property
    def rarity(self) -> tuple[float, ...]:
        """How much of a value's rarity counts, by level."""
        return (1.0, *(rung.rarity for rung in self.rungs), 0.0)

    @property
    def m(self) -> tuple[float, ...]:
        """A first guess of how matches spread over the levels; sums to one."""
        told = (self.same_m, *(rung.m for rung in self.rungs))
        return (*told, 1.0 - sum(told))

    @property
    def u(self) -> tuple[float, ...]:
        """A first guess of how other pairs spread over the levels; sums to one."""
        told = (self.same_u, *(rung.u for rung in self.rungs))
        return (*told, 1.0 - sum(told))

    def level(self, a: str, b: str) -> int:
        """The level of two values that are both present."""
        if a == b:
            return 0
        for at, rung in enumerate(self.rungs, 1):
            if rung.test.one(a, b):
                return at
        return len(self.rungs) + 1

    def levels(self, a: Drawn, b: Drawn) -> NDArray[np.int8]:
        """The levels of many pairs of values, all present and the two of a pair different."""
        found = np.full(len(a), len(self.rungs) + 1, dtype=np.int8)
        left = np.arange(len(found))
        for at, rung in enumerate(self.rungs, 1):
            if len(left) == 0:
                break
            passed = rung.test.many(a, b)
            found[left[passed]] = at
            rest = np.flatnonzero(~passed)
            left, a, b = left[rest], a.take(rest), b.take(rest)
        return found


def _same_digits(a: str, b: str) -> bool:
    """The digits are the same; those of an address tell namesakes apart."""
    return [sign for sign in a if sign.isdigit()] == [sign for sign in b if sign.isdigit()]


def _same_local(a: str, b: str) -> bool:
    return a.partition("@")[0] == b.partition("@")[0]


class _AlikeLocal:
    """The parts before the @ are alike, whatever the house."""

    _test = Alike(0.9)

    def one(self, a: str, b: str) -> bool:
        return self._test.one(a.partition("@")[0], b.partition("@")[0])

    def many(self, a: Drawn, b: Drawn) -> NDArray[np.bool_]:
        return self._test.many(_locals(a), _locals(b))


def _locals(drawn: Drawn) -> Drawn:
    return Drawn(sheet_of([text.partition("@")[0] for text in drawn.sheet.texts]), drawn.places)


def _family() -> Ladder:
    return Ladder(
        (
            Rung("a slip away", Edits(1, least=3, long=8), 0.7, 0.06, 0.002),
            Rung("a part of it", Either(Begins(), Words()), 0.5, 0.02, 0.003),
            Rung("alike", Alike(0.86), 0.3, 0.015, 0.004),
        ),
        0.86,
        0.001,
    )


def _given() -> Ladder:
    return Ladder(
        (
            Rung("a slip away", Edits(1, least=3, long=8), 0.7, 0.06, 0.004),
            Rung("a form of it", ShortForms(), 0.7, 0.04, 0.003),
            Rung("a part of it", Either(Begins(), Words()), 0.3, 0.02, 0.005),
            Rung("alike", Alike(0.86), 0.3, 0.01, 0.006),
        ),
        0.84,
        0.004,
    )


def _words(same_m: float, same_u: float) -> Ladder:
    return Ladder(
        (
            Rung("a slip away", Edits(1, least=3, long=8), 0.7, 0.06, 0.001),
            Rung("a part of it", Words(), 0.3, 0.03, 0.004),
            Rung("alike", Either(Alike(0.9), AnyOrder(85.0)), 0.3, 0.03, 0.006),
        ),
        same_m,
        same_u,
    )


def _full_name() -> Ladder:
    return Ladder(
        (
            Rung("a slip away", Edits(1, least=3, long=8), 0.9, 0.08, 0.0002),
            Rung("a part of it", Words(), 0.4, 0.06, 0.001),
            Rung("alike", Either(AnyOrder(88.0), Alike(0.9)), 0.3, 0.06, 0.002),
        ),
        0.7,
        0.0002,
    )


_DATE = Ladder(
    (
        Rung("a digit off", A_DIGIT_OFF, 0.0, 0.04, 0.0006),
        Rung("day and month exchanged", DAY_FOR_MONTH, 0.0, 0.005, 0.0003),
        Rung("year alone told", ONLY_YEAR, 0.0, 0.005, 0.0003),
        Rung("two of three parts", TWO_PARTS, 0.0, 0.015, 0.004),
        Rung("two digits off", TWO_DIGITS_OFF, 0.0, 0.01, 0.01),
        Rung("same year", SAME_YEAR, 0.0, 0.005, 0.012),
    ),
    0.9,
    0.00005,
)
_EMAIL = Ladder(
    (
        Rung("a slip away", Both(Edits(2, least=7), Pair(_same_digits)), 0.7, 0.04, 0.000002),
        Rung("a digit off", Edits(1, least=7), 0.3, 0.01, 0.000005),
        Rung("same before the @", Pair(_same_local), 0.5, 0.04, 0.00005),
        Rung("alike before the @", _AlikeLocal(), 0.0, 0.03, 0.0005),
    ),
    0.65,
    0.000002,
)
_PHONE = Ladder(
    (
        Rung("a digit off", Edits(1, least=6), 0.0, 0.03, 0.00001),
        Rung("same last seven digits", SharedEnd(7), 0.0, 0.005, 0.00001),
    ),
    0.7,
    0.000002,
)
_POSTCODE = Ladder(
    (
        Rung("a sign off", Edits(1, least=3), 0.5, 0.04, 0.001),
        Rung("same area", SharedStart(2), 0.0, 0.07, 0.005),
    ),
    0.82,
    0.0001,
)
_IDENTIFIER = Ladder(
    (
        Rung("a sign off", Edits(1, least=4), 0.0, 0.05, 0.00001),
        Rung("two signs off", Edits(2, least=6), 0.0, 0.01, 0.0001),
    ),
    0.9,
    0.00001,
)
_HOUSE_NUMBER = Ladder((Rung("a sign off", Edits(1, least=2), 0.0, 0.05, 0.03),), 0.85, 0.01)
_CATEGORY = Ladder((Rung("a slip away", Edits(1, least=4, long=8), 0.7, 0.05, 0.01),), 0.8, 0.1)
_SEX = Ladder((), 0.97, 0.5)

_LADDERS = {
    Kind.GIVEN_NAME: _given(),
    Kind.FAMILY_NAME: _family(),
    Kind.FULL_NAME: _full_name(),
    Kind.EMAIL: _EMAIL,
    Kind.PHONE: _PHONE,
    Kind.DATE: _DATE,
    Kind.POSTCODE: _POSTCODE,
    Kind.CITY: _words(0.82, 0.005),
    Kind.STATE: _CATEGORY,
    Kind.STREET: _words(0.8, 0.001),
    Kind.HOUSE_NUMBER: _HOUSE_NUMBER,
    Kind.IDENTIFIER: _IDENTIFIER,
    Kind.SEX: _SEX,
    Kind.CATEGORY: _CATEGORY,
    Kind.TEXT: _words(0.75, 0.001),
}


@cache
def ladder(kind: Kind) -> Ladder:
    """The levels of a kind of field."""
    return _LADDERS[kind]
