"""Which pairs are worth comparing: those that share a key, by many keys.

Each kind of field gives aspects, from the whole value to its sound or its beginning. A key is one aspect, or two of
different fields. Nobody chooses the keys: all are tried, coarse before fine, and of each only the blocks are taken that
are small enough to be telling. What lies in a block already taken is not looked at again under a finer key, so common
values are refined and rare ones are not repeated.

Somebody with hundreds of records has no small block: what such records share, they share with all the others. Those
that hardly any block held meet their neighbours in the smallest block that was too large. Of a small file all pairs are
compared.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.model import Kind
from leadmill.linkage.pairs import Pairs
from leadmill.linkage.table import ABSENT, Codes, Column, Table

_SOUNDS = {sign: code for code, signs in enumerate(["bfpv", "cgjkqsxz", "dt", "l", "mn", "r"], 1) for sign in signs}
LARGEST = 20
"""Records of a block; a larger one tells too little."""
_SMALL = 300
"""Records of which all pairs are compared."""
_FEW = 10
"""Pairs of a record that are too few if there is a larger block to take some from; and how many neighbours it meets."""
_MOST_ASPECTS = 24
_BUFFER = 20_000_000
"""Pairs held before repeated ones are dropped."""


def soundex(text: str) -> str:
    """The American Soundex of the first word: its letter and three digits for the consonants that follow."""
    word = text.partition(" ")[0]
    if not word or not word.isascii() or not word[0].isalpha():
        return word
    code, last = word[0], _SOUNDS.get(word[0], 0)
    for sign in word[1:]:
        sound = _SOUNDS.get(sign, 0)
        if sound and sound != last:
            code += str(sound)
            if len(code) == 4:
                break
        if sign not in "hw":
            last = sound
    return code


Aspect = Callable[[str], str]


def _start(length: int) -> Aspect:
    return lambda text: text[:length] if len(text) >= length else ""


def _end(length: int) -> Aspect:
    return lambda text: text[-length:] if len(text) >= length else ""


def _first_half(text: str) -> str:
    return text[: (len(text) + 1) // 2] if len(text) > 2 else ""


def _second_half(text: str) -> str:
    return text[len(text) // 2 :] if len(text) > 3 else ""


def _day(text: str) -> str:
    return text[4:] if len(text) == 8 and text[4:] not in ("0101", "0000") else ""


def _last_word(text: str) -> str:
    return text.rpartition(" ")[2]


def _last_sound(text: str) -> str:
    return soundex(_last_word(text))


def _before_at(text: str) -> str:
    return text.partition("@")[0]


def _year_and_day(text: str) -> str:
    return text[:4] + text[6:] if len(text) == 8 and text[6:] != "00" else ""


def _whole(text: str) -> str:
    return text


_CHAINS: dict[Kind, tuple[tuple[Aspect, ...], ...]] = {
    Kind.GIVEN_NAME: ((_start(1), soundex, _whole),),
    Kind.FAMILY_NAME: ((soundex, _whole), (_start(3),), (_end(3),)),
    Kind.FULL_NAME: ((soundex, _whole), (_last_sound,)),
    Kind.EMAIL: ((_before_at, _whole), (_start(5),)),
    Kind.PHONE: ((_end(7), _whole), (_start(7),)),
    Kind.DATE: ((_start(4), _start(6), _whole), (_day,), (_year_and_day,)),
    Kind.POSTCODE: ((_first_half, _whole),),
    Kind.CITY: ((_start(4), _whole),),
    Kind.STATE: ((_whole,),),
    Kind.STREET: ((_start(5), _whole), (_last_word,)),
    Kind.HOUSE_NUMBER: ((_whole,),),
    Kind.IDENTIFIER: ((_first_half, _whole), (_second_half,)),
    Kind.SEX: (),
    Kind.CATEGORY: ((_whole,),),
    Kind.TEXT: ((_start(5), _whole), (_last_word,)),
}
"""By kind: chains of aspects, each from coarse to fine."""


class _Side(Struct, frozen=True):
    """One aspect of one field over all records: its field, its codes, how many there are, and the place of the next
    coarser one of its chain."""

    field: int
    codes: Codes
    count: int
    coarser: int | None


Told = Callable[[int, int], None]


def block(table: Table, told: Told = lambda done, total: None) -> Pairs:
    """The pairs worth comparing, each once. ``told`` hears how many keys of how many are done."""
    if table.records <= _SMALL:
        first, second = np.triu_indices(table.records, 1)
        return Pairs(first.astype(np.int32), second.astype(np.int32))
    sides = _sides(table)
    keys: list[tuple[int, ...]] = [(place,) for place in range(len(sides))]
    keys += [pair for pair in combinations(range(len(sides)), 2) if sides[pair[0]].field != sides[pair[1]].field]
    keys.sort(key=lambda key: (len(key), sum(_depth(sides, place) for place in key)))
    taken: dict[tuple[int, ...], NDArray[np.bool_]] = {}
    found: list[NDArray[np.int64]] = []
    held = 0
    large = _Large(table.records)
    for number, key in enumerate(keys):
        taken[key], pairs = _key_pairs(sides, key, taken, table.records, large)
        found.append(pairs)
        held += len(pairs)
        if held > _BUFFER:
            found = [distinct(np.concatenate(found))]
            held = len(found[0])
        told(number + 1, len(keys))
    both = distinct(np.concatenate(found)) if found else np.zeros(0, np.int64)
    both = np.concatenate((both, large.neighbours(both)))
    records = np.int64(table.records)
    return Pairs((both // records).astype(np.int32), (both % records).astype(np.int32))


def _sides(table: Table) -> list[_Side]:
    """The aspects of all fields. Of very wide tables those that tell most are kept, with what they refine."""
    sides: list[_Side] = []
    for number, column in enumerate(table.columns):
        for chain in _CHAINS[column.field.kind]:
            before: int | None = None
            for aspect in chain:
                side = _side(number, column, aspect, before)
                if before is not None and side.count == sides[before].count:
                    continue  # no finer than the one before
                if side.count > 1:
                    sides.append(side)
                    before = len(sides) - 1
    if len(sides) <= _MOST_ASPECTS:
        return sides
    bits = [_bits(side) for side in sides]
    kept = sorted(sorted(range(len(sides)), key=lambda place: -bits[place])[:_MOST_ASPECTS])
    places = {old: new for new, old in enumerate(kept)}
    return [
        _Side(side.field, side.codes, side.count, None if side.coarser is None else places.get(side.coarser))
        for side in (sides[place] for place in kept)
    ]


def _side(number: int, column: Column, aspect: Aspect, coarser: int | None) -> _Side:
    places: dict[str, int] = {}
    told = [aspect(text) for text in column.values.tolist()]
    codes = np.fromiter(
        (places.setdefault(text, len(places)) if text else ABSENT for text in told), np.int32, len(told)
    )
    return _Side(number, np.append(codes, np.int32(ABSENT))[column.codes], len(places), coarser)


def _bits(side: _Side) -> float:
    """How much the aspect tells of a record, on average: nothing where it is absent."""
    counts = np.bincount(side.codes[side.codes >= 0], minlength=1)
    counts = counts[counts > 0]
    return float((counts * np.log2(len(side.codes) / counts)).sum() / max(1, len(side.codes)))


def _depth(sides: Sequence[_Side], place: int) -> int:
    coarser = sides[place].coarser
    return 0 if coarser is None else 1 + _depth(sides, coarser)


def _coarser(sides: Sequence[_Side], key: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The keys whose blocks hold this one's: without one aspect, or with the next coarser in its place."""
    for place in key:
        rest = tuple(other for other in key if other != place)
        if rest:
            yield rest
        coarser = sides[place].coarser
        if coarser is not None:
            yield tuple(sorted((*rest, coarser)))


class _Large:
    """For each record some that stand next to it in the smallest of its blocks that were too large."""

    def __init__(self, records: int) -> None:
        self._sizes = np.full(records, np.iinfo(np.int32).max, np.int32)
        self._next = np.full((_FEW, records), ABSENT, np.int32)

    def hear(self, members: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        """Of one key: records block by block, where the block of each begins, and how large it is."""
        at = np.flatnonzero((sizes > LARGEST) & (sizes < self._sizes[members]))
        one, starts, sizes = members[at], starts[at], sizes[at]
        self._sizes[one] = sizes
        for step in range(_FEW):
            self._next[step, one] = members[starts + (at - starts + step + 1) % sizes]

    def neighbours(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pairs of the records that have too few, beside those found so far (in order)."""
        records = len(self._sizes)
        count = np.bincount(pairs // records, minlength=records) + np.bincount(pairs % records, minlength=records)
        poor = np.flatnonzero((count < _FEW) & (self._next[0] >= 0))
        one, other = np.tile(poor, _FEW), self._next[:, poor].ravel().astype(np.int64)
        found = distinct(np.minimum(one, other) * records + np.maximum(one, other))
        places = np.minimum(np.searchsorted(pairs, found), max(0, len(pairs) - 1))
        return found[pairs[places] != found] if len(pairs) else found


def _key_pairs(
    sides: Sequence[_Side],
    key: tuple[int, ...],
    taken: dict[tuple[int, ...], NDArray[np.bool_]],
    records: int,
    large: _Large,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which records lie in a taken block of this key or a coarser one, and the pairs of the blocks taken now."""
    covered = np.zeros(records, np.bool_)
    for coarser in _coarser(sides, key):
        covered |= taken[coarser]
    open_ = ~covered
    for place in key:
        open_ &= sides[place].codes >= 0
    members = np.flatnonzero(open_)
    codes = np.zeros(len(members), np.int64)
    for place in key:
        codes = codes * sides[place].count + sides[place].codes[members]
    order = np.argsort(codes)
    members, codes = members[order], codes[order]
    edges = (
        np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1], [True]))) if len(codes) else np.zeros(1, int)
    )
    starts, sizes = edges[:-1], np.diff(edges)
    inside = np.repeat(sizes <= LARGEST, sizes)
    covered[members[inside]] = True
    large.hear(members, np.repeat(starts, sizes), np.repeat(sizes, sizes))
    after = np.where(inside, np.repeat(starts + sizes, sizes) - np.arange(len(codes)) - 1, 0)
    first = np.repeat(np.arange(len(codes)), after)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(after) - after, after)
    left, right = members[first], members[second]
    return covered, np.minimum(left, right) * np.int64(records) + np.maximum(left, right)


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers in order, each once; ``numpy.unique`` hashes, which is many times slower here."""
    if len(numbers) == 0:
        return numbers
    numbers.sort()
    return numbers[np.concatenate(([True], numbers[1:] != numbers[:-1]))]
