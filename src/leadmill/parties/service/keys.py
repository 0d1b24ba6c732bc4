"""The verbs on API keys: made, declared, rotated, revoked."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.ids import Mint
from leadmill.parties import store
from leadmill.parties.entering import identify, read_scopes
from leadmill.parties.model import KEY_PURPOSE, ApiKey, Caller, CallerKind, KeyedHash, KeyRing, Role
from leadmill.parties.service.secrets import Random, token
from leadmill.runtime.db import Tx

LONGEST_OVERLAP = timedelta(days=90)
"""How long a key may stay good beside the one that takes its place."""
MOST_PER_MINUTE = 1_000_000


async def issue_key(
    tx: Tx,
    digest: KeyedHash,
    mint: Mint,
    random: Random,
    *,
    kind: CallerKind,
    owner: str,
    now: datetime,
    role: Role | None = None,
    label: str = "",
    expires_at: datetime | None = None,
    scopes: Iterable[str] | None = None,
    masked: bool = False,
    per_minute: int = 0,
) -> tuple[str, ApiKey]:
    """Make a key and return it, for the only time, with its record. A key of kind ``operator`` needs a role, others
    have none; ``scopes`` None is all that its kind may, ``per_minute`` 0 any number of calls.

    Raises :class:`BadInput` ``parties.key.malformed``.
    """
    if (role is None) is (kind == "operator"):
        raise BadInput("parties.key.malformed", "an operator key has a role, a source's or buyer's key has none")
    if expires_at is not None and expires_at <= now:
        raise BadInput("parties.key.malformed", "it would already have expired")
    if not 0 <= per_minute <= MOST_PER_MINUTE:
        raise BadInput("parties.key.malformed", f"allow 0 to {MOST_PER_MINUTE:,} calls a minute; 0 for any number")
    key = f"lmk_{token(random)}"
    record = ApiKey(
        id=mint("key", now),
        kind=kind,
        owner=owner,
        role=role,
        label=label,
        declared=False,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        scopes=None if scopes is None else read_scopes(scopes),
        masked=masked,
        per_minute=per_minute,
    )
    await store.add_key(tx, digest(KEY_PURPOSE, key), record)
    return key, record


async def rotate_key(
    tx: Tx, digest: KeyedHash, mint: Mint, random: Random, *, key_id: str, overlap: timedelta, now: datetime
) -> tuple[str, ApiKey]:
    """Make a key that may do what this one may, and let this one end after ``overlap``, so that programs can change
    over while both are good. The new key lives as long as the old one was meant to.

    Raises :class:`NotFound` ``parties.key.unknown``, and :class:`Conflict` ``parties.key.declared`` for a key that
    stands in a configuration file, ``parties.key.replaced`` for one whose successor is there already."""
    old = await store.find_key_by_id(tx, key_id)
    if old is None or old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise NotFound("parties.key.unknown", "no key of this id is in force")
    if old.declared:
        raise Conflict("parties.key.declared", "this key is declared in a file; declare another one there and apply it")
    if old.successor is not None:
        raise Conflict("parties.key.replaced", f"{old.successor} takes its place already; rotate that one")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise BadInput("parties.key.malformed", f"let both keys be good for at most {LONGEST_OVERLAP.days} days")
    made = await issue_key(
        tx,
        digest,
        mint,
        random,
        kind=old.kind,
        owner=old.owner,
        now=now,
        role=old.role,
        label=old.label,
        expires_at=None if old.expires_at is None else now + (old.expires_at - old.created_at),
        scopes=old.scopes,
        masked=old.masked,
        per_minute=old.per_minute,
    )
    until = now + overlap
    await store.succeed_key(tx, key_id, made[1].id, until if old.expires_at is None else min(until, old.expires_at))
    return made


async def declare_key(
    tx: Tx,
    hashed: bytes | None,
    mint: Mint,
    *,
    kind: CallerKind,
    owner: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Make the key with this keyed hash the owner's declared one and revoke the one before it; None only revokes.

    Raises :class:`Conflict` ``parties.key.shared`` where somebody else has the same key: a key must tell who calls.
    """
    await store.revoke_declared(tx, kind, owner, hashed or b"", now)
    if hashed is None:
        return
    known = await store.find_key(tx, hashed)
    if known is None:
        record = ApiKey(
            id=mint("key", now),
            kind=kind,
            owner=owner,
            role=None,
            label="declared",
            declared=True,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
        await store.add_key(tx, hashed, record)
    elif (known.kind, known.owner) != (kind, owner):
        raise Conflict(
            "parties.key.shared", f"{kind} {owner} has the key of {known.kind} {known.owner}; give it its own"
        )
    elif not known.declared or known.revoked_at is not None or known.expires_at != expires_at:
        await store.renew_key(tx, hashed, expires_at)


async def revoke_key(tx: Tx, key_id: str, now: datetime) -> None:
    """Revoke a key at once. Raises :class:`NotFound` ``parties.key.unknown`` where none of this id is in force."""
    if not await store.revoke_key(tx, key_id, now):
        raise NotFound("parties.key.unknown", "no key of this id is in force")


async def identify_key(tx: Tx, digest: KeyedHash, key: str, now: datetime) -> Caller:
    """Who holds this key, by one look-up; busy entrances hold a :class:`KeyRing` and call :func:`rules.identify`
    instead.

    Raises :class:`Unauthenticated` ``parties.key.unknown`` or ``parties.key.expired``.
    """
    hashed = digest(KEY_PURPOSE, key)
    caller = await store.find_caller(tx, hashed)
    return identify(KeyRing(0, {hashed: caller} if caller else {}), hashed, now)
