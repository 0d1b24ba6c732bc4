"""Our own leads as a table to learn from: what was known when each was rated, and what became of it.

Called by ``leadmill scoring history`` and by whoever trains on our own leads. Each row is an example (``examples``) and
names the hash of the journal page it was read from, by which ``leadmill verify`` proves it. What identifies a person is
left out, and so is what the law and the vertical's pack let no score look at.
"""

import asyncio
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any, TextIO

from msgspec import Struct

from leadmill.capture import FieldSpec, Vertical
from leadmill.facts import KEYS
from leadmill.flow.examples import Example, examples_between
from leadmill.flow.keep import Pen
from leadmill.runtime.db import Database
from leadmill.scoring import TARGETS, Target

_WORDS = frozenset({
    "address.kind", "ip.country", "ip.family", "ip.network", "ip.state", "phone.country", "phone.state", "phone.type",
    "zip.kind", "zip.state",
})  # fmt: skip
"""Facts of ours that are words and point at nobody."""
_CONTEXT = frozenset({
    "channel", "downloads", "first_visit_at", "gpc", "last_visit_at", "pages_viewed", "sub1", "sub2", "utm_campaign",
    "utm_content", "utm_medium", "utm_source", "utm_term", "visits",
})  # fmt: skip
"""What came along that describes a visit and points at nobody."""
_OWN = ("source", "received_at", "fraud.score")
_FIRST = ("lead_id", "page", "decided_at", "score", "label_at", "mature")
_LABELS = ("bad", "accepted", "reviewed", "reviewed_bad")
_MOST_NAMES = 4096
"""Names of values that are remembered as fit or not; there are some hundred."""
ABOUT = (*_FIRST, *_LABELS)
"""Columns of the table beside what was known and the usual label: not to be learned from."""
TIME = "decided_at"
"""The column that says when a row was to be scored."""
TARGET: Target = "converted"
"""The usual label."""

Barring = Callable[[str, Sequence[str]], Mapping[str, str]]
"""Those of some names that no score of a vertical may look at, each with why."""


def unfit_for(target: str) -> tuple[str, ...]:
    """The columns that a model of this target must not learn from."""
    return tuple(name for name in (*ABOUT, TARGET) if name != target)


# The table


def columns_of(vertical: Vertical, barring: Barring | None, seen: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Which of the names that were seen may stand in the table, and of the others that were lawful otherwise why
    not."""
    named = [name for name in sorted(seen) if _describes(name, vertical.fields.get(name))]
    barred = dict(barring(vertical.name, named)) if barring is not None else {}
    return [name for name in named if name not in barred], barred


def _describes(name: str, spec: FieldSpec | None) -> bool:
    """Whether a name describes a lead and points at nobody."""
    if spec is not None:
        return not spec.personal and spec.sensitive is None
    if name.startswith("context."):
        return name.removeprefix("context.") in _CONTEXT
    return name in _OWN or name in _WORDS or name not in KEYS or _flag(name)


def _flag(name: str) -> bool:
    return name in KEYS and name not in _WORDS


class Counted(Struct):
    """Of one target: leads with a label, those of them for which it is yes, and how many days after the decision the
    label was heard, by half of those of which something was heard and by nine in ten of them."""

    labelled: int = 0
    yes: int = 0
    days_half: float | None = None
    days_most: float | None = None


class Written(Struct):
    """What a table holds: ``labelled`` of its leads are known to have converted or not, ``converted`` of these did;
    ``young`` have no label yet since their horizon is not over, ``unplaced`` never will, since nobody got them.
    ``columns`` may be learned from, ``barred`` were left out by the law or the pack, each with why; ``targets`` counts
    every label; ``first`` and ``last`` are the decisions between which all lie."""

    file: str
    leads: int = 0
    labelled: int = 0
    converted: int = 0
    forgotten: int = 0
    columns: list[str] = []
    barred: dict[str, str] = {}
    young: int = 0
    unplaced: int = 0
    targets: dict[str, Counted] = {}
    first: datetime | None = None
    last: datetime | None = None


Groups = Mapping[str, Mapping[str, str]]
"""Test data by lead: lawfully gathered attributes that no model may look at, and that audits are made by."""


async def write_history(
    db: Database,
    pen: Pen,
    vertical: Vertical,
    barring: Barring | None,
    to: Path,
    span: tuple[datetime | None, datetime | None],
    horizon: timedelta,
    now: datetime,
    groups: Groups | None = None,
) -> Written:
    """Write the table as CSV: only leads whose values are known, with each label where it is. ``groups`` are further
    columns by lead; the first of them names all."""
    written = Written(file=str(to))
    spool = to.with_name(f"{to.name}.part")
    seen: set[str] = set()
    days: dict[str, list[float]] = {target: [] for target in TARGETS}
    counted = {str(target): Counted() for target in TARGETS}
    fit = lru_cache(_MOST_NAMES)(lambda name: _describes(name, vertical.fields.get(name)))
    try:
        with _private(spool) as lines:
            async for one in examples_between(db, pen, vertical.name, span[0], span[1], horizon, now):
                if one.values is None:
                    written.forgotten += 1
                    continue
                plain = cells_of(one.values, fit)
                seen |= plain.keys()
                _count(written, counted, days, one)
                lines.write(json.dumps([_about(one), plain, cell_of("", one.label.converted)]) + "\n")
        for target, found in counted.items():
            _late(found, days[target])
        written.targets = counted
        written.columns, written.barred = columns_of(vertical, barring, seen)
        await asyncio.to_thread(_write, to, spool, written.columns, groups or {})
    finally:
        spool.unlink(missing_ok=True)
    return written


def _private(spool: Path) -> TextIO:
    """A new file that nobody else may read; what one that was killed left there goes first."""
    spool.unlink(missing_ok=True)
    return os.fdopen(os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")


def cells_of(values: Mapping[str, Any], fit: Callable[[str], bool]) -> dict[str, str]:
    """The cells of those values whose names are ``fit`` to stand in a table."""
    return {name: cell for name, value in values.items() if fit(name) and (cell := cell_of(name, value)) != ""}


def _count(written: Written, counted: Mapping[str, Counted], days: Mapping[str, list[float]], one: Example) -> None:
    written.leads += 1
    written.labelled += one.label.converted is not None
    written.converted += one.label.converted is True
    written.young += one.placed and not one.label.mature
    written.unplaced += not one.placed
    written.first = min(written.first or one.decided_at, one.decided_at)
    written.last = max(written.last or one.decided_at, one.decided_at)
    for target, value, at in _labels(one):
        found = counted[target]
        found.labelled += value is not None
        found.yes += value is True
        if value is not None and at is not None:
            days[target].append((at - one.decided_at).total_seconds() / 86_400)


def _labels(one: Example) -> Iterator[tuple[Target, bool | None, datetime | None]]:
    yield "converted", one.label.converted, one.label.told_at
    yield "bad", one.label.bad, one.label.told_at
    yield "accepted", one.accepted.value, one.accepted.at
    yield "reviewed_bad", one.reviewed.value, one.reviewed.at


def _late(found: Counted, days: list[float]) -> None:
    if days:
        found.days_half = round(median(days), 2)
        found.days_most = round(sorted(days)[int(0.9 * (len(days) - 1))], 2)


def _write(to: Path, spool: Path, columns: Sequence[str], groups: Groups) -> None:
    more = list(next(iter(groups.values()), {}))
    with spool.open() as lines, to.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*ABOUT, *columns, *more, TARGET])
        for line in lines:
            about, plain, label = json.loads(line)
            theirs = groups.get(about[0], {})
            cells = [plain.get(name, "") for name in columns]
            table.writerow([*about, *cells, *(theirs.get(name, "") for name in more), label])


def _about(one: Example) -> list[str]:
    label, reviewed = one.label, one.reviewed.value
    desk = None if reviewed is None else "bad" if reviewed else "good"
    cells = (one.lead_id, one.page, one.decided_at, one.score.points, label.at, label.mature,
             label.bad, one.accepted.value, desk, reviewed)  # fmt: skip
    return [cell_of("", value) for value in cells]


def cell_of(name: str, value: Any) -> str:
    """A value as a cell, nothing where a table cannot hold it: lists, and facts of ours in words that may point at
    somebody."""
    if value is None or isinstance(value, list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and name in KEYS and name not in _WORDS:
        return ""
    return str(value)
