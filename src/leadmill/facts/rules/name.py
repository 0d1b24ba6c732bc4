"""What a person's name says by itself: its form for comparison, and whether somebody is called so.

Called by :func:`leadmill.facts.rules.find_facts`. Every rule is held against the US Census' 92,000 names and a list of
names from elsewhere in ``tests/facts``: a real name that is taken for none costs a person more than a false one that
goes through costs a buyer. Words are judged whole, never by what stands within them.
"""

import re
import unicodedata
from functools import lru_cache

from msgspec import Struct

from leadmill.facts.letters import is_odd, is_repetition, is_walk
from leadmill.facts.model import OURS, Fact
from leadmill.facts.reference import Reference

_CENSUS = "US Census"
_SUFFIXES = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv", "2nd": "ii",
             "3rd": "iii", "4th": "iv"}  # fmt: skip
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "rev", "sir", "madam"])
_LETTERS = re.compile(r"[a-z]+")
_CONTACT = re.compile(r"@|https?:|www\.|\.(?:com|net|org|io|co)\b|\d{7}|(?:\d[ ().-]*){10}", re.IGNORECASE)
_COMPANY_WORDS = """
llc inc incorporated corporation ltd limited llp pllc plc gmbh enterprises holdings solutions services associates
realty construction plumbing roofing industries consulting properties
"""
_COMPANY = frozenset(_COMPANY_WORDS.split())
"""Words that stand in companies' names and in nobody's: none is among the Census' names."""

_NO_FIRST_WORDS = """
asdf asdfasdf qwerty test testing tester fake none null sample demo unknown firstname lastname first last fname lname
name user customer anonymous foo dummy nobody noname nil tbd undefined xxx xxxx abc abcd abcde example lead visitor
guest client person n/a
"""
_NO_FIRST = frozenset(_NO_FIRST_WORDS.split())
_NO_LAST_WORDS = """
asdf asdfasdf qwerty test testing none unknown firstname lastname fname lname name user customer anonymous dummy
nobody noname nil tbd undefined xxx xxxx abc abcd abcde example lead visitor n/a
"""
_NO_LAST = frozenset(_NO_LAST_WORDS.split())
"""What is written where a name is wanted. People are called Tester, Null, Sample, Guest and Fake by family name."""

_PLACEHOLDER = Fact("name.placeholder", True, "fail", OURS)
_KEYBOARD = Fact("name.keyboard", True, "fail", _CENSUS, 95)
_PROFANE = Fact("name.profane", True, "fail", "glin-profanity", 90)
_FAMOUS = Fact("name.famous", True, "fail", OURS, 95)
_SHARED = Fact("name.famous", None, "unknown", OURS, 40)
_REPEATED = Fact("name.repeated", True, "unknown", OURS, 50)
"""People are called Thomas Thomas and Singh Singh."""
_DIGITS = Fact("name.digits", True, "fail", OURS, 90)
_NAMES_CONTACT = Fact("name.contact", True, "fail", OURS, 95)
_NAMES_COMPANY = Fact("name.company", True, "fail", OURS, 80)
_ODD = {70: Fact("name.gibberish", True, "fail", _CENSUS, 70), 95: Fact("name.gibberish", True, "fail", _CENSUS, 95)}
_PLAUSIBLE = Fact("name.plausible", True, "pass", _CENSUS, 70)
_IMPLAUSIBLE = Fact("name.plausible", False, "fail", _CENSUS, 70)


class Name(Struct, frozen=True):
    """A name as it is compared: lower case, accents folded, apostrophes dropped, hyphens as blanks, titles and suffix
    split off. ``sure`` is False where one text was cut into two names."""

    first: str = ""
    last: str = ""
    suffix: str = ""
    sure: bool = True


@lru_cache(32_768)
def fold(text: str) -> str:
    """A name's words in lower case without accents, apostrophes and dots, parted by single blanks."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_BARRED))
        text = "".join(mark for mark in text if not unicodedata.combining(mark))
    return " ".join(text.lower().translate(_MARKS).split())


_BARRED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "AE",
                         "œ": "oe", "Œ": "OE", "ı": "i", "ð": "d", "þ": "th", "Þ": "Th"})  # fmt: skip
_MARKS = str.maketrans({"'": None, "’": None, "‘": None, "`": None, ".": " ", "-": " ", ",": " ", "_": " ", "‐": " ",
                        "–": " "})  # fmt: skip


def read_name(first: str | None, last: str | None, full: str | None = None) -> Name:
    """The name in comparable form; one given whole is cut behind its first word, or at a comma, which puts the family
    name first."""
    sure = True
    if not first and not last:
        if not full:
            return Name()
        head, comma, tail = full.partition(",")
        if comma and fold(tail) not in _SUFFIXES:
            first, last = tail, head
        else:
            words = [word for word in full.split() if fold(word) not in _TITLES]
            first, last = " ".join(words[:1]), " ".join(words[1:])
        sure = False
    given = [word for word in fold(first or "").split() if word not in _TITLES]
    family = [word for word in fold(last or "").split() if word not in _TITLES]
    suffix = ""
    for words in (family, given):
        # V is a given name's initial more often than a fifth's mark, and a lone Junior is a name.
        if len(words) > 1 and words[-1] in _SUFFIXES:
            suffix = suffix or _SUFFIXES[words.pop()]
    return Name(" ".join(given), " ".join(family), suffix, sure)


# The rules, each by itself


def is_placeholder(first: str, last: str) -> bool:
    """Whether a word such as Test stands for the name; words that people are called by family name count only where
    the given name is such a word as well."""
    return first in _NO_FIRST or last in _NO_LAST


@lru_cache(32_768)
def _judge(part: str, reference: Reference) -> tuple[bool, bool, bool]:
    """Whether a name's words are a walk on the keyboard, an oath, keys struck at random."""
    words = [found for word in part.split() if (found := _plain(word))]
    known = reference.odd_names
    walk = any((is_walk(word) or is_repetition(word)) and word not in known for word in words)
    oath = any(word in reference.oaths for word in words)
    odd = not walk and any(is_odd(word, reference.letters) and word not in known for word in words)
    return walk, oath, odd


def _plain(word: str) -> str:
    """A word of the letters a to z alone; empty for one in other letters, of which nothing can be told."""
    found = _LETTERS.fullmatch(word)
    return word if found else ""


def name_facts(name: Name, raw: str, reference: Reference) -> list[Fact]:
    """The comparable form, and what speaks against the name; ``raw`` is the name as it was written."""
    facts: list[Fact] = []
    sure = 100 if name.sure else 70
    if name.first:
        facts.append(Fact("name.first", name.first, "pass", OURS, sure))
    if name.last:
        facts.append(Fact("name.last", name.last, "pass", OURS, sure))
    if name.suffix:
        facts.append(Fact("name.suffix", name.suffix, "pass", OURS, sure))
    raised = _raised(name, raw, reference)
    facts += raised
    facts.append(_IMPLAUSIBLE if any(fact.outcome == "fail" for fact in raised) else _PLAUSIBLE)
    return facts


def _raised(name: Name, raw: str, reference: Reference) -> list[Fact]:
    found: list[Fact] = []
    first, last = name.first, name.last
    if is_placeholder(first, last) or not any(map(str.isalpha, raw)):
        found.append(_PLACEHOLDER)
    walks, oaths, odds = zip(_judge(first, reference), _judge(last, reference), strict=True)
    if any(walks):
        found.append(_KEYBOARD)
    if any(oaths):
        found.append(_PROFANE)
    if any(odds):
        found.append(_ODD[95 if all(odds) else 70])
    famous = reference.famous.get(f"{first} {last}")
    if famous is not None:
        found.append(_SHARED if famous == "shared" else _FAMOUS)
    if first and first == last and len(first) > 1:
        found.append(_REPEATED)
    if _CONTACT.search(raw):
        found.append(_NAMES_CONTACT)
    elif any(map(str.isdigit, raw)) and not _ordinal(raw):
        found.append(_DIGITS)
    if not _COMPANY.isdisjoint(last.split()) or not _COMPANY.isdisjoint(first.split()):
        found.append(_NAMES_COMPANY)
    return found


def _ordinal(raw: str) -> bool:
    return any(word in _SUFFIXES for word in fold(raw).split() if word[0].isdigit())
