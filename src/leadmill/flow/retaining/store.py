"""What is known of leads for their retention, and taking out what hangs on them.

Reads leads beside their sales, deliveries and journals. Lists go by id, so that a run goes on where it stopped.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from leadmill.privacy import Schedule, Seen
from leadmill.runtime.db import Row, Tx, prepared

_TIME = sa.DateTime(timezone=True)
_TEXTS = sa.ARRAY(sa.Text)

_FIT = (
    " AND (CAST(:states AS text[]) = '{}' OR l.state = ANY(CAST(:states AS text[])))"
    " AND (CAST(:verticals AS text[]) = '{}' OR l.vertical = ANY(CAST(:verticals AS text[])))"
    " AND (CAST(:sources AS text[]) = '{}' OR l.source_id = ANY(CAST(:sources AS text[])))"
    " AND (CAST(:regions AS text[]) = '{}' OR l.region = ANY(CAST(:regions AS text[])))"
)
_FIT_BINDS = tuple(sa.bindparam(name, type_=_TEXTS) for name in ("states", "verticals", "sources", "regions"))
_PAGE_BINDS = (
    sa.bindparam("after", type_=sa.Text),
    sa.bindparam("before", type_=_TIME),
    sa.bindparam("most", type_=sa.Integer),
)
_LEADS = (
    "SELECT l.id, l.person_id FROM lead AS l JOIN person AS p ON p.id = l.person_id WHERE l.id > :after"
    " AND l.received_at <= :before AND p.forgotten_at IS NULL"
)
_BODIES = (
    "SELECT s.id, s.lead_id FROM submission AS s JOIN lead AS l ON l.id = s.lead_id WHERE s.id > :after"
    " AND s.received_at <= :before AND length(s.sealed) > 0"
)
_OLD_LEADS = prepared(sa.text(_LEADS + _FIT + " ORDER BY l.id LIMIT :most").bindparams(*_PAGE_BINDS, *_FIT_BINDS))
_OLD_BODIES = prepared(sa.text(_BODIES + _FIT + " ORDER BY s.id LIMIT :most").bindparams(*_PAGE_BINDS, *_FIT_BINDS))
_TOGETHER = prepared(
    sa.text(
        "WITH head AS (SELECT DISTINCT coalesce(prospect, id) AS id FROM person WHERE id = ANY(CAST(:ids AS text[])))"
        " SELECT p.id, coalesce(p.prospect, p.id) AS head FROM person AS p JOIN head AS h ON p.id = h.id OR"
        " p.prospect = h.id ORDER BY p.id"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS))
)
_SEEN = (
    "SELECT l.id, l.person_id, l.vertical, l.state, l.source_id, l.region, l.received_at,"
    " (SELECT j.at FROM journal_page AS j WHERE j.subject = l.id ORDER BY j.seq DESC LIMIT 1) AS closed_at,"
    " greatest((SELECT max(s.at) FROM sale AS s WHERE s.lead_id = l.id AND s.state <> 'cancelled'),"
    " (SELECT max(d.done_at) FROM delivery AS d WHERE d.lead_id = l.id AND d.state = 'accepted')) AS used_at,"
    " l.state = 'bidding' OR EXISTS (SELECT FROM delivery AS d WHERE d.lead_id = l.id AND d.state IN"
    " ('queued', 'retrying')) AS busy FROM lead AS l WHERE "
)
_SEEN_OF = prepared(
    sa.text(_SEEN + "l.person_id = ANY(CAST(:ids AS text[])) ORDER BY l.id").bindparams(
        sa.bindparam("ids", type_=_TEXTS)
    )
)
_SEEN_LEADS = prepared(
    sa.text(_SEEN + "l.id = ANY(CAST(:ids AS text[])) ORDER BY l.id").bindparams(sa.bindparam("ids", type_=_TEXTS))
)
_EMPTY = prepared(
    sa.text(
        "UPDATE submission SET sealed = '', idempotency_key = NULL WHERE id = ANY(CAST(:ids AS text[]))"
        " AND length(sealed) > 0"
    ).bindparams(sa.bindparam("ids", type_=_TEXTS))
)
_FREE = (
    " AND lead_id NOT IN (SELECT l.id FROM retention_hold AS h JOIN lead AS l ON h.subject IN (l.id, l.person_id)"
    " WHERE h.lifted_at IS NULL)"
)
_ANSWERED = (
    "privacy_request WHERE coalesce(appeal_decided_at, decided_at) <= :before AND wrapped_key IS NOT NULL"
    " AND state IN ('answered', 'denied', 'lapsed')"
)
_OLD = {
    "reads": "lead_read WHERE at <= :before" + _FREE,
    "faults": "import_fault WHERE at <= :before",
    "requests": _ANSWERED,
}
_COUNT_OLD = {
    what: prepared(
        sa.text("SELECT count(*) AS n FROM " + where).bindparams(sa.bindparam("before", type_=_TIME))  # noqa: S608 constants only
    )
    for what, where in _OLD.items()
}
_DROP_OLD = {
    what: prepared(
        sa.text(
            f"DELETE FROM {where.partition(' ')[0]} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {where} LIMIT :most))"  # noqa: S608 constants only
        ).bindparams(sa.bindparam("before", type_=_TIME), sa.bindparam("most", type_=sa.Integer))
    )
    for what, where in _OLD.items()
}
# Of a request the record stays; what it says of somebody goes with its key.
_DROP_OLD["requests"] = prepared(
    sa.text(
        "UPDATE privacy_request SET wrapped_key = NULL, sealed = NULL, answer = NULL WHERE id = ANY(ARRAY("  # noqa: S608 constants only
        f"SELECT id FROM {_ANSWERED} LIMIT :most))"
    ).bindparams(sa.bindparam("before", type_=_TIME), sa.bindparam("most", type_=sa.Integer))
)
_END_PROOFS = prepared(
    sa.text(
        "UPDATE privacy_retained SET wrapped_key = NULL, sealed = NULL WHERE until <= :now AND wrapped_key IS NOT NULL"
    ).bindparams(sa.bindparam("now", type_=_TIME))
)


async def old_leads(tx: Tx, one: Schedule, after: str, before: datetime, most: int) -> list[tuple[str, str]]:
    """Leads that fall under a schedule and came up to ``before``, with their persons, who are not forgotten: the next
    ``most`` after an id."""
    rows = await tx.all(_OLD_LEADS, after=after, before=before, most=most, **_narrowed(one))
    return [(row["id"], row["person_id"]) for row in rows]


async def old_bodies(tx: Tx, one: Schedule, after: str, before: datetime, most: int) -> list[tuple[str, str]]:
    """Submissions that are not emptied yet and fall under a schedule, with their leads."""
    rows = await tx.all(_OLD_BODIES, after=after, before=before, most=most, **_narrowed(one))
    return [(row["id"], row["lead_id"]) for row in rows]


def _narrowed(one: Schedule) -> dict[str, list[str]]:
    return {name: list(getattr(one, name)) for name in ("states", "verticals", "sources", "regions")}


async def held_together(tx: Tx, person_ids: Sequence[str]) -> dict[str, list[str]]:
    """These persons and all who are held to be one with them, by the lowest id of each human being."""
    found: dict[str, list[str]] = {}
    for row in await tx.all(_TOGETHER, ids=list(person_ids)):
        found.setdefault(row["head"], []).append(row["id"])
    return found


async def seen_of(tx: Tx, person_ids: Sequence[str]) -> list[Seen]:
    """What is known of all leads of these persons; holds are not in it."""
    return [_seen(row) for row in await tx.all(_SEEN_OF, ids=list(person_ids))]


async def seen_leads(tx: Tx, lead_ids: Sequence[str]) -> dict[str, Seen]:
    """What is known of these leads, by id."""
    return {row["id"]: _seen(row) for row in await tx.all(_SEEN_LEADS, ids=list(lead_ids))}


def _seen(row: Row) -> Seen:
    return Seen(
        id=row["id"],
        person_id=row["person_id"],
        vertical=row["vertical"],
        state=row["state"],
        source=row["source_id"],
        region=row["region"] or "",
        received_at=row["received_at"],
        closed_at=row["closed_at"] or row["received_at"],
        used_at=row["used_at"],
        busy=row["busy"],
    )


async def empty_bodies(tx: Tx, submission_ids: Sequence[str]) -> int:
    """Take out what these submissions hold; how many held anything."""
    return await tx.run(_EMPTY, ids=list(submission_ids)) if submission_ids else 0


async def end_proofs(tx: Tx, now: datetime) -> int:
    """Let go of proof that was kept of people who were deleted, where its term is over; how many."""
    return await tx.run(_END_PROOFS, now=now)


async def count_old(tx: Tx, what: str, before: datetime) -> int:
    """How many reads, faults or answered requests are as old as that."""
    row = await tx.one(_COUNT_OLD[what], before=before)
    return int(row["n"]) if row is not None else 0


async def drop_old(tx: Tx, what: str, before: datetime, most: int) -> int:
    """Delete up to ``most`` reads or faults of that age, or empty so many requests; how many it were."""
    return await tx.run(_DROP_OLD[what], before=before, most=most)
