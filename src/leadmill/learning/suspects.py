"""Columns that know the outcome too well: leaks are named before anything is trained, each with its reason.

Everything is measured out of fold, so that a column with many levels is not accused for what chance does. A clear leak
is left out unless somebody keeps it; a doubtful one is kept and named. Rules, in the order of this file:

* ``copy``: the outcome itself, by another name or nearly;
* ``settled``: levels in which the outcome is all but certain hold a good part of the rows;
* ``alone``: one column alone predicts far better than any other;
* ``missing``: whether there is a value predicts: it was filled in for those whose outcome was known;
* ``name``: it is called like something written afterwards, and it predicts;
* ``later``: its dates lie after the moment of decision;
* ``pair``: the difference of two columns (such as the two ends of a call), or two together, say what neither says;
* ``identifier``, ``order``: keys or the order of rows go with the outcome; ``copies``: rows that are there twice.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from leadmill.learning.cells import DAY_FIRST, clock_of, folded, moment_of, number_of
from leadmill.learning.design import edges_of
from leadmill.learning.figures import auc
from leadmill.learning.folds import stratified
from leadmill.learning.kinds import Profile
from leadmill.learning.model import Kind
from leadmill.learning.table import Coded, Codes, Floats, Table

Rule = Literal["copy", "settled", "alone", "missing", "name", "later", "pair", "identifier", "order", "copies"]

COPY = 0.985
"""AUC from which a column is the outcome under another name."""
ALONE, APART = 0.80, 0.10
"""AUC from which one column alone is too good, if the best of the others is this much worse."""
SETTLED, CERTAIN = 0.05, 0.05
"""The share of rows in levels whose rate is this near to 0 or 1 from which a column is too sure of itself."""
MISSING, MISSING_CLEAR = 0.60, 0.75
"""AUC of the bare fact that a value is there, to be named and to be left out."""
NAMED = 0.60
"""AUC from which a column is left out, or named, for what it is called."""
GAIN = 0.08
"""How much better two columns must be together than the better of them."""
_FOLDS, _SMOOTH, _BINS = 5, 10.0, 24
_MOST_ROWS, _MOST_PAIRED = 40_000, 12
_CERTAIN_ROWS = 20
_FEW = 20
"""Different values of a number up to which they are levels: of more, the ends may well be certain."""

_AFTERWARDS = re.compile(
    r"\b(tags?|disposition|dispo|lost reason|win reason|loss reason|reason (lost|won|closed)|closed? (date|time|at|on)|"
    r"(date|time) closed|won|lost|converted|conversion (date|time)|contract (date|value)|deal (value|stage)|"
    r"last notable \w+|lead (quality|profile|stage|status|grade)|call (duration|length|seconds|minutes|time)|talk time|"
    r"duration|outcome date|(paid|payment|refund|cancell?ation|cancel|churn) (date|at|on|amount)|"
    r"post \w+|after \w+|final \w+|result|page ?values?|revenue|commission)\b",
    re.IGNORECASE,
)
_PERHAPS = re.compile(
    r"\b(last \w+|status|stage|score|index|grade|quality|profile|outcome|updated|modified|notes?|comments?|follow ?up|"
    r"closing|agent|feedback|next \w+|amount)\b",
    re.IGNORECASE,
)
_OWN_WORD = {"duration", "result", "won", "lost", "converted", "revenue", "commission"}
"""Words that tell on a column only where they are its whole name."""


class Suspect(Struct, frozen=True):
    """A column (or several) under suspicion: by which rule, whether it is ``clear``, in words, and how well it
    predicts alone (AUC out of fold)."""

    columns: tuple[str, ...]
    rule: Rule
    clear: bool
    says: str
    auc: float


class Alone(Struct, frozen=True):
    """What one column can do: its AUC and that of its being there; the share of its rows in settled levels."""

    auc: float
    missing_auc: float
    missing_share: float
    rate_missing: float
    rate_there: float
    settled: float
    example: str


def find_suspects(
    table: Table, profiles: Sequence[Profile], labels: Floats, same: Codes, seed: int = 0, time: str | None = None
) -> list[Suspect]:
    """All suspects, clear ones first. ``same`` numbers rows that are the same; ``time`` is the column of the moment of
    decision, where one is known."""
    if table.rows > _MOST_ROWS:
        some = np.sort(np.random.default_rng(seed).choice(table.rows, _MOST_ROWS, replace=False))
        rest = find_suspects(table.take(some), profiles, labels[some], same[some], seed, time)
        return _merged([*rest, *_order(labels), *_copies(same, labels)])
    folds = stratified(labels, _FOLDS, seed, same)
    learned = [one for one in profiles if one.kind.learned and one.name != time]
    alone = {one.name: alone_of(table.columns[one.name], one, labels, folds) for one in learned}
    found: list[Suspect] = []
    for one in learned:
        found += _of_column(one.name, alone, float(labels.mean()))
    found += _later(table, learned, profiles, labels, alone, time)
    guilty = {name for suspect in found if suspect.clear for name in suspect.columns}
    found += _pairs(table, [one for one in learned if one.name not in guilty], labels, folds, alone)
    found += _identifiers(table, profiles, labels, folds)
    found += _order(labels)
    found += _copies(same, labels)
    return _merged(found)


def alone_of(column: Coded, one: Profile, labels: Floats, folds: Codes) -> Alone:
    """What one column can do alone, out of fold."""
    bins, names = binned(column, one)
    there = bins != 0
    rates = out_of_fold(bins, labels, folds)
    there_scores = out_of_fold(there.astype(np.int64), labels, folds)
    missing = float((~there).mean())
    base = float(labels.mean())
    settled, example = (
        _settled(bins, names, labels, base) if one.kind is Kind.CATEGORY or one.distinct <= _FEW else (0.0, "")
    )
    return Alone(
        auc(labels, rates),
        auc(labels, there_scores) if 0.005 < missing < 0.995 else 0.5,
        missing,
        float(labels[~there].mean()) if missing else base,
        float(labels[there].mean()) if missing < 1.0 else base,
        settled,
        example,
    )


def binned(column: Coded, one: Profile) -> tuple[Codes, list[str]]:
    """The column's rows in bins, 0 for none, and what each bin is called."""
    if one.kind in (Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT):
        level = column.folded()
        if one.kind is Kind.TEXT:
            numbers = column.numbers(lambda value: float(len(str(value))) if folded(value) else float("nan"))
            return _by_edges(numbers)
        names = [str(value) for value in level.values]
        none = names.index("") if "" in names else None
        moved = level.codes + 1
        if none is not None:
            moved = np.where(level.codes == none, 0, moved)
        return moved, ["", *names]
    return _by_edges(numbers_of(column, one))


def numbers_of(column: Coded, one: Profile) -> Floats:
    """The column as numbers: a date as days, a time of day as seconds."""
    if one.kind is Kind.CLOCK:
        return column.numbers(clock_of)
    if one.kind is Kind.MOMENT:
        return column.numbers(lambda value: days_of(value, one.form == DAY_FIRST))
    return column.numbers(number_of)


def days_of(value: object, day_first: bool) -> float:
    """A moment as days since the year 1; NaN for none."""
    at = moment_of(value, day_first)
    if at is None:
        return float("nan")
    return at.toordinal() + (at.hour * 3600 + at.minute * 60 + at.second) / 86_400.0


def _by_edges(numbers: Floats) -> tuple[Codes, list[str]]:
    edges = np.array(edges_of(numbers, _BINS))
    bins = np.searchsorted(edges, numbers, side="left") + 1
    names = [""] + [f"up to {edge:.6g}" for edge in edges] + [f"over {edges[-1]:.6g}" if len(edges) else "any"]
    return np.where(np.isnan(numbers), 0, bins).astype(np.int64), names


def out_of_fold(bins: Codes, labels: Floats, folds: Codes) -> Floats:
    """Each row's rate by its bin in the other folds, drawn to the base rate."""
    size = int(bins.max(initial=0)) + 1
    found = np.empty(len(labels))
    for fold in np.unique(folds):
        out = folds == fold
        rows = np.bincount(bins[~out], minlength=size)
        events = np.bincount(bins[~out], weights=labels[~out], minlength=size)
        rates = (events + _SMOOTH * labels[~out].mean()) / (rows + _SMOOTH)
        found[out] = rates[bins[out]]
    return found


def _settled(bins: Codes, names: Sequence[str], labels: Floats, base: float) -> tuple[float, str]:
    """The share of rows in levels that all but settle the outcome, and the largest of those levels."""
    rows = np.bincount(bins, minlength=len(names)).astype(np.float64)
    events = np.bincount(bins, weights=labels, minlength=len(names))
    rate = events / np.maximum(rows, 1.0)
    sure_yes = (rate >= 1.0 - CERTAIN) & (1.0 - rate <= (1.0 - base) / 6.0) & (base <= 0.7)
    sure_no = (rate <= CERTAIN) & (rate <= base / 6.0) & (base >= 0.3)
    sure = (sure_yes | sure_no) & (rows >= max(_CERTAIN_ROWS, 0.002 * len(labels)))
    sure[0] = False  # of missing values another rule speaks
    if not sure.any():
        return 0.0, ""
    largest = int(np.argmax(np.where(sure, rows, 0.0)))
    return float(rows[sure].sum() / len(labels)), f"'{names[largest]}' at {rate[largest]:.1%} of {int(rows[largest]):,}"


def plain_name(name: str) -> str:
    """A column's name as words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-./]+", " ", name)
    return " ".join(spaced.split()).casefold()


def _called(name: str) -> Literal["afterwards", "perhaps", ""]:
    words = plain_name(name)
    found = _AFTERWARDS.search(words)
    if found and (found[0] not in _OWN_WORD or found[0] == words):
        return "afterwards"
    return "perhaps" if _PERHAPS.search(words) else ""


def _of_column(name: str, alone: Mapping[str, Alone], base: float) -> list[Suspect]:
    one = alone[name]
    others = sorted((other.auc for key, other in alone.items() if key != name), reverse=True)
    next_best = next((value for value in others if value < COPY), 0.5)
    told = f"alone it ranks rows with an AUC of {one.auc:.3f}"
    if one.auc >= COPY:
        return [Suspect((name,), "copy", True, f"{told}: it is the outcome under another name.", one.auc)]
    found: list[Suspect] = []
    if one.settled >= SETTLED and one.auc >= NAMED:
        says = (
            f"{one.settled:.0%} of rows are in levels that all but settle the outcome, such as {one.example}; {told}."
        )
        found.append(Suspect((name,), "settled", True, says, one.auc))
    elif one.settled >= 0.02 and one.auc >= NAMED:
        says = f"levels such as {one.example} all but settle the outcome for {one.settled:.0%} of rows; {told}."
        found.append(Suspect((name,), "settled", False, says, one.auc))
    if one.auc >= ALONE and one.auc >= next_best + APART:
        says = f"{told}, the next best column with {next_best:.3f}."
        found.append(Suspect((name,), "alone", True, says, one.auc))
    elif one.auc >= 0.90:
        found.append(Suspect((name,), "alone", False, f"{told}; ask when it is written.", one.auc))
    if one.missing_auc >= MISSING:
        says = (
            f"whether it is filled in predicts: the rate is {one.rate_missing:.1%} where it is missing "
            f"({one.missing_share:.0%} of rows) and {one.rate_there:.1%} where it is there (base {base:.1%})."
        )
        settled = min(one.rate_missing, one.rate_there) <= 0.01 or max(one.rate_missing, one.rate_there) >= 0.97
        clear = one.missing_auc >= MISSING_CLEAR or (settled and one.missing_auc >= 0.65)
        found.append(Suspect((name,), "missing", clear, says, one.missing_auc))
    called = _called(name)
    if called == "afterwards" and one.auc >= NAMED:
        says = f"it is called like something written after the outcome, and {told}."
        found.append(Suspect((name,), "name", True, says, one.auc))
    elif called and one.auc >= NAMED - 0.02:
        says = f"by its name it may be written or changed after the outcome; {told}."
        found.append(Suspect((name,), "name", False, says, one.auc))
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


def _pairs(
    table: Table, learned: Sequence[Profile], labels: Floats, folds: Codes, alone: Mapping[str, Alone]
) -> list[Suspect]:
    """Differences of two times, of two dates, of two numbers; and two categories crossed."""
    found: list[Suspect] = []
    for kind, most in ((Kind.CLOCK, 0.70), (Kind.MOMENT, 0.70), (Kind.NUMBER, 0.85)):
        group = [one for one in learned if one.kind is kind][:_MOST_PAIRED]
        values = {one.name: numbers_of(table.columns[one.name], one) for one in group}
        for place, first in enumerate(group):
            for second in group[place + 1 :]:
                bins, _ = _by_edges(values[second.name] - values[first.name])
                found += _together(first.name, second.name, bins, labels, folds, alone, most, "their difference")
    group = [one for one in learned if one.kind is Kind.CATEGORY and one.distinct <= 40][:_MOST_PAIRED]
    placed = {one.name: binned(table.columns[one.name], one)[0] for one in group}
    for place, first in enumerate(group):
        for second in group[place + 1 :]:
            crossed = placed[first.name] * (int(placed[second.name].max(initial=0)) + 1) + placed[second.name]
            bins = np.unique(crossed, return_inverse=True)[1].reshape(-1)
            found += _together(first.name, second.name, bins, labels, folds, alone, 0.90, "the two together")
    return found


def _together(
    first: str,
    second: str,
    bins: Codes,
    labels: Floats,
    folds: Codes,
    alone: Mapping[str, Alone],
    least: float,
    what: str,
) -> list[Suspect]:
    reached = auc(labels, out_of_fold(bins, labels, folds))
    better = max(alone[first].auc, alone[second].auc)
    if reached < least or reached < better + GAIN:
        return []
    says = f"{what} ranks rows with an AUC of {reached:.3f}, neither alone with more than {better:.3f}."
    return [Suspect((first, second), "pair", True, says, reached)]


def _identifiers(table: Table, profiles: Sequence[Profile], labels: Floats, folds: Codes) -> list[Suspect]:
    found = []
    for one in profiles:
        if one.kind is not Kind.IDENTIFIER:
            continue
        numbers = table.columns[one.name].numbers(number_of)
        if np.isnan(numbers).mean() > 0.5:
            continue
        bins, _ = _by_edges(numbers)
        reached = auc(labels, out_of_fold(bins, labels, folds))
        if reached >= NAMED:
            says = f"a key that goes with the outcome (AUC {reached:.3f}): rows were numbered or collected by it."
            found.append(Suspect((one.name,), "identifier", True, says, reached))
    return found


def _order(labels: Floats) -> list[Suspect]:
    """Whether the place of a row in the file tells its outcome; told, nothing is left out."""
    places = np.arange(len(labels), dtype=np.float64)
    bins, _ = _by_edges(places)
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
