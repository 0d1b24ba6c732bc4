"""What a target column says: which rows had the outcome, which had not, which are not known yet; and when it is too
little to learn from. Pure."""

import numpy as np
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.learning.cells import FALSE, TRUE
from leadmill.learning.table import Coded, Floats

LEAST_ROWS = 200
"""Rows with an outcome, below which nothing is trained."""
LEAST_OF_CLASS = 30
"""Rows of each outcome, below which nothing is trained."""
_YES = (*TRUE, "won", "win", "sold", "converted", "conversion", "success", "positive", "good", "accepted", "purchased")
_NO = (*FALSE, "lost", "loss", "unsold", "not converted", "failure", "negative", "declined", "rejected")
_WORDS = (frozenset(_YES), frozenset(_NO))
_OPEN = frozenset({"open", "pending", "new", "in progress", "ongoing", "working", "unknown", "tbd", "undecided"})
"""What says that there is no outcome yet, where two other values are outcomes."""


class Outcomes(Struct, frozen=True):
    """1, 0 or NaN a row; ``positive`` is the value that counts as 1."""

    labels: Floats
    positive: str
    unknown: int


def read_outcomes(column: Coded, target: str, positive: str | None) -> Outcomes:
    """The outcomes of all rows. Raises :class:`BadInput` ``learning.target.single`` where there is one value only,
    ``learning.target.values`` where it is not plain which value is the one sought."""
    level = column.folded()
    texts = [_plain(str(text)) for text in level.values]
    counts = np.bincount(level.codes, minlength=len(level.values))
    there: dict[str, int] = {}
    for text, count in zip(texts, counts, strict=True):
        if text and count:
            there[text] = there.get(text, 0) + int(count)
    said = _plain(" ".join(positive.split()).casefold()) if positive is not None else None
    if len(there) > 2 and said not in _OPEN and len(there.keys() - _OPEN) >= 2:
        there = {text: count for text, count in there.items() if text not in _OPEN}
    if len(there) < 2 and (said is None or said in there):
        yes = set(there)
    else:
        yes = _sought(there, said, target)
    if len(yes) == len(there):
        says = f"all rows of '{target}' with an outcome have the same one; there is nothing to tell apart"
        raise BadInput("learning.target.single", says)
    each = np.array([float(text in yes) if text in there else np.nan for text in texts])
    labels = each[level.codes]
    sought = said or next((text for text in _YES if text in yes), None) or min(yes)
    return Outcomes(labels, sought, int(np.isnan(labels).sum()))


def _sought(there: dict[str, int], said: str | None, target: str) -> set[str]:
    """The values that count as the outcome. Where all are words for yes and no, yes, y and 1 are one outcome."""
    groups = tuple({text for text in there if text in words} for words in _WORDS)
    of_words = all(groups) and sum(map(len, groups)) == len(there)
    if said is None:
        if len(there) > 2 and not of_words:
            says = f"'{target}' has {len(there)} values; say with --positive which one is sought"
            raise BadInput("learning.target.values", says)
        return groups[0] or {min(there, key=lambda text: (there[text], text))}
    same = next((group for group, words in zip(groups, _WORDS, strict=True) if said in words), set[str]())
    if of_words and same:
        return same
    if said not in there:
        raise BadInput("learning.target.values", f"'{target}' never has the value that --positive names")
    return {said}


def _plain(text: str) -> str:
    """A folded text with whole numbers written without a point: 1.0 is 1."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def enough(labels: Floats, what: str = "") -> None:
    """Raises :class:`BadInput` ``learning.rows.few`` or ``learning.events.few`` where rows are too few to learn."""
    known = labels[~np.isnan(labels)]
    if len(known) < LEAST_ROWS:
        says = f"{len(known):,} rows with an outcome{what}; at least {LEAST_ROWS} are needed"
        raise BadInput("learning.rows.few", says)
    fewer = int(min(known.sum(), len(known) - known.sum()))
    if fewer < LEAST_OF_CLASS:
        says = f"only {fewer} rows{what} have the rarer outcome; at least {LEAST_OF_CLASS} are needed"
        raise BadInput("learning.events.few", says)
