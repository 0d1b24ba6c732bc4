"""Tests of likeness: each asks one thing of two different texts, of a single pair or of many at once.

Both forms give the same answer; a property test holds them together. Strings are measured by rapidfuzz, whose
``cpdist`` compares two lists in parallel threads.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler, Prefix

from leadmill.linkage.shortnames import canonical_names

Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[Any]
Texts: TypeAlias = NDArray[np.object_]

_THREADS = 2
_SHARED = 99.9
"""token_set_ratio gives 100 where one text's words are all among the other's."""


class Test(Protocol):
    """One question about two different, present values."""

    def one(self, a: str, b: str) -> bool:
        """The answer for one pair."""

    def many(self, a: Texts, b: Texts) -> Flags:
        """The answers for as many pairs as the two arrays are long."""


def _measure(a: Sequence[str], b: Sequence[str], scorer: Callable[..., float], kind: type, cutoff: float) -> Numbers:
    if len(a) == 0:
        return np.zeros(0, dtype=kind)
    return process.cpdist(a, b, scorer=scorer, dtype=kind, workers=_THREADS, score_cutoff=cutoff)


def lengths(texts: Texts) -> NDArray[np.int64]:
    """How many signs each text has."""
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


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

    def many(self, a: Texts, b: Texts) -> Flags:
        first, second = lengths(a), lengths(b)
        shorter = np.minimum(first, second)
        allowed = self.most + (shorter >= self.long)
        found = (shorter >= self.least) & (np.abs(first - second) <= allowed)
        at = np.flatnonzero(found)
        most = self.most + 1
        found[at] = _measure(a[at].tolist(), b[at].tolist(), OSA.distance, np.int32, most) <= allowed[at]
        return np.asarray(found, dtype=np.bool_)


class Alike:
    """Jaro-Winkler similarity of at least ``least`` (0 to 1): the beginning counts most."""

    def __init__(self, least: float) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return JaroWinkler.similarity(a, b, score_cutoff=self.least) >= self.least

    def many(self, a: Texts, b: Texts) -> Flags:
        found: Flags = _measure(a.tolist(), b.tolist(), JaroWinkler.similarity, np.float64, self.least) >= self.least
        return found


class Begins:
    """One is the beginning of the other: an initial, a name cut short."""

    def one(self, a: str, b: str) -> bool:
        return a.startswith(b) or b.startswith(a)

    def many(self, a: Texts, b: Texts) -> Flags:
        shared = _measure(a.tolist(), b.tolist(), Prefix.similarity, np.int64, 0)
        found: Flags = shared >= np.minimum(lengths(a), lengths(b))
        return found


class SharedStart:
    """The first half at least is the same, and ``least`` signs of it: an area of postcodes."""

    def __init__(self, least: int) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return Prefix.similarity(a, b) >= max(self.least, (max(len(a), len(b)) + 1) // 2)

    def many(self, a: Texts, b: Texts) -> Flags:
        shared = _measure(a.tolist(), b.tolist(), Prefix.similarity, np.int64, 0)
        found: Flags = shared >= np.maximum(self.least, (np.maximum(lengths(a), lengths(b)) + 1) // 2)
        return found


class SharedEnd:
    """The last ``least`` signs are the same: a telephone number with another prefix."""

    def __init__(self, least: int) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return len(a) >= self.least and a[-self.least :] == b[-self.least :]

    def many(self, a: Texts, b: Texts) -> Flags:
        return _each(self.one, a, b)


class Words:
    """All words of one are among the other's, or so near to them that rapidfuzz's ``token_set_ratio`` is ``least``."""

    def __init__(self, least: float = _SHARED) -> None:
        self.least = least

    def one(self, a: str, b: str) -> bool:
        return (" " in a or " " in b) and bool(fuzz.token_set_ratio(a, b, score_cutoff=self.least) >= self.least)

    def many(self, a: Texts, b: Texts) -> Flags:
        spaced = _spaced(a) | _spaced(b)
        at = np.flatnonzero(spaced)
        spaced[at] = (
            _measure(a[at].tolist(), b[at].tolist(), fuzz.token_set_ratio, np.float64, self.least) >= self.least
        )
        return spaced


class ShortForms:
    """Forms of one given name, like Bill and William: by the first words, as people are called."""

    def one(self, a: str, b: str) -> bool:
        first, second = a.partition(" ")[0], b.partition(" ")[0]
        known = canonical_names(first)
        return bool(known) and not known.isdisjoint(canonical_names(second))

    def many(self, a: Texts, b: Texts) -> Flags:
        forms = {text: canonical_names(text.partition(" ")[0]) for text in {*a, *b}}
        found = np.zeros(len(a), dtype=np.bool_)
        known = np.fromiter((bool(forms[text]) for text in a), np.bool_, len(a))
        known &= np.fromiter((bool(forms[text]) for text in b), np.bool_, len(b))
        for at in np.flatnonzero(known).tolist():
            found[at] = not forms[a[at]].isdisjoint(forms[b[at]])
        return found


class Pair:
    """Any question that needs no measuring, asked pair by pair."""

    def __init__(self, ask: Callable[[str, str], bool]) -> None:
        self.one = ask

    def many(self, a: Texts, b: Texts) -> Flags:
        return _each(self.one, a, b)


def _each(ask: Callable[[str, str], bool], a: Texts, b: Texts) -> Flags:
    return np.fromiter(map(ask, a.tolist(), b.tolist()), np.bool_, len(a))


def _spaced(texts: Texts) -> Flags:
    return np.fromiter((" " in text for text in texts.tolist()), np.bool_, len(texts))
