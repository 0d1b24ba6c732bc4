"""Tests of two dates of eight digits, year first; zeros stand for what was not told. A text of another length, which
``plain`` leaves where it could read no date, passes none of them.

The eight digits of a sheet are eight bytes of one number: what differs between two dates is one exclusive or.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadmill.linkage.likeness import Drawn, Flags

_YEAR, _MONTH, _DAY = (np.uint64(mask) for mask in (0xFFFFFFFF00000000, 0x00000000FFFF0000, 0x000000000000FFFF))
_REST = _MONTH | _DAY
_DAY_BITS = np.uint64(16)
_BYTE = np.uint64(8)
_HIGH = np.uint64(0x7F7F7F7F7F7F7F7F)
_ONES = np.uint64(0x8080808080808080)
_FIRST_DAY = np.uint64(int.from_bytes(b"0101", "big"))
_NO_DAY = np.uint64(int.from_bytes(b"00", "big"))

Digits = NDArray[np.uint64]


class DateTest:
    """A question about eight digits: asked of two texts, or of many pairs of eight bytes at once."""

    def __init__(self, ask: Callable[[str, str], bool], ask_all: Callable[[Digits, Digits], Flags]) -> None:
        self._ask, self._ask_all = ask, ask_all

    def one(self, a: str, b: str) -> bool:
        return len(a) == len(b) == 8 and self._ask(a, b)

    def many(self, a: Drawn, b: Drawn) -> Flags:
        return np.asarray((a.lengths == 8) & (b.lengths == 8) & self._ask_all(a.start, b.start))


def _off(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


def _marks(other: Digits) -> Digits:
    """The highest bit of each byte that is not zero."""
    return np.asarray((((other & _HIGH) + _HIGH) | other) & _ONES)


def _off_all(a: Digits, b: Digits) -> NDArray[np.uint8]:
    return np.asarray(np.bitwise_count(_marks(a ^ b)))


def _exchanged(a: str, b: str) -> bool:
    """Two neighbouring digits stand in each other's place, all else is the same."""
    at = next((place for place in range(7) if a[place] != b[place]), 7)
    return at < 7 and a[at] == b[at + 1] and a[at + 1] == b[at] and a[at + 2 :] == b[at + 2 :]


def _exchanged_all(a: Digits, b: Digits) -> Flags:
    other = a ^ b
    marks = _marks(other)
    neighbours = (marks & (marks >> _BYTE)) != 0
    found = neighbours & (np.bitwise_count(marks) == 2)
    at = np.flatnonzero(found)
    # Exchanged neighbours differ by the same bits, and each has the other's value.
    low = marks[at] & (marks[at] >> _BYTE)  # the mark of the later one
    byte = (low >> np.uint64(7)) * np.uint64(0xFF)
    found[at] = ((a[at] >> _BYTE) & byte) == (b[at] & byte)
    found[at] &= ((b[at] >> _BYTE) & byte) == (a[at] & byte)
    return np.asarray(found, np.bool_)


def _opens(date: str) -> bool:
    return date[4:] == "0101" or date[6:] == "00"


def _opens_all(dates: Digits) -> Flags:
    return np.asarray(((dates & _REST) == _FIRST_DAY) | ((dates & _DAY) == _NO_DAY))


def _same(a: Digits, b: Digits, mask: np.uint64) -> Flags:
    return np.asarray(((a ^ b) & mask) == 0)


A_DIGIT_OFF = DateTest(
    lambda a, b: _off(a, b) == 1 or _exchanged(a, b),
    lambda a, b: np.asarray((_off_all(a, b) == 1) | _exchanged_all(a, b)),
)
"""One digit differs, or two neighbours are exchanged."""

DAY_FOR_MONTH = DateTest(
    lambda a, b: a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6],
    lambda a, b: np.asarray(
        _same(a, b, _YEAR) & (((a & _MONTH) >> _DAY_BITS) == (b & _DAY)) & (((b & _MONTH) >> _DAY_BITS) == (a & _DAY))
    ),
)
"""Day and month stand in each other's place."""

ONLY_YEAR = DateTest(
    lambda a, b: a[:4] == b[:4] and (_opens(a) or _opens(b)),
    lambda a, b: np.asarray(_same(a, b, _YEAR) & (_opens_all(a) | _opens_all(b))),
)
"""The same year, and one of the two tells no more, or 1 January, which often means the same."""

TWO_PARTS = DateTest(
    lambda a, b: (a[:4] == b[:4]) + (a[4:6] == b[4:6]) + (a[6:] == b[6:]) >= 2,
    lambda a, b: np.asarray(_same(a, b, _YEAR).astype(int) + _same(a, b, _MONTH) + _same(a, b, _DAY) >= 2),
)
"""Two of year, month and day agree."""

TWO_DIGITS_OFF = DateTest(
    lambda a, b: _off(a, b) == 2,
    lambda a, b: np.asarray(_off_all(a, b) == 2),
)
"""Two digits differ."""

SAME_YEAR = DateTest(lambda a, b: a[:4] == b[:4], lambda a, b: _same(a, b, _YEAR))
"""The year agrees."""
