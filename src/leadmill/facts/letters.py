"""How names are spelt: the likelihood of each letter after the two before it, learned from the US Census' tables.

Learned by the gazetteer, whose file keeps the table; asked by the rules on names and mailboxes. Interpolated by
Witten and Bell's method (IEEE Transactions on Information Theory 37, 1991): where a pair of letters was seldom seen,
shorter contexts count for more.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable

_EDGE = 0
_SYMBOLS = 27

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedc")
_SHORTEST_WALK = 4
_SHORTEST_WORD = 5
_STRANGE = -7.0
"""Likelihood a letter (bits) under which a word is no name. Learned from one half of the Census' names, fewer than one
in three thousand of the other half lie below; of keys struck at random, seven in ten do."""


def _codes(word: str) -> list[int]:
    return [_EDGE, _EDGE, *(ord(letter) - 96 for letter in word), _EDGE]


def learn(words: Iterable[str]) -> bytes:
    """The table from words of the letters a to z: for each three symbols in a row, the binary logarithm of the last
    one's probability, as packed floats."""
    one: Counter[int] = Counter()
    two: Counter[tuple[int, int]] = Counter()
    three: Counter[tuple[int, int, int]] = Counter()
    for word in words:
        codes = _codes(word)
        for at in range(2, len(codes)):
            one[codes[at]] += 1
            two[codes[at - 1], codes[at]] += 1
            three[codes[at - 2], codes[at - 1], codes[at]] += 1
    seen_two, kinds_two = _contexts((key[:1], n) for key, n in two.items())
    seen_three, kinds_three = _contexts((key[:2], n) for key, n in three.items())
    total = sum(one.values())
    table = array("f")
    for a in range(_SYMBOLS):
        for b in range(_SYMBOLS):
            for c in range(_SYMBOLS):
                share = (one[c] + 1) / (total + _SYMBOLS)
                share = _mixed(two[b, c], seen_two[(b,)], kinds_two[(b,)], share)
                share = _mixed(three[a, b, c], seen_three[a, b], kinds_three[a, b], share)
                table.append(math.log2(share))
    return table.tobytes()


def _contexts(
    counts: Iterable[tuple[tuple[int, ...], int]],
) -> tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]]]:
    seen: Counter[tuple[int, ...]] = Counter()
    kinds: Counter[tuple[int, ...]] = Counter()
    for context, count in counts:
        seen[context] += count
        kinds[context] += 1
    return seen, kinds


def _mixed(count: int, seen: int, kinds: int, shorter: float) -> float:
    return (count + kinds * shorter) / (seen + kinds) if seen else shorter


class Letters:
    """The table, to be asked."""

    def __init__(self, packed: bytes) -> None:
        self._table = array("f")
        self._table.frombytes(packed)

    def likeness(self, word: str) -> float:
        """The mean binary logarithm of the letters' probabilities, the word's end among them: about −3.5 for an
        English name, −5 for one of a language that the Census has little of, under −8 for keys struck at random. The
        word is of the letters a to z."""
        table = self._table
        a = b = _EDGE
        total = 0.0
        for letter in word:
            c = ord(letter) - 96
            total += table[(a * _SYMBOLS + b) * _SYMBOLS + c]
            a, b = b, c
        return (total + table[(a * _SYMBOLS + b) * _SYMBOLS]) / (len(word) + 1)


def is_odd(word: str, letters: Letters) -> bool:
    """Whether the letters of a word follow one another as in no name."""
    return len(word) >= _SHORTEST_WORD and letters.likeness(word) < _STRANGE


def is_walk(word: str) -> bool:
    """Whether a word is a walk along a row of the keyboard, there or back, once or over and over."""
    if len(word) < _SHORTEST_WALK:
        return False
    for length in range(3, len(word) + 1):
        head = word[:length]
        if (head * len(word))[: len(word)] == word and (length == len(word) or len(word) >= 6):
            return any(head in row or head[::-1] in row for row in _ROWS)
    return False


def is_repetition(word: str) -> bool:
    """Whether a word is one letter over and over."""
    return len(word) >= 3 and len(set(word)) == 1
