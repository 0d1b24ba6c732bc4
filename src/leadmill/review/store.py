"""Every read and write of cases and decisions.

Called by the verbs of this package and, for lists and numbers, through the door. The queue's order is by due time,
then by worth; a page of it costs the same wherever it begins. Who takes the next case skips what others are taking.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import insert

from leadmill.review.model import CaseFilter, Decision, Figures, LabelRecord, Overdue, ReviewCase
from leadmill.review.rules import Pair
from leadmill.review.tables import REVIEW_CASE, REVIEW_DECISION
from leadmill.runtime.db import Row, Tx, prepared

_c = REVIEW_CASE.c
_d = REVIEW_DECISION.c
_TIME = _c.since.type
_OPEN = _c.closed_at.is_(None)
_WAITS = sa.and_(_OPEN, _c.stage != sa.literal_column("'decided'"))
_CASE = sa.bindparam("case", type_=sa.Text)
_COLUMNS = [column for column in REVIEW_CASE.columns if column.name != "id"]
_ADD = prepared(
    insert(REVIEW_CASE)
    .values({column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in REVIEW_CASE.columns})
    .on_conflict_do_nothing()
)
_SAVE = prepared(
    sa.update(REVIEW_CASE)
    .where(_c.id == _CASE)
    .values({column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in _COLUMNS})
)
_FIND = prepared(sa.select(REVIEW_CASE).where(_c.id == _CASE))
_LOCK = prepared(sa.select(REVIEW_CASE).where(_c.id == _CASE).with_for_update())
_OF_LEAD = prepared(
    sa.select(REVIEW_CASE)
    .where(_c.lead_id == sa.bindparam("lead", type_=sa.Text))
    .order_by(_c.id.desc())
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
_OPEN_OF = prepared(
    sa.select(REVIEW_CASE).where(_c.lead_id == sa.bindparam("lead", type_=sa.Text), _OPEN).with_for_update()
)
_who = sa.bindparam("who", type_=sa.Text)
_now = sa.bindparam("now", type_=_TIME)
_NEXT = prepared(
    sa.select(REVIEW_CASE)
    .where(
        _WAITS,
        sa.or_(_c.held_until.is_(None), _c.held_until <= _now, _c.holder == _who),
        sa.or_(_c.snoozed_until.is_(None), _c.snoozed_until <= _now),
        sa.or_(_c.first_by.is_(None), _c.first_by != _who),
        sa.or_(_c.second_by.is_(None), _c.second_by != _who),
        sa.or_(
            _c.stage != sa.literal_column("'third'"), sa.bindparam("supervises", type_=sa.Boolean) == sa.literal(True)
        ),
        sa.or_(
            sa.bindparam("vertical", type_=sa.Text) == sa.literal(""),
            _c.vertical == sa.bindparam("vertical", type_=sa.Text),
        ),
        sa.or_(
            sa.bindparam("reason", type_=sa.Text) == sa.literal(""), _c.reason == sa.bindparam("reason", type_=sa.Text)
        ),
    )
    .order_by(_c.due_at, _c.worth.desc(), _c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_MINE = prepared(
    sa.select(_c.id)
    .where(_WAITS, _c.holder == _who, _c.held_until > _now)
    .order_by(_c.due_at, _c.worth.desc(), _c.id)
    .limit(1)
)
_UNOPENED = prepared(
    sa.text(
        "SELECT l.id FROM lead l WHERE l.state = 'review' AND NOT EXISTS"
        " (SELECT 1 FROM review_case c WHERE c.lead_id = l.id AND c.closed_at IS NULL) ORDER BY l.id LIMIT :most"
    ).bindparams(sa.bindparam("most", type_=sa.BigInteger))
)
_GONE = prepared(
    sa.text(
        "SELECT c.id, c.lead_id, l.state, c.first_by IS NOT NULL AS decided FROM review_case c"
        " JOIN lead l ON l.id = c.lead_id WHERE c.closed_at IS NULL AND l.state <> 'review'"
        " AND (c.carry_at IS NULL OR c.carry_at <= :late) ORDER BY c.lead_id LIMIT :most"
    ).bindparams(sa.bindparam("most", type_=sa.BigInteger), sa.bindparam("late", type_=_TIME))
)
_overdue = (_WAITS, _c.due_at <= _now, ~_c.test)
_untold = sa.or_(_c.told_at.is_(None), _c.told_at <= sa.bindparam("before", type_=_TIME))
_places = sa.bindparam("verticals", type_=sa.ARRAY(sa.Text))
_LATE_IN = prepared(sa.select(_c.vertical).distinct().where(*_overdue, _untold))
_LATE = prepared(
    sa.select(_c.id, _c.vertical, _c.reason, _c.due_at)
    .where(*_overdue, _untold, _c.vertical == sa.any_(_places))
    .order_by(_c.due_at, _c.id)
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
_ALL_LATE = prepared(sa.select(sa.func.count().label("n")).where(*_overdue, _c.vertical == sa.any_(_places)))
_TOLD = prepared(
    sa.update(REVIEW_CASE)
    .where(_c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text))))
    .values(told_at=sa.bindparam("at", type_=_TIME))
)
_WORTH = prepared(
    sa.text(
        "SELECT CAST(avg(price) AS bigint) AS worth FROM (SELECT state, vertical, price FROM lead"
        " WHERE source_id = :source ORDER BY id DESC LIMIT 1000) AS t"
        " WHERE state = 'sold' AND vertical = :vertical AND price IS NOT NULL"
    ).bindparams(sa.bindparam("source", type_=sa.Text), sa.bindparam("vertical", type_=sa.Text))
)
_DECISIONS = prepared(sa.select(REVIEW_DECISION).where(_d.case_id == _CASE).order_by(_d.no))
_UNDO = prepared(
    sa.update(REVIEW_DECISION)
    .where(_d.id == sa.bindparam("decision", type_=sa.Text))
    .values(undone_at=sa.bindparam("at", type_=_TIME))
)


class Gone(Struct, frozen=True):
    """A case whose lead waits no more: its state, and whether anybody had decided."""

    id: str
    lead_id: str
    state: str
    decided: bool


async def add_cases(tx: Tx, cases: Sequence[ReviewCase]) -> None:
    """Write new cases; of a lead that has one open, none."""
    if cases:
        await tx.many(_ADD, [{f"new_{name}": value for name, value in _values(one).items()} for one in cases])


async def save_case(tx: Tx, one: ReviewCase) -> None:
    """Write a locked case as it is now."""
    values = _values(one)
    values.pop("id")
    await tx.run(_SAVE, case=one.id, **{f"new_{name}": value for name, value in values.items()})


async def find_case(tx: Tx, case_id: str) -> ReviewCase | None:
    """A case by its id."""
    return _case(await tx.one(_FIND, case=case_id))


async def lock_case(tx: Tx, case_id: str) -> ReviewCase | None:
    """A case, locked until the transaction ends."""
    return _case(await tx.one(_LOCK, case=case_id))


async def lock_open_case(tx: Tx, lead_id: str) -> ReviewCase | None:
    """The case of a lead that is not over, locked until the transaction ends."""
    return _case(await tx.one(_OPEN_OF, lead=lead_id))


async def cases_of(tx: Tx, lead_id: str, most: int = 20) -> list[ReviewCase]:
    """The cases of a lead, the latest first."""
    return [_known(row) for row in await tx.all(_OF_LEAD, lead=lead_id, most=most)]


async def lock_next(
    tx: Tx, who: str, supervises: bool, now: datetime, vertical: str = "", reason: str = ""
) -> ReviewCase | None:
    """The case that somebody should decide next, locked: one that they have already, such as one that was handed over
    to them; else the most urgent one, none that another is taking at this moment."""
    if not vertical and not reason:
        mine = await tx.one(_MINE, who=who, now=now)
        held = await lock_case(tx, mine["id"]) if mine is not None else None
        if held is not None and held.held(now) == who and held.closed_at is None and held.stage != "decided":
            return held
    return _case(await tx.one(_NEXT, who=who, supervises=supervises, now=now, vertical=vertical, reason=reason))


async def unopened(tx: Tx, most: int) -> list[str]:
    """Leads that wait for a person and have no case yet."""
    return [row["id"] for row in await tx.all(_UNOPENED, most=most)]


async def gone(tx: Tx, late: datetime, most: int) -> list[Gone]:
    """Cases whose leads wait no more, since somebody opted out, by lead: without those whose decision is to be carried
    out after a moment."""
    return [Gone(**dict(row.items())) for row in await tx.all(_GONE, late=late, most=most)]


async def worth_of(tx: Tx, source_id: str, vertical: str) -> int | None:
    """What sold leads of a source in a vertical brought lately, on average, in minor units; None where none was."""
    row = await tx.one(_WORTH, source=source_id, vertical=vertical)
    return row["worth"] if row is not None else None


async def list_cases(
    tx: Tx, narrow: CaseFilter, now: datetime, after: tuple[datetime, int, str] | None = None, limit: int = 50
) -> list[ReviewCase]:
    """Cases that wait or are about to be carried out, the most urgent first, from behind a place in that order: its due
    time, worth and id."""
    where: list[sa.ColumnElement[bool]] = [_OPEN]
    for name in ("reason", "vertical", "source_id", "stage"):
        value = getattr(narrow, name)
        if value is not None:
            where.append(_c[name] == value)
    if narrow.holder is not None:
        where += [_c.holder == narrow.holder, _c.held_until > now]
    if narrow.overdue is not None:
        where += [_WAITS, _c.due_at <= narrow.overdue]
    if after is not None:
        due, worth, case_id = after
        same = sa.and_(_c.worth == worth, _c.id > case_id)
        where.append(sa.or_(_c.due_at > due, sa.and_(_c.due_at == due, sa.or_(_c.worth < worth, same))))
        where.append(_c.due_at >= due)
    stmt = sa.select(REVIEW_CASE).where(*where).order_by(_c.due_at, _c.worth.desc(), _c.id).limit(limit)
    return [_known(row) for row in await tx.all(stmt)]


async def neighbours(tx: Tx, one: ReviewCase) -> tuple[str | None, str | None]:
    """The ids of the cases before and behind this one in the queue's order."""
    found: list[str | None] = []
    for way in (False, True):
        later, more = (
            (_c.due_at > one.due_at, _c.worth < one.worth) if way else (_c.due_at < one.due_at, _c.worth > one.worth)
        )
        same = sa.and_(_c.worth == one.worth, _c.id > one.id if way else _c.id < one.id)
        order = (_c.due_at, _c.worth.desc(), _c.id) if way else (_c.due_at.desc(), _c.worth, _c.id.desc())
        place = sa.or_(later, sa.and_(_c.due_at == one.due_at, sa.or_(more, same)))
        row = await tx.one(sa.select(_c.id).where(_WAITS, place).order_by(*order).limit(1))
        found.append(row["id"] if row is not None else None)
    return found[0], found[1]


async def count_cases(tx: Tx, now: datetime) -> tuple[int, int]:
    """How many cases wait for somebody, and how many of them are overdue."""
    counts = sa.select(
        sa.func.count().label("waiting"), sa.func.count().filter(_c.due_at <= now).label("overdue")
    ).where(_WAITS)
    row = await tx.one(counts)
    return (row["waiting"], row["overdue"]) if row is not None else (0, 0)


async def count_due(tx: Tx, since: datetime, until: datetime) -> int:
    """How many of the cases that wait fell due in a span."""
    stmt = sa.select(sa.func.count().label("n")).where(_WAITS, _c.due_at > since, _c.due_at <= until)
    row = await tx.one(stmt)
    return int(row["n"]) if row is not None else 0


async def late_in(tx: Tx, now: datetime, before: datetime) -> list[str]:
    """The verticals with overdue cases of which nobody was told since ``before``. Tests left out."""
    return sorted(row["vertical"] for row in await tx.all(_LATE_IN, now=now, before=before))


async def overdue_in(
    tx: Tx, verticals: Sequence[str], now: datetime, before: datetime, most: int = 5_000
) -> tuple[list[str], list[Overdue], int]:
    """The overdue cases of some verticals of which nobody was told since ``before``: their ids, how many they are by
    vertical and reason, and how many are overdue in all. Tests left out."""
    rows = await tx.all(_LATE, verticals=list(verticals), now=now, before=before, most=most)
    kinds: dict[tuple[str, str], Overdue] = {}
    for row in rows:
        place = row["vertical"], row["reason"]
        known = kinds.get(place, Overdue(*place, 0, row["due_at"]))
        kinds[place] = msgspec.structs.replace(known, count=known.count + 1)
    everything = await tx.one(_ALL_LATE, verticals=list(verticals), now=now)
    return [row["id"] for row in rows], [kinds[place] for place in sorted(kinds)], everything["n"] if everything else 0


async def note_told(tx: Tx, ids: Sequence[str], at: datetime) -> None:
    """Note that somebody was told of these overdue cases."""
    await tx.run(_TOLD, ids=sorted(ids), at=at)


async def figures(tx: Tx, now: datetime, midnight: datetime) -> Figures:
    """The desk in numbers; ``midnight`` is when the reader's day began."""
    waiting, overdue = await count_cases(tx, now)
    today = await tx.one(
        sa.select(sa.func.count().label("n")).select_from(REVIEW_DECISION).where(
            _d.at >= midnight, _d.undone_at.is_(None)
        )
    )  # fmt: skip
    took = sa.func.extract("epoch", _c.decided_at - _c.since)
    middle = await tx.one(
        sa.select(sa.cast(sa.func.percentile_cont(0.5).within_group(took), sa.Double).label("median")).where(
            _c.closed_at >= now - timedelta(days=7), _c.decided_at.is_not(None), ~_c.override
        )
    )
    return Figures(waiting, overdue, today["n"] if today else 0, middle["median"] if middle else None)


def add_decision(tx: Tx, one: Decision) -> None:
    """Write a decision with the other rows of the transaction."""
    tx.add(REVIEW_DECISION, *(getattr(one, column.name) for column in REVIEW_DECISION.columns))


async def decisions_of(tx: Tx, case_id: str) -> list[Decision]:
    """What was decided about a case, in order."""
    return [msgspec.convert(dict(row.items()), Decision) for row in await tx.all(_DECISIONS, case=case_id)]


async def undo_decision(tx: Tx, decision_id: str, at: datetime) -> None:
    """Take a decision back."""
    await tx.run(_UNDO, decision=decision_id, at=at)


async def pairs_since(tx: Tx, since: datetime, most: int = 10_000) -> list[Pair]:
    """What two people decided about the same cases since a moment, the latest first; tests left out."""
    one, two = REVIEW_DECISION.alias("one"), REVIEW_DECISION.alias("two")
    stmt = (
        sa.select(
            _c.reason,
            one.c.by.label("first_by"),
            one.c.choice.label("first"),
            two.c.by.label("second_by"),
            two.c.choice.label("second"),
            _c.closed_at.label("at"),
        )
        .select_from(
            REVIEW_CASE.join(one, sa.and_(one.c.case_id == _c.id, one.c.by == _c.first_by)).join(
                two, sa.and_(two.c.case_id == _c.id, two.c.by == _c.second_by)
            )
        )
        .where(_c.sampled, ~_c.test, _c.closed_at >= since, one.c.undone_at.is_(None), two.c.undone_at.is_(None))
        .order_by(_c.closed_at.desc(), _c.id)
        .limit(most)
    )
    return [Pair(**dict(row.items())) for row in await tx.all(stmt)]


async def labels_between(tx: Tx, since: datetime, until: datetime) -> list[LabelRecord]:
    """What people's looks said of leads in a span, in the order it was known, as known at its end: what a later
    decision carried out took the place of is left out, and so are tests."""
    later = REVIEW_CASE.alias("later")
    replaced = (
        sa.exists()
        .where(later.c.lead_id == _c.lead_id, later.c.decision != "hold", later.c.closed_at < until)
        .where(sa.tuple_(later.c.closed_at, later.c.id) > sa.tuple_(_c.closed_at, _c.id))
    )
    stmt = (
        sa.select(_c.lead_id, _c.label, sa.func.coalesce(_c.ground, "").label("ground"), _c.closed_at.label("at"))
        .where(_c.closed_at >= since, _c.closed_at < until, _c.label.is_not(None), ~_c.test, ~replaced)
        .order_by(_c.closed_at, _c.id)
    )
    return [LabelRecord(**dict(row.items())) for row in await tx.all(stmt)]


def _values(one: ReviewCase) -> dict[str, Any]:
    return msgspec.structs.asdict(one)


def _case(row: Row | None) -> ReviewCase | None:
    return _known(row) if row is not None else None


def _known(row: Row) -> ReviewCase:
    return msgspec.convert(dict(row.items()), ReviewCase)
