"""Every read and write of the tables of access. A transaction's owner decides what stands together."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from leadmill.access.model import Act, Factors, Passkey, Signed
from leadmill.access.tables import (
    ACCESS_ACT,
    ACCESS_REVIEW,
    CEREMONY,
    OUTSIDE_IDENTITY,
    PASSKEY,
    RECOVERY_CODE,
    SECOND_FACTOR,
)
from leadmill.core.ids import make_id
from leadmill.runtime.db import Row, Tx

_Time = sa.DateTime(timezone=True)
_who: sa.BindParameter[str] = sa.bindparam("who")
_now = sa.bindparam("now", type_=_Time)

# Code apps

_totp = SECOND_FACTOR.c
_put_totp = sa.text(
    "INSERT INTO second_factor (operator_id, wrapped_key, sealed, created_at, confirmed_at, last_step)"
    " VALUES (:who, :wrapped, :sealed, :now, NULL, 0) ON CONFLICT (operator_id) DO UPDATE SET"
    " wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, created_at = excluded.created_at"
    " WHERE second_factor.confirmed_at IS NULL"
).bindparams(sa.bindparam("wrapped", type_=sa.LargeBinary), sa.bindparam("sealed", type_=sa.LargeBinary), _now)
_totp_of = sa.select(SECOND_FACTOR).where(_totp.operator_id == _who)
_use_step = (
    sa.update(SECOND_FACTOR)
    .where(_totp.operator_id == _who, _totp.last_step < sa.bindparam("step"))
    .values(last_step=sa.bindparam("step"), confirmed_at=sa.func.coalesce(_totp.confirmed_at, _now))
)
_drop_totp = sa.delete(SECOND_FACTOR).where(_totp.operator_id == _who)


async def put_totp(tx: Tx, operator_id: str, wrapped: bytes, sealed: bytes, now: datetime) -> bool:
    """Keep a code app's secret until it is confirmed; False where a confirmed one is there."""
    return await tx.run(_put_totp, who=operator_id, wrapped=wrapped, sealed=sealed, now=now) == 1


async def totp_of(tx: Tx, operator_id: str) -> tuple[bytes, bytes, datetime | None, int] | None:
    """An operator's code app: wrapped key, sealed secret, since when it counts, the latest step used."""
    row = await tx.one(_totp_of, who=operator_id)
    return (row["wrapped_key"], row["sealed"], row["confirmed_at"], row["last_step"]) if row else None


async def use_step(tx: Tx, operator_id: str, step: int, now: datetime) -> bool:
    """Use up the code of a time step, which confirms the app; False where it, or a later one, was used before."""
    return await tx.run(_use_step, who=operator_id, step=step, now=now) == 1


async def drop_totp(tx: Tx, operator_id: str) -> bool:
    """Take the code app away; whether there was one."""
    return await tx.run(_drop_totp, who=operator_id) == 1


# Recovery codes

_code = RECOVERY_CODE.c
_drop_codes = sa.delete(RECOVERY_CODE).where(_code.operator_id == _who)
_use_code = (
    sa.update(RECOVERY_CODE)
    .where(_code.operator_id == _who, _code.hash == sa.bindparam("which"), _code.used_at.is_(None))
    .values(used_at=_now)
)


async def replace_codes(tx: Tx, operator_id: str, hashes: Iterable[bytes]) -> None:
    """Keep these recovery codes in the place of those before."""
    await tx.run(_drop_codes, who=operator_id)
    for each in hashes:
        tx.add(RECOVERY_CODE, operator_id, each, None)


async def use_code(tx: Tx, operator_id: str, hashed: bytes, now: datetime) -> bool:
    """Use up a recovery code; False where there is none such or it was used."""
    return await tx.run(_use_code, who=operator_id, which=hashed, now=now) == 1


# Passkeys

_passkey = PASSKEY.c
_new_passkey = insert(PASSKEY).on_conflict_do_nothing(index_elements=["credential"])
_passkeys_of = sa.select(PASSKEY).where(_passkey.operator_id == _who).order_by(_passkey.id)
_passkey_by_credential = sa.select(PASSKEY).where(_passkey.credential == sa.bindparam("which"))
_use_passkey = (
    sa.update(PASSKEY)
    .where(_passkey.id == sa.bindparam("which"))
    .values(sign_count=sa.bindparam("count"), used_at=_now)
)
_drop_passkey = sa.delete(PASSKEY).where(_passkey.operator_id == _who, _passkey.id == sa.bindparam("which"))
_drop_passkeys = sa.delete(PASSKEY).where(_passkey.operator_id == _who)


async def add_passkey(tx: Tx, passkey: Passkey) -> bool:
    """Keep a passkey; False where it is somebody's already."""
    return (
        await tx.run(
            _new_passkey,
            id=passkey.id,
            operator_id=passkey.operator_id,
            credential=passkey.credential,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            name=passkey.name,
            created_at=passkey.created_at,
            used_at=passkey.used_at,
            backed_up=passkey.backed_up,
        )
        == 1
    )


async def passkeys_of(tx: Tx, operator_id: str) -> tuple[Passkey, ...]:
    """An operator's passkeys, the oldest first."""
    return tuple([_passkey_of(row) for row in await tx.all(_passkeys_of, who=operator_id)])


async def find_passkey(tx: Tx, credential: bytes) -> Passkey | None:
    """The passkey that a browser names."""
    row = await tx.one(_passkey_by_credential, which=credential)
    return _passkey_of(row) if row else None


async def use_passkey(tx: Tx, passkey_id: str, count: int, now: datetime) -> None:
    """Note that a passkey was used, and how often it says it was."""
    await tx.run(_use_passkey, which=passkey_id, count=count, now=now)


async def drop_passkey(tx: Tx, operator_id: str, passkey_id: str) -> bool:
    """Take one passkey away; whether it was there."""
    return await tx.run(_drop_passkey, who=operator_id, which=passkey_id) == 1


def _passkey_of(row: Row) -> Passkey:
    return Passkey(**dict(row.items()))


async def factors_of(tx: Tx, operator_id: str) -> Factors:
    """What an operator has beside the password."""
    totp = await totp_of(tx, operator_id)
    left = await tx.one(_codes_left, who=operator_id)
    return Factors(
        totp[2] if totp else None, await passkeys_of(tx, operator_id), int(left["left"]) if left is not None else 0
    )


_codes_left = (
    sa.select(sa.func.count().label("left"))
    .select_from(RECOVERY_CODE)
    .where(_code.operator_id == _who, _code.used_at.is_(None))
)


async def drop_factors(tx: Tx, operator_id: str) -> None:
    """Take every second factor and recovery code of an operator away."""
    for each in (_drop_totp, _drop_passkeys, _drop_codes):
        await tx.run(each, who=operator_id)


# Ceremonies

_ceremony = CEREMONY.c
_put_ceremony = sa.text(
    "INSERT INTO ceremony (hash, payload, expires_at) VALUES (:which, :payload, :now)"
    " ON CONFLICT (hash) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at"
).bindparams(sa.bindparam("which", type_=sa.LargeBinary), sa.bindparam("payload", type_=sa.LargeBinary), _now)
_take_ceremony = (
    sa.delete(CEREMONY)
    .where(_ceremony.hash == sa.bindparam("which"))
    .returning(_ceremony.payload, _ceremony.expires_at)
)
_drop_ceremonies = sa.delete(CEREMONY).where(_ceremony.expires_at <= _now)


async def put_ceremony(tx: Tx, hashed: bytes, payload: bytes, expires_at: datetime) -> None:
    """Keep what a browser has to bring back, in the place of what it had begun before."""
    await tx.run(_put_ceremony, which=hashed, payload=payload, now=expires_at)


async def take_ceremony(tx: Tx, hashed: bytes, now: datetime) -> bytes | None:
    """What was kept for this browser, once; None where there is nothing, or it is too late."""
    row = await tx.one(_take_ceremony, which=hashed)
    return bytes(row["payload"]) if row is not None and row["expires_at"] > now else None


async def drop_ceremonies(tx: Tx, now: datetime) -> int:
    """Forget ceremonies that nobody finished; how many there were."""
    return await tx.run(_drop_ceremonies, now=now)


# Sign-ins elsewhere

_outside = OUTSIDE_IDENTITY.c
_tied = sa.select(_outside.operator_id).where(
    _outside.issuer == sa.bindparam("issuer"), _outside.subject == sa.bindparam("subject")
)
_tie = insert(OUTSIDE_IDENTITY).on_conflict_do_nothing()


async def operator_tied(tx: Tx, issuer: str, subject: str) -> str | None:
    """Whose sign-in elsewhere this is."""
    row = await tx.one(_tied, issuer=issuer, subject=subject)
    return row["operator_id"] if row else None


async def tie_operator(tx: Tx, issuer: str, subject: str, operator_id: str, now: datetime) -> None:
    """Tie a sign-in elsewhere to an operator."""
    await tx.run(_tie, issuer=issuer, subject=subject, operator_id=operator_id, created_at=now)


# What was done

_act = ACCESS_ACT.c
_told = [each for each in _act if each.name != "id"]
_acts = (
    sa.select(*_told)
    .where(_act.at >= sa.bindparam("since", type_=_Time), _act.at < sa.bindparam("until", type_=_Time))
    .order_by(_act.at.desc())
    .limit(sa.bindparam("most"))
)
_acts_of = (
    sa.select(*_told)
    .where(sa.or_(_act.who == _who, _act.about == _who))
    .order_by(_act.at.desc())
    .limit(sa.bindparam("most"))
)
_last_signed_in = (
    sa.select(_act.who, sa.func.max(_act.at).label("at")).where(_act.what == "signed_in").group_by(_act.who)
)


def note_act(tx: Tx, act: Act) -> None:
    """Write down what was done, with the other rows of the transaction. The id tells nothing but the moment, so nobody
    hands one in."""
    ident = make_id("act", act.at, secrets.randbits(74))
    tx.add(ACCESS_ACT, ident, act.at, act.who, act.what, act.about, act.address)


async def acts_between(tx: Tx, since: datetime, until: datetime, most: int) -> list[Act]:
    """What was done in a span, the latest first."""
    return [Act(**dict(row.items())) for row in await tx.all(_acts, since=since, until=until, most=most)]


async def acts_of(tx: Tx, who: str, most: int) -> list[Act]:
    """What somebody did, and what was done about them, the latest first."""
    return [Act(**dict(row.items())) for row in await tx.all(_acts_of, who=who, most=most)]


async def last_signed_in(tx: Tx) -> dict[str, datetime]:
    """When each operator last signed in."""
    return {row["who"]: row["at"] for row in await tx.all(_last_signed_in)}


async def enrolled(tx: Tx) -> tuple[frozenset[str], dict[str, int], frozenset[str]]:
    """Who has a code app, how many passkeys everybody has, and whom another house signs in."""
    totp = await tx.all(sa.select(_totp.operator_id).where(_totp.confirmed_at.is_not(None)))
    keys = await tx.all(sa.select(_passkey.operator_id, sa.func.count().label("n")).group_by(_passkey.operator_id))
    outside = await tx.all(sa.select(_outside.operator_id).distinct())
    return (
        frozenset(row["operator_id"] for row in totp),
        {row["operator_id"]: int(row["n"]) for row in keys},
        frozenset(row["operator_id"] for row in outside),
    )


# Reviews

_review = ACCESS_REVIEW.c
_reviews = sa.select(*(each for each in _review if each.name != "document")).order_by(_review.id.desc())


async def add_review(tx: Tx, signed: Signed, document: bytes) -> None:
    """Keep a signed review."""
    tx.add(
        ACCESS_REVIEW,
        signed.id,
        signed.at,
        signed.by,
        signed.note,
        signed.digest,
        signed.operators,
        signed.keys,
        signed.remarks,
        document,
    )


async def list_reviews(tx: Tx, most: int) -> Sequence[Signed]:
    """The signed reviews, the latest first."""
    return [Signed(**dict(row.items())) for row in await tx.all(_reviews.limit(most))]
