"""Columns that know the outcome too well: leaks are named before anything is trained, each with its reason.

Everything is measured out of fold, so that a column with many levels is not accused for what chance does. A clear leak
is left out unless somebody keeps it; a doubtful one is kept and named. Rules, in the order of this file:

* ``copy``: the outcome itself, by another name or nearly;
* ``settled``: levels in which the outcome is all but certain hold a good part of the rows; in doubt where they have so
  few rows that chance may have done it;
* ``alone``: one column alone predicts far better than any other;
* ``missing``: whether there is a value predicts: it was filled in for those whose outcome was known;
* ``name``: it is called like something written afterwards, and it predicts;
* ``aggregate``: it is the outcome's mean or sum by the levels of another column;
* ``later``: its dates lie after the moment of decision;
* ``pair``: the difference of two columns (such as the two ends of a call), or two together, say what neither says
  (this and ``aggregate`` in :mod:`leadmill.learning.pairing`);
* ``identifier``, ``order``: keys or the order of rows go with the outcome; ``copies``: rows that are there twice.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.learning.binning import binned, by_edges, numbers_of, out_of_fold
from leadmill.learning.cells import number_of
from leadmill.learning.figures import auc
from leadmill.learning.folds import stratified
from leadmill.learning.kinds import Profile
from leadmill.learning.leaknames import called, of_state
from leadmill.learning.model import Kind
from leadmill.learning.pairing import aggregates, pairs
from leadmill.learning.table import Coded, Codes, Floats, Table

Rule = Literal[
    "copy", "settled", "alone", "missing", "name", "aggregate", "later", "pair", "identifier", "order", "copies"
]

COPY = 0.985
"""AUC from which a column is the outcome under another name."""
ALONE, ALONE_SMOOTH, APART = 0.80, 0.88, 0.10
"""AUC from which one column alone is too good, if the best of the others is this much worse: of a column with two or
three values, and of others, which may honestly be so (an age, a rating)."""
ALONE_FEW, _TWO_OR_THREE = 0.85, 3
"""AUC from which a column with so few values is too good whatever the others are."""
SETTLED, CERTAIN, PURE = 0.05, 0.05, 0.03
"""The share of rows in levels whose rate is this near to 0 or 1 from which a column is too sure of itself; and how near
it must be where fewer rows do."""
FIRM, _Z = 0.10, 2.576
"""How near to 0 or 1 a level's rate must lie with 99 in 100 (Wilson, 1927) to be held against a column: in a small file
some of many honest levels are all of one outcome by chance. Some 60 rows without exception are enough."""
FEW_SETTLED = 0.02
"""The share of rows from which a settled level is named, and left out if it is ``PURE``."""
MISSING, MISSING_CLEAR = 0.60, 0.75
"""AUC of the bare fact that a value is there, to be named and to be left out."""
NAMED, OWN_NAMED = 0.60, 0.70
"""AUC from which a column is left out, or named, for what it is called; and for a name that is often honest."""
NEVER = 20.0
"""How many times rarer than in all rows the outcome must be in a level to be all but ruled out there."""
_FOLDS = 5
_MOST_ROWS = 40_000
_CERTAIN_ROWS, _EXPECTED = 20, 15.0
_FEW = 20
"""Different values of a number up to which they are levels: of more, the ends may well be certain."""
_SPIKE = 0.3
"""The share of rows with one and the same number from which that number and all others are two levels."""


class Suspect(Struct, frozen=True):
    """A column (or several) under suspicion: by which rule, whether it is ``clear``, in words, and how well it
    predicts alone (AUC out of fold)."""

    columns: tuple[str, ...]
    rule: Rule
    clear: bool
    says: str
    auc: float


class Alone(Struct, frozen=True):
    """What one column can do: its AUC and that of its being there; the share of its rows in settled levels, in those of
    them that are so beyond chance, in pure ones of these, and in those where the outcome is all but ruled out; the
    largest of them; how many values it has."""

    auc: float
    missing_auc: float
    missing_share: float
    rate_missing: float
    rate_there: float
    settled: float
    firm: float
    pure: float
    never: float
    example: str
    distinct: int


def find_suspects(
    table: Table, profiles: Sequence[Profile], labels: Floats, same: Codes, seed: int = 0, time: str | None = None
) -> list[Suspect]:
    """All suspects, clear ones first. ``same`` numbers rows that are the same; ``time`` is the column of the moment of
    decision, where one is known."""
    found = [*_order(labels), *_copies(same, labels)]
    learned = [one for one in profiles if one.kind.learned and one.name != time]
    some = np.arange(table.rows)
    if table.rows > _MOST_ROWS:
        some = np.sort(np.random.default_rng(seed).choice(table.rows, _MOST_ROWS, replace=False))
    found += [
        Suspect((name,), "aggregate", True, f"it is the outcome's {what} by {by}, made of these very rows.", reached)
        for name, by, what, reached in aggregates(table, learned, labels, some)
    ]
    if len(some) < table.rows:
        table, labels, same = table.take(some), labels[some], same[some]
    folds = stratified(labels, _FOLDS, seed, same)
    alone = {one.name: alone_of(table.columns[one.name], one, labels, folds) for one in learned}
    base = float(labels.mean())
    for one in learned:
        found += _of_column(one.name, alone[one.name], base)
    found += _later(table, learned, profiles, labels, alone, time)
    guilty = {name for suspect in found if suspect.clear for name in suspect.columns}
    aucs = {name: one.auc for name, one in alone.items()}
    for first, second, what, reached in pairs(table, [x for x in learned if x.name not in guilty], labels, folds, aucs):
        better = max(aucs[first], aucs[second])
        says = f"{what} ranks rows with an AUC of {reached:.3f}, neither alone with more than {better:.3f}."
        found.append(Suspect((first, second), "pair", True, says, reached))
    guilty |= {name for suspect in found if suspect.clear for name in suspect.columns}
    found += _too_good({name: one for name, one in alone.items() if name not in guilty})
    found += _identifiers(table, profiles, labels, folds)
    return _merged(found)


def alone_of(column: Coded, one: Profile, labels: Floats, folds: Codes) -> Alone:
    """What one column can do alone, out of fold."""
    bins, names = binned(column, one)
    there = bins != 0
    rates = out_of_fold(bins, labels, folds)
    there_scores = out_of_fold(there.astype(np.int64), labels, folds)
    missing = float((~there).mean())
    base = float(labels.mean())
    if one.kind is not Kind.CATEGORY and one.distinct > _FEW:
        bins, names = _spiked(column, one)
    told = _settled(bins, names, labels, base)
    return Alone(
        auc(labels, rates),
        auc(labels, there_scores) if 0.005 < missing < 0.995 else 0.5,
        missing,
        float(labels[~there].mean()) if missing else base,
        float(labels[there].mean()) if missing < 1.0 else base,
        *told,
        one.distinct,
    )


def _spiked(column: Coded, one: Profile) -> tuple[Codes, list[str]]:
    """Of a number with one value that many rows have, that value and all others as two levels: what was paid back is
    nothing for most. Else all as one level."""
    if one.kind is not Kind.NUMBER:
        return np.zeros(len(column.codes), dtype=np.int64), [""]
    numbers = numbers_of(column, one)
    none = np.isnan(numbers)
    values, counts = np.unique(numbers[~none], return_counts=True)
    if not len(values) or counts.max() < _SPIKE * len(numbers):
        return np.where(none, 0, 1).astype(np.int64), ["", "any"]
    most = values[int(np.argmax(counts))]
    return np.where(none, 0, np.where(numbers == most, 1, 2)), ["", f"{most:.6g}", f"other than {most:.6g}"]


def _settled(bins: Codes, names: Sequence[str], labels: Floats, base: float) -> tuple[float, float, float, float, str]:
    """The shares of rows in levels that all but settle the outcome, that do so beyond chance, that then do purely, that
    all but rule it out; and the largest of those levels."""
    rows = np.bincount(bins, minlength=len(names)).astype(np.float64)
    events = np.bincount(bins, weights=labels, minlength=len(names))
    rate = events / np.maximum(rows, 1.0)
    enough = rows >= max(_CERTAIN_ROWS, 0.002 * len(labels))
    enough[0] = False  # of missing values another rule speaks
    sure = ((rate >= 1.0 - CERTAIN) & (1.0 - rate <= (1.0 - base) / 6.0) & (base <= 0.7)) | (
        (rate <= (CERTAIN if base >= 0.5 else PURE)) & (rate <= base / 6.0) & (base >= 0.3)
    )
    firm = sure & _beyond_chance(np.minimum(rate, 1.0 - rate), rows)
    pure = firm & (((rate >= 1.0 - PURE) & (base <= 0.5)) | ((rate <= PURE) & (base >= 0.5)))
    never = (rate <= base / NEVER) & (rows * base >= _EXPECTED)
    shares = [float(rows[mask & enough].sum() / len(labels)) for mask in (sure, firm, pure, never)]
    told = (sure if shares[0] else never) & enough
    if not told.any():
        return 0.0, 0.0, 0.0, 0.0, ""
    largest = int(np.argmax(np.where(told, rows, 0.0)))
    return (*shares, f"'{names[largest]}' at {rate[largest]:.1%} of {int(rows[largest]):,}")  # type: ignore[return-value]


def _beyond_chance(off: Floats, rows: Floats) -> NDArray[np.bool_]:
    """Whether levels whose rates are ``off`` by so much from 0 or 1 are within ``FIRM`` of it, chance allowed for: by
    the far end of Wilson's interval."""
    n = np.maximum(rows, 1.0)
    far = off + _Z**2 / (2 * n) + _Z * np.sqrt(off * (1.0 - off) / n + _Z**2 / (4 * n**2))
    found: NDArray[np.bool_] = far / (1.0 + _Z**2 / n) <= FIRM
    return found


def _of_column(name: str, one: Alone, base: float) -> list[Suspect]:
    """What a column is suspected of by itself; whether it is too good beside the others, :func:`_too_good` says."""
    told = f"alone it ranks rows with an AUC of {one.auc:.3f}"
    if one.auc >= COPY:
        return [Suspect((name,), "copy", True, f"{told}: it is the outcome under another name.", one.auc)]
    found: list[Suspect] = []
    what, state = called(name), of_state(name)
    if (one.firm >= SETTLED and one.auc >= NAMED) or one.pure >= FEW_SETTLED or (state and one.firm):
        says = (
            f"{one.settled:.0%} of rows are in levels that all but settle the outcome, such as {one.example}; {told}."
        )
        found.append(Suspect((name,), "settled", True, says, one.auc))
    elif one.settled >= FEW_SETTLED or (state and one.settled):
        says = f"levels such as {one.example} all but settle the outcome for {one.settled:.0%} of rows; {told}."
        found.append(Suspect((name,), "settled", False, says, one.auc))
    elif one.never >= SETTLED and one.auc >= NAMED and what:
        says = f"levels such as {one.example} all but rule the outcome out for {one.never:.0%} of rows; {told}."
        found.append(Suspect((name,), "settled", state or what == "afterwards", says, one.auc))
    low, high = sorted((one.rate_missing, one.rate_there))
    settles = (low <= 0.01 and low <= base / NEVER) or (high >= 1.0 - PURE and base <= 0.7)
    filled = (1.0 - one.missing_share) >= FEW_SETTLED and one.missing_share >= FEW_SETTLED
    pure = filled and one.rate_there >= 1.0 - PURE and base <= 0.5
    if one.missing_auc >= MISSING or pure:
        says = (
            f"whether it is filled in predicts: the rate is {one.rate_missing:.1%} where it is missing "
            f"({one.missing_share:.0%} of rows) and {one.rate_there:.1%} where it is there (base {base:.1%})."
        )
        clear = pure or one.missing_auc >= MISSING_CLEAR or (settles and one.missing_auc >= 0.65)
        found.append(Suspect((name,), "missing", clear, says, one.missing_auc))
    if (what == "afterwards" and one.auc >= NAMED) or (what == "own" and one.auc >= OWN_NAMED):
        says = f"it is called like something written after the outcome, and {told}."
        found.append(Suspect((name,), "name", True, says, one.auc))
    elif what and one.auc >= NAMED - 0.02:
        says = f"by its name it may be written or changed after the outcome; {told}."
        found.append(Suspect((name,), "name", False, says, one.auc))
    return found


def _too_good(alone: Mapping[str, Alone]) -> list[Suspect]:
    """Columns far better than all others, once those that are guilty for other reasons are set aside."""
    order = sorted(alone, key=lambda name: (-alone[name].auc, name))
    found = []
    for place, name in enumerate(order):
        one = alone[name]
        next_best = alone[order[1]].auc if place == 0 and len(order) > 1 else 0.5 if place == 0 else 1.0
        told = f"alone it ranks rows with an AUC of {one.auc:.3f}"
        apart = one.auc >= ALONE and one.auc >= next_best + APART
        if one.distinct <= _TWO_OR_THREE and one.auc >= ALONE_FEW:
            says = f"{told}, with {one.distinct} values: it is nearly the outcome."
            found.append(Suspect((name,), "alone", True, says, one.auc))
        elif apart:
            says = f"{told}, the next best column with {next_best:.3f}."
            clear = one.distinct <= _TWO_OR_THREE or one.auc >= ALONE_SMOOTH
            found.append(Suspect((name,), "alone", clear, says, one.auc))
        elif one.auc >= 0.90:
            found.append(Suspect((name,), "alone", False, f"{told}; ask when it is written.", one.auc))
    return found


def _later(
    table: Table,
    learned: Sequence[Profile],
    profiles: Sequence[Profile],
    labels: Floats,
    alone: Mapping[str, Alone],
    time: str | None,
) -> list[Suspect]:
    decided = next((one for one in profiles if one.name == time and one.kind is Kind.MOMENT), None)
    if decided is None:
        return []
    at = numbers_of(table.columns[decided.name], decided)
    found = []
    for one in learned:
        if one.kind is not Kind.MOMENT:
            continue
        after = numbers_of(table.columns[one.name], one) > at + 1.0
        share = float(after.mean())
        if share > 0.02:
            says = f"{share:.0%} of its dates lie after {time}: it was not known then."
            found.append(Suspect((one.name,), "later", True, says, alone[one.name].auc))
    return found


def _identifiers(table: Table, profiles: Sequence[Profile], labels: Floats, folds: Codes) -> list[Suspect]:
    found = []
    for one in profiles:
        if one.kind is not Kind.IDENTIFIER:
            continue
        numbers = table.columns[one.name].numbers(number_of)
        if np.isnan(numbers).mean() > 0.5:
            continue
        bins, _ = by_edges(numbers)
        reached = auc(labels, out_of_fold(bins, labels, folds))
        if reached >= NAMED:
            says = f"a key that goes with the outcome (AUC {reached:.3f}): rows were numbered or collected by it."
            found.append(Suspect((one.name,), "identifier", True, says, reached))
    return found


def _order(labels: Floats) -> list[Suspect]:
    """Whether the place of a row in the file tells its outcome; told, nothing is left out."""
    places = np.arange(len(labels), dtype=np.float64)
    bins, _ = by_edges(places)
    folds = np.arange(len(labels)) % _FOLDS
    reached = auc(labels, out_of_fold(bins, labels, folds))
    if reached < NAMED:
        return []
    says = f"the order of rows tells the outcome (AUC {reached:.3f}): the file is sorted by it, or the rate moved."
    return [Suspect((), "order", False, says, reached)]


def _copies(same: Codes, labels: Floats) -> list[Suspect]:
    counts = np.bincount(same)
    share = float((counts[same] > 1).mean())
    if share < 0.01:
        return []
    says = f"{share:.0%} of rows are there more than once; copies stay in one fold, so that none is tested on itself."
    return [Suspect((), "copies", False, says, 0.5)]


def _merged(found: Sequence[Suspect]) -> list[Suspect]:
    """Each accusation once, clear ones first."""
    once: dict[tuple[tuple[str, ...], str], Suspect] = {}
    for one in found:
        once.setdefault((one.columns, one.rule), one)
    return sorted(once.values(), key=lambda one: (not one.clear, -one.auc, one.columns))
