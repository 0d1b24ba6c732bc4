"""What the name of a column says it holds, in English, German, Spanish, French, Italian and the shorthand of exports.

Used by :mod:`leadmill.linkage.columns`, which lets the values confirm or contradict it. A target is written as in a
MAP.toml: a kind, with a label behind a point where a record may have several (``email.2``, ``date.year``), ``id`` for
what numbers the records, an empty text for what is left out.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from leadmill.linkage.plain import fold

ID = "id"
TRUTH = "truth"
"""Said of columns that tell which records belong together: the answer, never evidence."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("headings.toml").read_text("utf-8"))
_LEADING, _TRAILING, _MOMENTS = (frozenset(_WORDS[name].split()) for name in ("leading", "trailing", "moments"))
SEXES, STATES = (frozenset(_WORDS[name].split()) for name in ("sexes", "states"))
"""Values that say what a column holds."""
TITLES, AFTER, PARTICLES = (frozenset(_WORDS[name].split()) for name in ("titles", "after", "particles"))
"""Words around a name: before it, behind it, and those that belong to the word that follows."""
_NAMES: dict[str, str] = {
    fold(word): "" if target == "left_out" else target
    for target, words in _WORDS["targets"].items()
    for word in words.split()
}
_PARTS = {
    "date.year": frozenset({"year", "jahr", "ano", "yyyy", "annee", "y"}),
    "date.month": frozenset({"month", "monat", "mes", "mm", "mois", "m"}),
    "date.day": frozenset({"day", "tag", "dia", "dd", "jour", "d"}),
}
"""Parts of a date whose names do not say which; taken for a birth date only where all three stand in the file."""
_ENDS = (
    ("email", "email"), ("telefon", "phone"), ("phone", "phone"), ("mobile", "phone"), ("firstname", "given_name"),
    ("lastname", "family_name"), ("surname", "family_name"), ("nachname", "family_name"), ("vorname", "given_name"),
    ("dateofbirth", "date"), ("birthdate", "date"), ("geburtsdatum", "date"), ("zipcode", "postcode"),
    ("postcode", "postcode"), ("postalcode", "postcode"), ("fullname", "full_name"), ("ssn", "identifier"),
)  # fmt: skip
"""Endings that say enough where the whole name is not known (``TXT_HOME_EMAIL``)."""


class Meaning(Struct, frozen=True):
    """What a name says: a target, and whether it says so outright or only by its ending."""

    target: str
    sure: bool = True


def words_of(name: str) -> list[str]:
    """The words of a column's name, folded, numbers as words of their own."""
    return _PIECE.findall(fold(_CAMEL.sub(" ", name)))


def meaning_of(name: str) -> Meaning | None:
    """What a column's name says it holds, None where it says nothing known."""
    bare = _ASIDE.sub(" ", name)
    return _meaning(words_of(name)) or (_meaning(words_of(bare)) if bare != name else None)


def _meaning(words: list[str]) -> Meaning | None:
    if words[-2:-1] == ["c"] and words[-1].isdigit():  # fname_c1: the first component
        words = [*words[:-2], words[-1]]
    while len(words) > 1 and words[-1] in _TRAILING:
        words = words[:-1]
    if "date" in words and _MOMENTS & set(words):
        return Meaning("")
    for start in range(len(words)):
        if found := _exactly(words[start:]):
            return found
        if words[start] not in _LEADING and not words[start].isdigit():
            break
    joined = "".join(words)
    for end, target in _ENDS:
        if joined.endswith(end):
            return Meaning(target, sure=False)
    if words and words[-1] in ("id", "key", "uuid", "guid") and len(words) > 1:
        return Meaning(TRUTH if {"cluster", "entity", "match", "dup", "true", "truth", "gold"} & set(words) else ID)
    return None


def part_of(name: str) -> str | None:
    """Which part of a date a name such as ``year`` or ``mm`` may mean."""
    joined = "".join(words_of(name))
    return next((target for target, known in _PARTS.items() if joined in known), None)


def _exactly(words: list[str]) -> Meaning | None:
    """By the whole name; a number behind it is a label: ``phone2`` is a second phone."""
    joined = "".join(words)
    if (target := _NAMES.get(joined)) is not None:
        return Meaning(target)
    if len(words) > 1 and words[-1].isdigit():
        target = _NAMES.get("".join(words[:-1]))
        if target and target not in (ID, TRUTH) and "." not in target:
            return Meaning(target if words[-1] == "1" else f"{target}.{int(words[-1])}")
        if target in (ID, TRUTH, ""):
            return Meaning(target)
    return None
