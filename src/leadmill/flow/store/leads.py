"""Every read and write of the lead table, of kept answers and of trials.

Called by the runner, by the verbs of ``flow`` and by the interfaces' lists. Lists use keyset cursors: a page costs
the same at a million leads as at ten.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.core.ids import looks_like, make_id
from leadmill.core.reasons import State
from leadmill.flow.model import LeadFilter, LeadRow, Trial
from leadmill.flow.tables import LEAD, REPEAT, TRIAL
from leadmill.runtime.db import Row, Tx, prepared

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (1 << 74) - 1
"""The first moment that an id can hold, and the last id of a millisecond."""

_IDS = sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Text)))
_LOCK = prepared(sa.select(LEAD).where(LEAD.c.id == _IDS).order_by(LEAD.c.id).with_for_update())
_READ = prepared(sa.select(LEAD).where(LEAD.c.id == _IDS))
_OF_PERSONS = prepared(sa.select(LEAD.c.id).where(LEAD.c.person_id == _IDS).order_by(LEAD.c.id))
_UPDATE = prepared(
    sa.update(LEAD)
    .where(LEAD.c.id == sa.bindparam("lead"))
    .values(
        vertical=sa.bindparam("new_vertical", type_=sa.Text),
        region=sa.bindparam("new_region", type_=sa.Text),
        test=sa.bindparam("new_test", type_=sa.Boolean),
        sealed=sa.bindparam("new_sealed", type_=sa.LargeBinary),
        state=sa.bindparam("new_state", type_=sa.Text),
        reason=sa.bindparam("new_reason", type_=sa.Text),
        score=sa.bindparam("new_score", type_=sa.Integer),
        tier=sa.bindparam("new_tier", type_=sa.Text),
        suspicion=sa.bindparam("new_suspicion", type_=sa.SmallInteger),
        price=sa.bindparam("new_price", type_=sa.BigInteger),
        currency=sa.bindparam("new_currency", type_=sa.Text),
        recipient=sa.bindparam("new_recipient", type_=sa.Text),
        revision=sa.bindparam("new_revision", type_=sa.BigInteger),
    )
)
_CLAIM = prepared(
    sa.text(
        "INSERT INTO repeat_request (scope, key, digest, at)"
        " SELECT s, k, d, :at FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[]), CAST(:digests AS bytea[]))"
        " AS t(s, k, d) ORDER BY s, k ON CONFLICT DO NOTHING RETURNING scope, key"
    ).bindparams(
        sa.bindparam("at", type_=sa.DateTime(timezone=True)),
        sa.bindparam("scopes", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("keys", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("digests", type_=sa.ARRAY(sa.LargeBinary)),
    )
)
_KEPT = prepared(
    sa.select(REPEAT).where(
        sa.tuple_(REPEAT.c.scope, REPEAT.c.key).in_(
            sa.text("SELECT s, k FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[])) AS t(s, k)").bindparams(
                sa.bindparam("scopes", type_=sa.ARRAY(sa.Text)), sa.bindparam("keys", type_=sa.ARRAY(sa.Text))
            )
        )
    )
)
_ANSWER = prepared(
    sa.text(
        "UPDATE repeat_request SET answer = t.a"
        " FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[]), CAST(:answers AS bytea[])) AS t(s, k, a)"
        " WHERE scope = t.s AND key = t.k"
    ).bindparams(
        sa.bindparam("scopes", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("keys", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("answers", type_=sa.ARRAY(sa.LargeBinary)),
    )
)
_SUBJECTS = prepared(
    sa.text(
        "(SELECT id FROM lead WHERE id > :after ORDER BY id LIMIT :most) UNION"
        " (SELECT DISTINCT subject FROM journal_page WHERE subject > :after AND subject < 'lead`'"
        " ORDER BY subject LIMIT :most) ORDER BY id LIMIT :most"
    ).bindparams(sa.bindparam("after", type_=sa.Text), sa.bindparam("most", type_=sa.BigInteger))
)
_FORGET_ANSWERS = prepared(sa.delete(REPEAT).where(REPEAT.c.at < sa.bindparam("before", type_=REPEAT.c.at.type)))


def add_lead(tx: Tx, row: LeadRow) -> None:
    """Write a new lead with the other rows of the transaction."""
    tx.add(
        LEAD,
        row.id,
        row.person_id,
        row.vertical,
        row.source_id,
        row.channel,
        row.state.value,
        row.reason,
        row.score,
        row.region,
        row.received_at,
        row.price,
        row.currency,
        row.recipient,
        row.test,
        row.revision,
        row.import_id,
        row.sealed,
        row.tier,
        row.suspicion,
    )


async def update_leads(tx: Tx, rows: Iterable[LeadRow]) -> None:
    """Write where leads stand now, and their fields as last read: a lead that could not be mapped at first may have
    got some since. Whose it is and where it came from never changes."""
    await tx.many(
        _UPDATE,
        [
            {
                "lead": row.id,
                "new_vertical": row.vertical,
                "new_region": row.region,
                "new_test": row.test,
                "new_sealed": row.sealed,
                "new_state": row.state.value,
                "new_reason": row.reason,
                "new_score": row.score,
                "new_tier": row.tier,
                "new_suspicion": row.suspicion,
                "new_price": row.price,
                "new_currency": row.currency,
                "new_recipient": row.recipient,
                "new_revision": row.revision,
            }
            for row in rows
        ],
    )


async def lock_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, LeadRow]:
    """The leads by id, locked in the order of their ids until the transaction ends."""
    return {row["id"]: _lead(row) for row in await tx.all(_LOCK, ids=list(lead_ids))}


async def read_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, LeadRow]:
    """The leads by id."""
    return {row["id"]: _lead(row) for row in await tx.all(_READ, ids=list(lead_ids))}


async def read_lead(tx: Tx, lead_id: str) -> LeadRow | None:
    """One lead, or None."""
    return (await read_leads(tx, [lead_id])).get(lead_id)


async def list_leads(
    tx: Tx, narrow: LeadFilter, cursor: str | None = None, limit: int = 50
) -> tuple[list[LeadRow], str | None]:
    """A page of leads, newest first, and the cursor of the next page (None at the end).

    Raises BadInput ``flow.cursor.malformed`` for a cursor that this function did not give.
    """
    if cursor is not None and not looks_like(cursor, "lead"):
        raise BadInput("flow.cursor.malformed", "use the next_cursor of the page before, or none")
    found = await tx.all(
        sa.select(LEAD)
        .where(*_conditions(narrow), *([LEAD.c.id < cursor] if cursor else []))
        .order_by(LEAD.c.id.desc())
        .limit(limit + 1)
    )
    rows = [_lead(row) for row in found[:limit]]
    return rows, rows[-1].id if len(found) > limit else None


async def leads_after(tx: Tx, lead_id: str, limit: int = 50, narrow: LeadFilter | None = None) -> list[LeadRow]:
    """The leads that came after ``lead_id``, oldest first: what a live list has missed."""
    found = await tx.all(
        sa.select(LEAD)
        .where(*_conditions(narrow or LeadFilter()), LEAD.c.id > lead_id)
        .order_by(LEAD.c.id)
        .limit(limit)
    )
    return [_lead(row) for row in found]


async def lead_ids_between(tx: Tx, since: datetime | None, until: datetime | None, after: str, limit: int) -> list[str]:
    """Ids of leads received in a span, in order, the next ``limit`` after ``after``: how a replay walks the past."""
    span = LeadFilter(since=since, until=until)
    found = await tx.all(
        sa.select(LEAD.c.id).where(*_conditions(span), LEAD.c.id > after).order_by(LEAD.c.id).limit(limit)
    )
    return [row["id"] for row in found]


async def leads_of_persons(tx: Tx, person_ids: Sequence[str]) -> list[str]:
    """Ids of all leads of these persons, in order."""
    found = await tx.all(_OF_PERSONS, ids=list(person_ids)) if person_ids else []
    return [row["id"] for row in found]


async def sold_by_source(tx: Tx, since: datetime) -> dict[str, int]:
    """How many leads received since then are sold, by source."""
    found = await tx.all(
        sa.select(LEAD.c.source_id, sa.func.count().label("leads"))
        .where(LEAD.c.received_at >= since, LEAD.c.state == State.SOLD.value)
        .group_by(LEAD.c.source_id)
    )
    return {row["source_id"]: row["leads"] for row in found}


async def count_states(tx: Tx, import_id: str) -> dict[tuple[str, str | None], int]:
    """How many leads of an import stand in each state, by reason."""
    found = await tx.all(
        sa.select(LEAD.c.state, LEAD.c.reason, sa.func.count().label("leads"))
        .where(LEAD.c.import_id == import_id)
        .group_by(LEAD.c.state, LEAD.c.reason)
    )
    return {(row["state"], row["reason"]): row["leads"] for row in found}


async def lead_subjects_after(tx: Tx, after: str, limit: int) -> list[str]:
    """Ids of all leads in order, the next ``limit`` after ``after``: those that have a row, and those that only the
    journal knows."""
    rows = await tx.all(_SUBJECTS, after=after or "lead_", most=limit)
    return [row["id"] for row in rows]


class Claim(Struct, frozen=True):
    """A request that must be answered once: ``scope`` is caller and route, ``digest`` the SHA-256 of its body."""

    scope: str
    key: str
    digest: bytes


class Kept(Struct, frozen=True):
    """An earlier request with the same key: its digest and, where it ended, its answer."""

    digest: bytes
    answer: bytes | None


async def claim_requests(tx: Tx, claims: Sequence[Claim], now: datetime) -> dict[tuple[str, str], Kept]:
    """Claim keys for this transaction; returns those that an earlier request holds.

    Waits for a transaction that is claiming the same key, so two at once can never both be first.
    """
    columns: dict[str, Any] = {"scopes": [c.scope for c in claims], "keys": [c.key for c in claims]}
    won = await tx.all(_CLAIM, at=now, digests=[c.digest for c in claims], **columns)
    if len(won) == len(claims):
        return {}
    mine = {(row["scope"], row["key"]) for row in won}
    lost = [c for c in claims if (c.scope, c.key) not in mine]
    kept = await tx.all(_KEPT, scopes=[c.scope for c in lost], keys=[c.key for c in lost])
    return {(row["scope"], row["key"]): Kept(row["digest"], row["answer"]) for row in kept}


async def keep_answers(tx: Tx, answers: Sequence[tuple[Claim, bytes]]) -> None:
    """Keep what was answered to claimed requests."""
    await tx.run(
        _ANSWER,
        scopes=[c.scope for c, _ in answers],
        keys=[c.key for c, _ in answers],
        answers=[answer for _, answer in answers],
    )


async def forget_answers(tx: Tx, before: datetime) -> int:
    """Drop answers kept since before a moment; how many."""
    return await tx.run(_FORGET_ANSWERS, before=before)


def _conditions(narrow: LeadFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for column in ("state", "reason", "vertical", "source_id", "recipient", "person_id", "import_id", "test", "tier"):
        value = getattr(narrow, column)
        if value is not None:
            found.append(LEAD.c[column] == (value.value if isinstance(value, State) else value))
    if narrow.min_score is not None:
        found.append(LEAD.c.score >= narrow.min_score)
    if narrow.max_score is not None:
        found.append(LEAD.c.score <= narrow.max_score)
    # Ids hold the moment to the millisecond, so that a span is a range of the index.
    if narrow.since is not None:
        found += [LEAD.c.received_at >= narrow.since, LEAD.c.id >= make_id("lead", max(narrow.since, _EPOCH), 0)]
    if narrow.until is not None:
        found += [LEAD.c.received_at < narrow.until, LEAD.c.id <= make_id("lead", max(narrow.until, _EPOCH), _LAST)]
    return found


def _lead(row: Row) -> LeadRow:
    values = dict(row)
    values["state"] = State(values["state"])
    return LeadRow(**values)


# Trials of another order book


async def count_between(tx: Tx, since: datetime, until: datetime) -> int:
    """How many leads were received in a span."""
    span = LeadFilter(since=since, until=until)
    row = await tx.one(sa.select(sa.func.count().label("leads")).where(*_conditions(span)).select_from(LEAD))
    return int(row["leads"]) if row else 0


async def are_so_many(tx: Tx, narrow: LeadFilter, least: int) -> bool:
    """Whether there are at least so many leads; no more are counted."""
    some = sa.select(LEAD.c.id).where(*_conditions(narrow)).limit(least).subquery()
    row = await tx.one(sa.select(sa.func.count().label("leads")).select_from(some))
    return row is not None and int(row["leads"]) >= least


async def add_trial(tx: Tx, trial: Trial) -> None:
    """Write a trial that is to be made."""
    await tx.run(sa.insert(TRIAL).values(**msgspec.structs.asdict(trial)))


async def move_trial(tx: Tx, trial: Trial) -> None:
    """Write how a trial stands."""
    now = {"state": trial.state, "done": trial.done, "total": trial.total}
    await tx.run(sa.update(TRIAL).where(TRIAL.c.id == trial.id).values(**now, result=trial.result, fault=trial.fault))


async def find_trial(tx: Tx, trial_id: str) -> Trial | None:
    """A trial by its id."""
    row = await tx.one(sa.select(TRIAL).where(TRIAL.c.id == trial_id))
    return Trial(**dict(row)) if row else None


async def list_trials(tx: Tx, most: int = 20) -> list[Trial]:
    """The latest trials, newest first."""
    rows = await tx.all(sa.select(TRIAL).order_by(TRIAL.c.id.desc()).limit(most))
    return [Trial(**dict(row)) for row in rows]


# Leads that wait for bids


async def stranded(tx: Tx, before: str, most: int = 200) -> list[str]:
    """Leads that wait for bids and were received before the id ``before``, the oldest first."""
    waiting = sa.and_(LEAD.c.state == sa.literal_column("'bidding'"), LEAD.c.id < before)
    rows = await tx.all(sa.select(LEAD.c.id).where(waiting).order_by(LEAD.c.id).limit(most))
    return [row["id"] for row in rows]
