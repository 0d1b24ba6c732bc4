"""What a person's own words mean for further contact: an end to it, a question for a person, or nothing.

Called by the law engine for the replies in a case and by whoever takes live opt-outs. The words are data, in the
``replies.toml`` of a law pack; this module only says how they are read. Pure and total.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

from leadmill.core.reading import Table
from leadmill.runtime.packs import BUILT_IN, Pack

Reply = Literal["revoke", "review", "none"]

_LONGEST = 4_000
_FILE = BUILT_IN / "laws" / "us-tcpa" / "replies.toml"
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": " ", "”": " ", '"': " "})
_OPT_OUT = re.compile(r"\bopt(ed|ing)?[\s\-_]*out\b")
_SPELT_OUT = re.compile(r"\b(?:[a-z][ .*_-]+){3,}[a-z]\b")  # "S.T.O.P", "q u i t"
_CLAUSE = re.compile(r"[.!?;:,()\[\]{}\n\r/|*#~…–—-]+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def classify_reply(text: str) -> Reply:
    """What the words of a person say about being contacted, by the words that come with the program.

    ``revoke``: one of the words that end contact by law (stop, quit, end, revoke, opt out, cancel, unsubscribe) used
    as a request, alone or in a sentence, or another clear wish not to be contacted. ``review``: such a word in another
    sense ("Stop by at 5?"), or a wish that is not clear; nothing may be sent until a person has looked. ``none``:
    neither. Source: 47 CFR 64.1200(a)(10).
    """
    return _built_in().read(text)


def words_of(packs: Mapping[str, Pack]) -> Callable[[str], Reply]:
    """What reads replies by the words of these law packs: the gravest meaning that any of them sees. Where none has
    words, those that come with the program count. Raises BadInput ``packs.law.malformed``."""
    books = [read_replies(packs[name].files[_FILE.name]) for name in sorted(packs) if _FILE.name in packs[name].files]
    if not books:
        return classify_reply
    if len(books) == 1:
        return books[0].read

    def read(text: str) -> Reply:
        said = {book.read(text) for book in books}
        return "revoke" if "revoke" in said else "review" if "review" in said else "none"

    return read


@lru_cache(1)
def _built_in() -> "Replies":
    return read_replies(tomllib.loads(_FILE.read_text("utf-8")))


class Replies:
    """The words of one pack, ready to read replies with."""

    def __init__(self, words: Mapping[str, tuple[str, ...]], wishes: Mapping[str, tuple[str, ...]]) -> None:
        self._sets = {name: frozenset(items) for name, items in words.items() if name != "even_so"}
        self._even_so = _patterns(words["even_so"])
        self._clear, self._narrowed = _patterns(wishes["clear"]), _patterns(wishes["narrowed"])
        self._doubtful = _patterns(wishes["doubtful"])

    def read(self, text: str) -> Reply:
        """What the text says; see :func:`classify_reply`."""
        plain = text[:_LONGEST].translate(_QUOTES).casefold()
        plain = _SPELT_OUT.sub(lambda found: "".join(filter(str.isalpha, found[0])), plain)
        plain = _OPT_OUT.sub(lambda found: "optedout" if found[1] else "optout", plain)
        clauses = [words for part in _CLAUSE.split(plain) if (words := _WORD.findall(part))]
        whole = " ".join(word for words in clauses for word in words)
        wished = self._wish(clauses, whole)
        if wished == "revoke":
            return wished
        meant = {self._sense(words, place) for words in clauses for place in self._places(words)}
        if "revoke" in meant:
            return "revoke"
        return "review" if meant or wished or any(one.search(whole) for one in self._doubtful) else "none"

    def _wish(self, clauses: list[list[str]], whole: str) -> Reply | None:
        lines = [" ".join(words) for words in clauses]
        if not any(one.search(line) for one in self._clear for line in (whole, *lines)):
            return None
        return "review" if any(one.search(whole) for one in self._narrowed) else "revoke"

    def _places(self, words: list[str]) -> Iterator[int]:
        known = self._sets["per_se"] | self._sets["always"]
        return (place for place, word in enumerate(words) if word in known)

    def _sense(self, words: list[str], place: int) -> Reply:
        """Whether the word at ``place`` of its clause asks for an end."""
        sets = self._sets
        ahead, behind = words[:place], words[place + 1 :]
        if sets["unless_before"].intersection(ahead):
            return "review"
        if words[place] in sets["always"]:
            return "revoke"
        rest = " ".join(behind)
        even_so = any(one.search(rest) for one in self._even_so)
        if behind and behind[0] in sets["elsewhere"] and not even_so and words[place] not in _OF_LISTS:
            return "revoke" if self._of_contact(behind) else "review"
        if all(word in sets["before"] or word in sets["per_se"] for word in ahead):
            if even_so or all(word in sets["after"] for word in behind):
                return "revoke"
            if not ahead and behind[0] in _GOES_ON:  # "stop i already have a roof", "stop now or else"
                return "revoke"
        return "revoke" if behind and behind[0] in _OBJECTS else "review"

    def _of_contact(self, behind: list[str]) -> bool:
        return len(behind) > 1 and behind[0] in ("the", "my", "your") and behind[1] in _OBJECTS


_OF_LISTS = frozenset(("optout", "unsubscribe"))  # said of lists alone: "unsubscribe my number"
_GOES_ON = frozenset(
    (
        *("i", "i'm", "im", "we", "you", "they", "u", "i've", "it's", "its"),
        *("now", "immediately", "please", "pls", "asap", "already", "me"),
    )
)
_OBJECTS = frozenset(
    (
        *("texting", "calling", "messaging", "emailing", "contacting", "sending", "bothering", "harassing", "spamming"),
        *("bugging", "texts", "calls", "messages", "emails", "sms", "dialing", "phoning", "annoying", "txting"),
    )
)


def read_replies(raw: Mapping[str, Any]) -> Replies:
    """The words as ``replies.toml`` writes them. Raises BadInput ``packs.law.malformed``."""
    table = Table(raw, "replies.toml", "packs.law.malformed")
    words, wishes = table.inner(table.value("words"), "words"), table.inner(table.value("wishes"), "wishes")
    names = ("per_se", "always", "before", "after", "elsewhere", "even_so", "unless_before")
    found = {name: words.texts(name) for name in names}
    said = {name: wishes.texts(name) for name in ("clear", "narrowed", "doubtful")}
    for part in (words, wishes, table):
        part.close()
    return Replies(found, said)


def _patterns(texts: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(text) for text in texts]
