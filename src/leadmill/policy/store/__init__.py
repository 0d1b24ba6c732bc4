"""Every read and write of opt-outs, and the one look-up of a group of leads in them and in the registries of numbers.

Called by the runner for leads on their walk and by whoever records an opt-out.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from leadmill.policy.model import DELETION_LIST, Suppression, SuppressionAsk, SuppressionFound
from leadmill.policy.tables import SUPPRESSION
from leadmill.runtime.db import Row, Tx, prepared

_BYTES = sa.ARRAY(sa.LargeBinary)
_FIND = prepared(
    sa.text(
        "SELECT 's' AS of, hash, at, source AS says FROM suppression WHERE hash = ANY(:hashes)"
        " UNION ALL SELECT 'd', hash, NULL, registry FROM dnc_listed WHERE hash = ANY(:phones)"
        " UNION ALL SELECT 'n', hash, queried_at, result FROM reassigned_number WHERE hash = ANY(:phones)"
        " UNION ALL SELECT registry, NULL, taken_at, CAST(as_of AS text) FROM dnc_registry"
    ).bindparams(sa.bindparam("hashes", type_=_BYTES), sa.bindparam("phones", type_=_BYTES))
)
"""The kinds of rows: suppressed, on a do-not-call registry, asked about among reassigned numbers, and the registries
themselves, which are few."""
_HASHES = sa.bindparam("hashes", type_=sa.ARRAY(sa.LargeBinary))
_ADD = prepared(
    sa.text(
        "INSERT INTO suppression (hash, kind, at, source, opt_out_id) SELECT h, k, t, s, o FROM unnest("
        "CAST(:hashes AS bytea[]), CAST(:kinds AS text[]), CAST(:times AS timestamptz[]), CAST(:sources AS text[]),"
        " CAST(:opt_outs AS text[])) AS u(h, k, t, s, o) ORDER BY h ON CONFLICT DO NOTHING RETURNING hash"
    )
)
_READ = prepared(sa.select(SUPPRESSION).where(SUPPRESSION.c.hash == sa.any_(_HASHES)))
_OF_ONE = prepared(
    sa.select(SUPPRESSION)
    .where(
        SUPPRESSION.c.opt_out_id == sa.bindparam("opt_out", type_=sa.Text),
        SUPPRESSION.c.hash > sa.bindparam("after", type_=sa.LargeBinary),
    )
    .order_by(SUPPRESSION.c.hash)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ALL = prepared(
    sa.select(SUPPRESSION)
    .where(
        SUPPRESSION.c.hash > sa.bindparam("after", type_=sa.LargeBinary),
        SUPPRESSION.c.kind != sa.literal_column("'limit'"),
        SUPPRESSION.c.kind != sa.literal_column("'sale'"),
    )
    .order_by(SUPPRESSION.c.hash)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_SAY_AGAIN = prepared(
    sa.text(
        "UPDATE suppression AS s SET at = u.t FROM unnest(CAST(:hashes AS bytea[]), CAST(:times AS timestamptz[]))"
        " AS u(h, t) WHERE s.hash = u.h AND s.kind = 'sale' AND s.at < u.t"
    )
)
_LIFT = prepared(sa.delete(SUPPRESSION).where(SUPPRESSION.c.opt_out_id == sa.bindparam("opt_out", type_=sa.Text)))


_NOTHING_FOUND = SuppressionFound()


_WHOLE = "drop"
"""The source of what deletion lists suppress: they name somebody by one identifier and mean all of them."""


async def hear_suppressions(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], SuppressionFound]:
    """Which of these people opted out, and what registries say of their numbers: one query for all."""
    wanted = {key for ask in asks for key in (ask.phone, ask.email, *ask.phones, *ask.emails, *ask.sales) if key}
    if not wanted:
        return lambda ask: _NOTHING_FOUND
    phones = {ask.phone for ask in asks if ask.phone}
    since: dict[bytes, datetime] = {}
    whole: dict[bytes, datetime] = {}
    listed: dict[bytes, list[str]] = {}
    passed: dict[bytes, tuple[str, datetime]] = {}
    registries: dict[str, date] = {}
    pulled: datetime | None = None
    for row in await tx.all(_FIND, hashes=sorted(wanted), phones=sorted(phones)):
        kind, key = row["of"], row["hash"]
        if kind == "s":
            since[key] = row["at"]
            if row["says"] == _WHOLE:
                whole[key] = row["at"]
        elif kind == "d":
            listed.setdefault(key, []).append(row["says"])
        elif kind == "n":
            passed[key] = row["says"], row["at"]
        elif kind == DELETION_LIST:
            pulled = row["at"]
        else:
            registries[kind] = date.fromisoformat(row["says"])
    if not since and not listed and not passed and not registries and pulled is None:
        return lambda ask: _NOTHING_FOUND

    def first(*keys: bytes | None) -> datetime | None:
        return min((since[key] for key in keys if key in since), default=None) if since else None

    def answer(ask: SuppressionAsk) -> SuppressionFound:
        result, at = passed.get(ask.phone or b"", (None, None))
        keys = (ask.phone, ask.email, *ask.phones, *ask.emails) if whole else ()
        dropped = min((whole[key] for key in keys if key in whole), default=None)
        return SuppressionFound(
            first(ask.phone, *ask.phones) or dropped,
            first(ask.email, *ask.emails) or dropped,
            tuple(sorted(listed.get(ask.phone or b"", ()))),
            registries if ask.phone else {},
            result,
            at,
            max((since[key] for key in ask.sales if key in since), default=None) if since else None,
            pulled,
        )

    return answer


async def suppress(tx: Tx, entries: Sequence[Suppression]) -> set[bytes]:
    """Record opt-outs; the hashes that were not suppressed before. The first stands: asking again changes nothing.
    Waits for another transaction that is suppressing one of them."""
    by_hash = {entry.hash: entry for entry in reversed(entries)}
    ordered = [by_hash[key] for key in sorted(by_hash)]
    if not ordered:
        return set()
    rows = await tx.all(
        _ADD,
        hashes=[e.hash for e in ordered],
        kinds=[e.kind for e in ordered],
        times=[e.at for e in ordered],
        sources=[e.source for e in ordered],
        opt_outs=[e.opt_out_id for e in ordered],
    )
    return {row["hash"] for row in rows}


async def say_again(tx: Tx, entries: Sequence[Suppression]) -> None:
    """Note that opt-outs of sale were said once more: what a person directs counts only where it came after the last
    time. Entries in the order of their hashes."""
    ordered = sorted((entry for entry in entries if entry.kind == "sale"), key=lambda entry: entry.hash)
    if ordered:
        await tx.run(_SAY_AGAIN, hashes=[e.hash for e in ordered], times=[e.at for e in ordered])


async def find_suppressed(tx: Tx, hashes: Iterable[bytes]) -> dict[bytes, Suppression]:
    """Those of the hashes that are suppressed."""
    wanted = list(hashes)
    return {row["hash"]: _entry(row) for row in await tx.all(_READ, hashes=wanted)} if wanted else {}


async def suppressed_by(tx: Tx, opt_out_id: str, after: bytes = b"", most: int = 1000) -> list[Suppression]:
    """What one opt-out suppresses, in the order of the hashes, the next ``most`` after one."""
    return [_entry(row) for row in await tx.all(_OF_ONE, opt_out=opt_out_id, after=after, most=most)]


async def list_suppressed(tx: Tx, after: bytes = b"", most: int = 1000) -> list[Suppression]:
    """Everything suppressed, in the order of the hashes, the next ``most`` after one; limits and opt-outs of sale
    suppress nothing."""
    return [_entry(row) for row in await tx.all(_ALL, after=after, most=most)]


async def lift_suppressions(tx: Tx, opt_out_id: str) -> int:
    """Undo what an opt-out suppressed that turned out to be none; how many hashes."""
    return await tx.run(_LIFT, opt_out=opt_out_id)


def _entry(row: Row) -> Suppression:
    return Suppression(**dict(row.items()))
