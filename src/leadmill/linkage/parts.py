"""Wholes taken apart: a name into given and family name, a street into house number and street.

Used by :mod:`leadmill.linkage.joining`. Pure and total: what cannot be taken apart stays whole in the likelier part.
"""

import re

from leadmill.linkage.headings import AFTER, PARTICLES, TITLES

_NUMBER = r"\d+(?:\s?[a-zA-Z](?![a-zA-Z]))?(?:\s?[-/]\s?\d+[a-zA-Z]?)?"
_FIRST = re.compile(rf"\s*(?:no\.?\s*|#\s*)?({_NUMBER})[\s,]+(?=.*[^\W\d])(.+)")
_LAST = re.compile(rf"(.*?[^\W\d].*?)[\s,]+(?:no\.?|nr\.?|n[º°])?\s*({_NUMBER})\s*")


def split_name(text: str) -> tuple[str, str]:
    """Given and family name of a whole one: ``Lopez Garcia, Ana`` and ``Ana van Dyke`` are understood; one word
    alone is a family name."""
    before, comma, after = text.partition(",")
    if comma and _plain_word(after) not in AFTER and after.strip():
        return _without_titles(after), before.strip()
    words = _without_titles(before).split()
    if words and len(words) > 1 and _plain_word(words[-1]) in AFTER:
        words = words[:-1]
    if len(words) < 2:
        return "", " ".join(words)
    begin = len(words) - 1
    while begin > 1 and _plain_word(words[begin - 1]) in PARTICLES:
        begin -= 1
    return " ".join(words[:begin]), " ".join(words[begin:])


def _without_titles(text: str) -> str:
    words = text.split()
    while len(words) > 1 and _plain_word(words[0]) in TITLES:
        words = words[1:]
    return " ".join(words)


def _plain_word(word: str) -> str:
    return word.strip().strip(".,").lower()


def split_street(text: str) -> tuple[str, str]:
    """House number and street of a line of an address: ``33 Baldwin Drive``, ``Hauptstraße 12a``."""
    if found := _FIRST.fullmatch(text):
        return found[1], found[2].strip()
    if found := _LAST.fullmatch(text):
        return found[2], found[1].strip()
    return "", text


def numbered(text: str) -> bool:
    """Whether a line of an address has a house number that can be taken out."""
    return bool(split_street(text)[0])
