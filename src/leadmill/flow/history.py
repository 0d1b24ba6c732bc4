"""Our own leads as a table to learn from: what was known when each was rated, and what became of it.

Called by ``leadmill scoring history`` and by the review of scorecards. What was known is made again from the evidence
on the lead's journal page up to the station ``scoring``, so that nothing that came later can be in it: corrections,
enrichment, prices and outcomes are of a later page or a later station. Each row names the hash of the page it was read
from, by which ``leadmill verify`` proves it. What identifies a person is left out, and so is what the law lets no score
look at.
"""

import csv
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from leadmill.capture import FieldSpec, Lead, Vertical
from leadmill.core.case import Case
from leadmill.core.events import Event
from leadmill.facts import KEYS, Dossier
from leadmill.flow.keep import Pen
from leadmill.flow.memory import Recalled, recalled_between
from leadmill.flow.rating import Unscorable
from leadmill.fraud import Suspicion
from leadmill.market import Assignment, Sale, SaleCancelled
from leadmill.outcomes import OutcomeReported
from leadmill.runtime import journal
from leadmill.runtime.db import Database
from leadmill.scoring import Heard, Label, Rate, Score, What, label_of, see

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
ABOUT = ("lead_id", "page", "decided_at", "score", "label_at", "mature", "bad")
"""Columns of the table beside what was known and the label: not to be learned from."""
TARGET = "converted"


class Example(Struct, frozen=True):
    """One lead: what conditions and models saw of it when it was first rated (None once its person was forgotten), the
    score that it got, and what became of it. ``page`` is the hash of the journal page that proves it."""

    lead_id: str
    decided_at: datetime
    page: str
    score: Score
    label: Label
    price: int = 0
    values: Mapping[str, Any] | None = None


async def examples_between(
    db: Database,
    pen: Pen,
    vertical: str,
    since: datetime | None,
    until: datetime | None,
    horizon: timedelta,
    now: datetime,
) -> AsyncIterator[Example]:
    """Every lead of a vertical that was received in a span and rated, oldest first; test leads are passed over."""
    async for tx, recalled in recalled_between(db, pen, since, until):
        if recalled.row.vertical != vertical or recalled.row.test:
            continue
        found = example_of(recalled, horizon, now)
        if found is not None:
            pages = await journal.pages(tx, recalled.row.id)
            place = next((page.hash.hex() for page in pages if page.at == found.decided_at), "")
            yield replace(found, page=place)


def example_of(recalled: Recalled, horizon: timedelta, now: datetime) -> Example | None:
    """A lead as an example; None where it was never rated."""
    for number, chapter in enumerate(recalled.chapters):
        for station in chapter.stations:
            score = next((item for item in station.learned if isinstance(item, Score)), None)
            if station.event.step != Rate.name or score is None:
                continue
            label = label_of(_placed(recalled), station.event.at, heard_of(_events(recalled)), horizon, now)
            case = replace(recalled, chapters=recalled.chapters[: number + 1]).case_before(Rate.name)
            return Example(
                lead_id=recalled.row.id,
                decided_at=chapter.at,
                page="",
                score=score,
                label=label,
                price=recalled.row.price or 0,
                values=_values(case),
            )
    return None


def _values(case: Case) -> Mapping[str, Any] | None:
    lead, dossier = case.get(Lead), case.get(Dossier)
    return see(lead, dossier, case.get(Suspicion)) if lead is not None and dossier is not None else None


def _placed(recalled: Recalled) -> bool:
    learned = (item for chapter in recalled.chapters for station in chapter.stations for item in station.learned)
    return any(isinstance(item, Sale | Assignment) for item in learned)


_DECLINED = "delivery.buyer."
_WHAT: dict[str, What] = {"won": "won", "lost": "lost", "bad": "bad"}


def _events(recalled: Recalled) -> list[Event]:
    return [event for chapter in recalled.chapters for event in chapter.events]


def heard_of(events: Iterable[Event]) -> list[Heard]:
    """What was reported of a lead; a correction takes the place of what it corrects. A buyer that declines a lead gives
    it back; a delivery that failed says nothing of the lead."""
    found: dict[str, Heard] = {}
    for event in events:
        if isinstance(event, OutcomeReported):
            found.pop(getattr(event, "replaces", ""), None)
            what = _WHAT.get(event.stage, "open")
            found[event.outcome_id] = Heard(event.reporter, what, event.happened_at, event.at)
        elif isinstance(event, SaleCancelled) and event.because.code.startswith(_DECLINED):
            found[event.sale_id] = Heard(event.recipient, "returned", event.at, event.at)
    return list(found.values())


# The table


def columns_of(
    vertical: Vertical, unscorable: Unscorable | None, seen: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """Which of the names that were seen may stand in the table, and of the others that were lawful otherwise why
    not."""
    kept, barred = [], {}
    for name in sorted(seen):
        if not _describes(name, vertical.fields.get(name)):
            continue
        why = unscorable(vertical.name, (name,)) if unscorable is not None else ""
        if why:
            barred[name] = why
        else:
            kept.append(name)
    return kept, barred


def _describes(name: str, spec: FieldSpec | None) -> bool:
    """Whether a name describes a lead and points at nobody."""
    if spec is not None:
        return not spec.personal and spec.sensitive is None
    if name.startswith("context."):
        return name.removeprefix("context.") in _CONTEXT
    return name in _OWN or name in _WORDS or name not in KEYS or _flag(name)


def _flag(name: str) -> bool:
    return name in KEYS and name not in _WORDS


class Written(Struct):
    """What a table holds: ``labelled`` of its leads have a label, ``converted`` of these converted; ``columns`` may be
    learned from, ``barred`` were left out by the law, each with why."""

    file: str
    leads: int = 0
    labelled: int = 0
    converted: int = 0
    forgotten: int = 0
    columns: list[str] = []
    barred: dict[str, str] = {}


async def write_history(
    db: Database,
    pen: Pen,
    vertical: Vertical,
    unscorable: Unscorable | None,
    to: Path,
    span: tuple[datetime | None, datetime | None],
    horizon: timedelta,
    now: datetime,
) -> Written:
    """Write the table as CSV: only leads whose values are known, with the label where it is."""
    written = Written(file=str(to))
    spool = to.with_name(f"{to.name}.part")
    seen: set[str] = set()
    with spool.open("w") as lines:
        async for one in examples_between(db, pen, vertical.name, span[0], span[1], horizon, now):
            if one.values is None:
                written.forgotten += 1
                continue
            plain = {name: cell for name, value in one.values.items() if (cell := cell_of(name, value)) != ""}
            seen |= plain.keys()
            written.leads += 1
            written.labelled += one.label.converted is not None
            written.converted += one.label.converted is True
            lines.write(json.dumps([_about(one), plain, cell_of("", one.label.converted)]) + "\n")
    written.columns, written.barred = columns_of(vertical, unscorable, seen)
    with spool.open() as lines, to.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*ABOUT, *written.columns, TARGET])
        for line in lines:
            about, plain, label = json.loads(line)
            table.writerow([*about, *(plain.get(name, "") for name in written.columns), label])
    spool.unlink()
    return written


def _about(one: Example) -> list[str]:
    label = one.label
    cells = (one.lead_id, one.page, one.decided_at, one.score.points, label.at, label.mature, label.bad)
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
