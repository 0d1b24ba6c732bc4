"""Tests of likeness: each asks one thing of two different texts, of a single pair or of many at once.

Both forms give the same answer; a property test holds them together. Strings are measured by rapidfuzz. Of many pairs
most are so different that a look at which letters they hold rules them out: those bounds are exact, only what they
leave is measured.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from leadmill.linkage.shortnames import canonical_names

Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[Any]
Texts: TypeAlias = NDArray[np.object_]

_THREADS = 2
_START = 8
_CHUNK = 20_000
_SHARED = 99.9
"""token_set_ratio gives 100 where one text's words are all among the other's."""


class Sheet(Struct, frozen=True):
    """Texts with what is quick to know of each: its length, which signs it holds (one bit each), its first eight signs
    in a number (a byte each, the first highest), and whether it has several words. ``narrow`` tells that every sign of
    every text fits in its byte."""

    texts: Texts
    lengths: NDArray[np.int32]
    signs: NDArray[np.uint64]
    start: NDArray[np.uint64]
    spaced: Flags
    narrow: bool


class Drawn:
    """Texts drawn from a sheet, in any order and as often as wanted. What a test does not ask for is not gathered."""

    __slots__ = ("places", "sheet")

    def __init__(self, sheet: Sheet, places: NDArray[Any]) -> None:
        self.sheet, self.places = sheet, places

    def __len__(self) -> int:
        return len(self.places)

    def take(self, at: NDArray[Any]) -> "Drawn":
        """Some of them."""
        return Drawn(self.sheet, self.places[at])

    @property
    def texts(self) -> Texts:
        return np.asarray(self.sheet.texts[self.places], dtype=object)

    @property
    def lengths(self) -> NDArray[np.int32]:
        return np.asarray(self.sheet.lengths[self.places], np.int32)

    @property
    def signs(self) -> NDArray[np.uint64]:
        return np.asarray(self.sheet.signs[self.places], np.uint64)

    @property
    def start(self) -> NDArray[np.uint64]:
        return np.asarray(self.sheet.start[self.places], np.uint64)

    @property
    def spaced(self) -> Flags:
        return np.asarray(self.sheet.spaced[self.places], np.bool_)


def sheet_of(texts: Sequence[str]) -> Sheet:
    """What is quick to know of these texts."""
    count = len(texts)
    held = np.empty(count, dtype=object)
    held[:] = list(texts)
    signs = np.zeros(count, np.uint64)
    start = np.zeros(count, np.uint64)
    spaced = np.zeros(count, np.bool_)
    narrow = True
    for begin in range(0, count, _CHUNK):
        part = slice(begin, min(begin + _CHUNK, count))
        letters = _letters(texts[part])
        narrow = narrow and int(letters.max()) < 256
        start[part] = letters[:, :_START].astype(np.uint8)[:, ::-1].copy().view("<u8").ravel()
        spaced[part] = (letters == ord(" ")).any(axis=1)
        for at in range(letters.shape[1]):
            some = np.flatnonzero(letters[:, at])
            signs[begin + some] |= np.uint64(1) << (letters[some, at].astype(np.uint64) & np.uint64(63))
    return Sheet(held, np.fromiter(map(len, texts), np.int32, count), signs, start, spaced, narrow)


def _letters(texts: Sequence[str]) -> NDArray[np.uint32]:
    """The texts' code points, a row a text, filled with zeros."""
    width = max(_START, max(map(len, texts)))
    return np.array(texts, dtype=f"U{width}").view(np.uint32).reshape(len(texts), width)


class Test(Protocol):
    """One question about two different, present values."""

    def one(self, a: str, b: str) -> bool:
        """The answer for one pair."""

    def many(self, a: Drawn, b: Drawn) -> Flags:
        """The answers for as many pairs as the two sheets are long."""


class Lost:
    """How many signs of each text the other does not hold at all; at least so many, for 64 bits stand for all signs."""

    __slots__ = ("first", "second")

    def __init__(self, a: Drawn, b: Drawn) -> None:
        one, other = a.signs, b.signs
        self.first, self.second = (np.bitwise_count(x & ~y).astype(np.int32) for x, y in ((one, other), (other, one)))


def _measure(
    a: Drawn, b: Drawn, at: NDArray[np.int64], scorer: Callable[..., float], kind: type, cutoff: float | None
) -> Numbers:
    if len(at) == 0:
        return np.zeros(0, dtype=kind)
    texts = a.take(at).texts.tolist(), b.take(at).texts.tolist()
    return process.cpdist(*texts, scorer=scorer, dtype=kind, workers=_THREADS, score_cutoff=cutoff)


class Edits:
    """At most ``most`` insertions, losses, changes or exchanges of neighbours (optimal string alignment) apart, one
    more where both have ``long`` signs; neither shorter than ``least``."""

    def __init__(self, most: int, least: int = 1, long: int = 1000) -> None:
        self.most, self.least, self.long = most, least, long

    def one(self, a: str, b: str) -> bool:
        shorter = min(len(a), len(b))
        allowed = self.most + (shorter >= self.long)
        if shorter < self.least or abs(len(a) - len(b)) > allowed:
            return False
        return OSA.distance(a, b, score_cutoff=allowed) <= allowed

    def many(self, a: Drawn, b: Drawn) -> Flags:
        first, second, lost = a.lengths, b.lengths, Lost(a, b)
        shorter = np.minimum(first, second)
        allowed = self.most + (shorter >= self.long)
        found = (shorter >= self.least) & (np.abs(first - second) <= allowed)
        found &= np.maximum(lost.first, lost.second) <= allowed
        at = np.flatnonzero(found)
        found[at] = _measure(a, b, at, OSA.distance, np.int32, self.most + 1) <= allowed[at]
        return np.asarray(found, dtype=np.bool_)


class Alike:
    """Jaro-Winkler similarity of at least ``least`` (0 to 1): the beginning counts most."""

    def __init__(self, least: float) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return JaroWinkler.similarity(a, b, score_cutoff=self.least) >= self.least

    def many(self, a: Drawn, b: Drawn) -> Flags:
        # No more signs can match than the two share; Jaro counts matches over either length and at best no exchange.
        first, second, lost = a.lengths, b.lengths, Lost(a, b)
        matches = np.minimum(first - lost.first, second - lost.second)
        jaro = (matches / first + matches / second + 1) / 3
        found = jaro + 0.4 * (1 - jaro) >= self.least - 1e-6
        at = np.flatnonzero(found)
        prefix = np.minimum(shared_start(a.take(at), b.take(at)), 4)
        at = at[jaro[at] + 0.1 * prefix * (1 - jaro[at]) >= self.least - 1e-6]
        found[:] = False
        found[at] = _measure(a, b, at, JaroWinkler.similarity, np.float64, self.least) >= self.least
        return np.asarray(found, dtype=np.bool_)


class Begins:
    """One is the beginning of the other: an initial, a name cut short."""

    def one(self, a: str, b: str) -> bool:
        return a.startswith(b) or b.startswith(a)

    def many(self, a: Drawn, b: Drawn) -> Flags:
        shorter = np.minimum(a.lengths, b.lengths)
        found = shared_start(a, b) >= np.minimum(shorter, _START)
        return _check(self.one, a, b, found, _unsure(a, b, shorter))


class SharedStart:
    """The first half at least is the same, and ``least`` signs of it: an area of postcodes."""

    def __init__(self, least: int) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        needed = max(self.least, (max(len(a), len(b)) + 1) // 2)
        return min(len(a), len(b)) >= needed and a[:needed] == b[:needed]

    def many(self, a: Drawn, b: Drawn) -> Flags:
        first, second = a.lengths, b.lengths
        needed = np.maximum(self.least, (np.maximum(first, second) + 1) // 2)
        found = shared_start(a, b) >= np.minimum(needed, _START)
        found &= np.minimum(first, second) >= needed
        return _check(self.one, a, b, found, _unsure(a, b, needed))


def shared_start(a: Drawn, b: Drawn) -> NDArray[np.uint8]:
    """How many signs at the beginning are the same, eight at most. Never too few; too many where two signs beyond
    ASCII look alike in a byte."""
    other = a.start ^ b.start
    shared = np.zeros(len(a), np.uint8)
    for byte in range(_START):
        shared += other < np.uint64(1 << (64 - 8 * (byte + 1))) if byte < _START - 1 else other == 0
    return shared


class SharedEnd:
    """The last ``least`` signs are the same: a telephone number with another prefix."""

    def __init__(self, least: int) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return len(a) >= self.least and a[-self.least :] == b[-self.least :]

    def many(self, a: Drawn, b: Drawn) -> Flags:
        same = [_last_bits(drawn, self.least) for drawn in (a, b)]
        return _check(self.one, a, b, same[0] == same[1], np.ones(len(a), np.bool_))


def _last_bits(drawn: Drawn, length: int) -> NDArray[np.int64]:
    """A number for the last signs of each text, equal where they are."""
    ends = np.fromiter((hash(text[-length:]) for text in drawn.sheet.texts), np.int64, len(drawn.sheet.texts))
    return np.asarray(ends[drawn.places], np.int64)


class Words:
    """One has several words, and all words of one are among the other's."""

    def one(self, a: str, b: str) -> bool:
        return (" " in a or " " in b) and fuzz.token_set_ratio(a, b, score_cutoff=_SHARED) >= _SHARED

    def many(self, a: Drawn, b: Drawn) -> Flags:
        lost = Lost(a, b)
        found = (a.spaced | b.spaced) & (np.minimum(lost.first, lost.second) == 0)
        at = np.flatnonzero(found)
        found[at] = _measure(a, b, at, fuzz.token_set_ratio, np.float64, _SHARED) >= _SHARED
        return np.asarray(found, dtype=np.bool_)


class AnyOrder:
    """One has several words, and put in order the words are alike: rapidfuzz's ``token_sort_ratio`` is at least
    ``least`` (0 to 100)."""

    def __init__(self, least: float) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return (" " in a or " " in b) and fuzz.token_sort_ratio(a, b, score_cutoff=self.least) >= self.least

    def many(self, a: Drawn, b: Drawn) -> Flags:
        first, second, lost = a.lengths, b.lengths, Lost(a, b)
        # No longer a sequence can be common than the signs the two share; the ratio is twice that over both lengths.
        common = np.minimum(first - lost.first, second - lost.second)
        found = (a.spaced | b.spaced) & (200.0 * common >= (self.least - 1e-6) * (first + second))
        at = np.flatnonzero(found)
        found[at] = _measure(a, b, at, fuzz.token_sort_ratio, np.float64, self.least) >= self.least
        return np.asarray(found, dtype=np.bool_)


class ShortForms:
    """Forms of one given name, like Bill and William: by the first words, as people are called."""

    def one(self, a: str, b: str) -> bool:
        known = canonical_names(a.partition(" ")[0])
        return bool(known) and not known.isdisjoint(canonical_names(b.partition(" ")[0]))

    def many(self, a: Drawn, b: Drawn) -> Flags:
        known: dict[str, int] = {}
        numbers = [_known(drawn, known) for drawn in (a, b)]
        names = list(known)
        related = np.zeros((len(names) + 1, len(names) + 1), np.bool_)  # the last stands for names not listed
        by_full: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            for full in canonical_names(name):
                by_full.setdefault(full, []).append(number)
        for forms in by_full.values():
            related[np.ix_(forms, forms)] = True
        return np.asarray(related[numbers[0], numbers[1]], np.bool_)


def _known(drawn: Drawn, known: dict[str, int]) -> NDArray[np.int64]:
    """The number in ``known``, which grows, of the listed name that each text begins with; -1 for one not listed."""
    numbers = np.full(len(drawn.sheet.texts), -1, np.int64)
    used = np.zeros(len(numbers), np.bool_)
    used[drawn.places] = True
    for at in np.flatnonzero(used).tolist():
        name = drawn.sheet.texts[at].partition(" ")[0]
        if canonical_names(name):
            numbers[at] = known.setdefault(name, len(known))
    return np.asarray(numbers[drawn.places], np.int64)


class Pair:
    """Any question that needs no measuring, asked pair by pair."""

    def __init__(self, ask: Callable[[str, str], bool]) -> None:
        self.one = ask

    def many(self, a: Drawn, b: Drawn) -> Flags:
        return np.fromiter(map(self.one, a.texts.tolist(), b.texts.tolist()), np.bool_, len(a))


class Either:
    """One of two tests is passed."""

    def __init__(self, first: Test, second: Test) -> None:
        self._first, self._second = first, second

    def one(self, a: str, b: str) -> bool:
        return self._first.one(a, b) or self._second.one(a, b)

    def many(self, a: Drawn, b: Drawn) -> Flags:
        found = self._first.many(a, b)
        rest = np.flatnonzero(~found)
        found[rest] = self._second.many(a.take(rest), b.take(rest))
        return found


class Both:
    """Two tests are passed, the second being asked only where the first is."""

    def __init__(self, first: Test, second: Test) -> None:
        self._first, self._second = first, second

    def one(self, a: str, b: str) -> bool:
        return self._first.one(a, b) and self._second.one(a, b)

    def many(self, a: Drawn, b: Drawn) -> Flags:
        found = self._first.many(a, b)
        at = np.flatnonzero(found)
        found[at] = self._second.many(a.take(at), b.take(at))
        return found


def _unsure(a: Drawn, b: Drawn, signs: NDArray[np.int32]) -> Flags:
    """Where the first eight bytes do not settle whether so many signs at the beginning are the same."""
    narrow = a.sheet.narrow and b.sheet.narrow
    return np.asarray((signs > _START) if narrow else np.ones(len(a), np.bool_))


def _check(ask: Callable[[str, str], bool], a: Drawn, b: Drawn, found: Flags, unsure: Flags) -> Flags:
    """Ask again, pair by pair, where quick knowledge says yes and may say so once too often."""
    at = np.flatnonzero(found & unsure)
    pairs = zip(a.take(at).texts, b.take(at).texts, strict=True)
    found[at] = np.fromiter((ask(x, y) for x, y in pairs), np.bool_, len(at))
    return np.asarray(found, dtype=np.bool_)
