"""Every read and write of registries of numbers, but the look-up of leads in them, which is asked with their opt-outs.

Called by :mod:`leadmill.policy.registries`.
"""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa

from leadmill.policy.model import DELETION_LIST, Registry
from leadmill.policy.tables import DNC_LISTED, DNC_REGISTRY
from leadmill.runtime.db import Tx, prepared

_TIME = sa.DateTime(timezone=True)
_HASHES = sa.bindparam("hashes", type_=sa.ARRAY(sa.LargeBinary))
_REGISTRY = sa.bindparam("registry", type_=sa.Text)
_AS_OF = sa.bindparam("as_of", type_=sa.Date)
_LIST = prepared(
    sa.text(
        "INSERT INTO dnc_listed (hash, registry, as_of) SELECT h, :registry, :as_of FROM unnest(:hashes) AS u(h)"
        " ORDER BY h ON CONFLICT (hash, registry) DO UPDATE SET as_of = EXCLUDED.as_of"
    ).bindparams(_HASHES, _REGISTRY, _AS_OF)
)
_DROP = prepared(sa.delete(DNC_LISTED).where(DNC_LISTED.c.registry == _REGISTRY, DNC_LISTED.c.as_of < _AS_OF))
_PUT = prepared(
    sa.text(
        "INSERT INTO dnc_registry (registry, as_of, entries, taken_at) SELECT :registry, :as_of, count(*), :now"
        " FROM dnc_listed WHERE registry = :registry ON CONFLICT (registry) DO UPDATE SET as_of = EXCLUDED.as_of,"
        " entries = EXCLUDED.entries, taken_at = EXCLUDED.taken_at"
    ).bindparams(_REGISTRY, _AS_OF, sa.bindparam("now", type_=_TIME))
)
_REGISTRIES = prepared(
    sa.select(DNC_REGISTRY).where(DNC_REGISTRY.c.registry != DELETION_LIST).order_by(DNC_REGISTRY.c.registry)
)
_PULLED = prepared(
    sa.text(
        "INSERT INTO dnc_registry (registry, as_of, entries, taken_at) VALUES (:registry, :as_of, 0, :at)"
        " ON CONFLICT (registry) DO UPDATE SET as_of = EXCLUDED.as_of, taken_at = EXCLUDED.taken_at"
        " WHERE dnc_registry.taken_at < EXCLUDED.taken_at"
    ).bindparams(_REGISTRY, _AS_OF, sa.bindparam("at", type_=_TIME))
)
_RESULTS = prepared(
    sa.text(
        "INSERT INTO reassigned_number (hash, result, queried_at) SELECT h, r, :at"
        " FROM unnest(:hashes, :results) AS u(h, r) ORDER BY h ON CONFLICT (hash) DO UPDATE"
        " SET result = EXCLUDED.result, queried_at = EXCLUDED.queried_at"
        " WHERE reassigned_number.queried_at <= EXCLUDED.queried_at"
    ).bindparams(_HASHES, sa.bindparam("results", type_=sa.ARRAY(sa.Text)), sa.bindparam("at", type_=_TIME))
)


async def list_numbers(tx: Tx, registry: str, as_of: date, hashes: Sequence[bytes]) -> None:
    """Put numbers on a registry's version."""
    await tx.run(_LIST, registry=registry, as_of=as_of, hashes=list(hashes))


async def drop_numbers(tx: Tx, registry: str, as_of: date) -> int:
    """Take off a registry what was last on a version before this one; how many."""
    return await tx.run(_DROP, registry=registry, as_of=as_of)


async def put_registry(tx: Tx, registry: str, as_of: date, now: datetime) -> None:
    """Note that a registry's version is here, whole."""
    await tx.run(_PUT, registry=registry, as_of=as_of, now=now)


async def list_registries(tx: Tx) -> list[Registry]:
    """The registries that are here."""
    return [Registry(**dict(row.items())) for row in await tx.all(_REGISTRIES)]


async def note_pull(tx: Tx, at: datetime) -> None:
    """Note when the state's deletion list was fetched that is worked now; the latest stands."""
    await tx.run(_PULLED, registry=DELETION_LIST, as_of=at.date(), at=at)


async def put_results(tx: Tx, results: Sequence[tuple[bytes, str]], queried_at: datetime) -> None:
    """Keep what was said of numbers, unless something later was."""
    await tx.run(_RESULTS, hashes=[key for key, _ in results], results=[said for _, said in results], at=queried_at)
