"""The verbs on keys, operators and sessions.

Called by the API, the console and ``flow.configure``. Verbs that take a transaction stand or fall with it;
:func:`sign_in` takes the database, because a counted try must stand whatever comes of it. The clock, ids and
randomness are arguments. A refused sign-in never says whether the account exists."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta

import argon2

from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.parties import store
from leadmill.parties.model import (
    KEY_PURPOSE,
    ApiKey,
    Caller,
    CallerKind,
    KeyedHash,
    KeyRing,
    Operator,
    Role,
    Session,
    SignedIn,
    Throttled,
)
from leadmill.parties.rules import check_password, identify, read_address
from leadmill.runtime.db import Database, Tx

Random = Callable[[int], bytes]
"""Gives that many unguessable bytes: ``secrets.token_bytes``."""

IDLE = timedelta(hours=2)
"""A session unused for so long is over."""
LONGEST = timedelta(hours=12)
"""A session is over after so long, however busy."""
WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50
_SEEN_EVERY = timedelta(minutes=1)

# The second recommendation of the OWASP password storage cheat sheet: 19 MiB, two passes, one lane.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash("the password of nobody")


# API keys


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
) -> tuple[str, ApiKey]:
    """Make a key and return it, for the only time, with its record. A key of kind ``operator`` needs a role, others
    have none.

    Raises :class:`BadInput` ``parties.key.malformed``.
    """
    if (role is None) is (kind == "operator"):
        raise BadInput("parties.key.malformed", "an operator key has a role, a source's or buyer's key has none")
    if expires_at is not None and expires_at <= now:
        raise BadInput("parties.key.malformed", "it would already have expired")
    key = f"lmk_{_token(random)}"
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
    )
    await store.add_key(tx, digest(KEY_PURPOSE, key), record)
    return key, record


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


# Operators


async def add_operator(
    tx: Tx, mint: Mint, *, email: str, name: str, role: Role, password: str, now: datetime
) -> Operator:
    """Add somebody who may sign in. Raises :class:`BadInput` ``parties.email.malformed``, ``parties.name.malformed``
    or ``parties.password.weak``, :class:`Conflict` ``parties.operator.exists``."""
    operator = Operator(id=mint("op", now), email=read_address(email), name=name.strip(), role=role, created_at=now)
    if not operator.name.isprintable() or len(operator.name) > 200:
        raise BadInput("parties.name.malformed", "write a name of at most 200 plain characters")
    check_password(password, operator.email, operator.name)
    if not await store.add_operator_row(tx, operator, await _hash(password)):
        raise Conflict("parties.operator.exists", "somebody with this e-mail address is there already")
    return operator


async def set_password(tx: Tx, operator_id: str, password: str, keep: bytes = b"") -> None:
    """Give an operator a new password and end the operator's sessions, save the one whose hash is ``keep``.

    Raises :class:`NotFound` ``parties.operator.unknown`` and :class:`BadInput` ``parties.password.weak``.
    """
    operator = await _known(tx, operator_id)
    check_password(password, operator.email, operator.name)
    await store.set_password_hash(tx, operator_id, await _hash(password))
    await store.end_sessions(tx, operator_id, keep)


async def change_password(tx: Tx, digest: KeyedHash, token: str, old: str, new: str) -> None:
    """An operator's own change of password; the other sessions end. Raises :class:`Forbidden`
    ``parties.password.wrong`` where the old one is not right, otherwise as :func:`set_password`."""
    hashed = digest("session", token)
    session = await store.find_session(tx, hashed)
    if session is None:
        raise Unauthenticated("parties.session.over", "sign in again")
    found = await store.find_sign_in(tx, session.operator.email)
    if found is None or not await _verify(found[1], old):
        raise Forbidden("parties.password.wrong", "the present password is not right")
    await set_password(tx, session.operator.id, new, keep=hashed)


async def change_operator(
    tx: Tx, operator_id: str, *, role: Role | None = None, disabled: bool | None = None
) -> Operator:
    """Change what an operator may do, or lock the operator out, which ends the sessions.

    Raises :class:`NotFound` ``parties.operator.unknown`` and :class:`Conflict` ``parties.operator.last_admin``:
    somebody must be able to manage users."""
    admins = await store.lock_admins(tx)
    operator = await _known(tx, operator_id)
    role = operator.role if role is None else role
    disabled = operator.disabled if disabled is None else disabled
    if admins == [operator_id] and (disabled or role is not Role.ADMIN):
        raise Conflict("parties.operator.last_admin", "make somebody else an admin first")
    await store.set_standing(tx, operator_id, role, disabled)
    if disabled:
        await store.end_sessions(tx, operator_id)
    return await _known(tx, operator_id)


async def _known(tx: Tx, operator_id: str) -> Operator:
    operator = await store.find_operator(tx, operator_id)
    if operator is None:
        raise NotFound("parties.operator.unknown", "no operator of this id")
    return operator


# Sessions


async def sign_in(
    db: Database, digest: KeyedHash, random: Random, *, email: str, password: str, address: str, now: datetime
) -> SignedIn:
    """Check a password and begin a session. ``address`` is where the request came from.

    Raises :class:`Unauthenticated` ``parties.sign_in.refused`` whatever was wrong, and :class:`Throttled`
    ``parties.sign_in.throttled`` after ten tries of an account or fifty of an address within fifteen minutes. Each
    try is counted before the password is looked at, so that many at once get no more than so many guesses."""
    email = email.strip().casefold()
    if not email.isprintable() or len(email) > 300:
        email = ""  # nobody is called so, and no store could look it up
    account, origin = digest("sign_in_account", email), digest("sign_in_address", address)
    async with db.begin() as tx:
        counted = await store.count_tries(tx, (account, origin), now, WINDOW)
    for subject, most in ((account, TRIES_PER_ACCOUNT), (origin, TRIES_PER_ADDRESS)):
        tries, since = counted[subject]
        if tries > most:
            after = max((since + WINDOW - now).total_seconds(), 1.0)
            minutes = -(-int(after) // 60)
            raise Throttled("parties.sign_in.throttled", f"too many tries; try again in {minutes} minutes", after)
    async with db.begin() as tx:
        found = await store.find_sign_in(tx, email)
    right = await _verify(found[1] if found else _nobody, password)  # as long for an account that is not there
    if found is None or not right or found[0].disabled:
        raise Unauthenticated("parties.sign_in.refused", "the e-mail address or the password is not right")
    operator, hashed = found
    token = _token(random)
    session = Session(operator=operator, csrf=_token(random), created_at=now, seen_at=now, expires_at=now + LONGEST)
    fresh = await _hash(password) if _hasher.check_needs_rehash(hashed) else None
    async with db.begin() as tx:
        await store.add_session(tx, digest("session", token), session)
        await store.clear_tries(tx, account)
        await store.return_try(tx, origin)
        if fresh is not None:
            await store.set_password_hash(tx, operator.id, fresh)
    return SignedIn(token, session)


async def resume_session(tx: Tx, digest: KeyedHash, token: str, now: datetime) -> Session:
    """The session of this token. Raises :class:`Unauthenticated` ``parties.session.over`` for an unknown, idle,
    expired or disabled one."""
    hashed = digest("session", token)
    session = await store.find_session(tx, hashed)
    if session is None or session.operator.disabled or session.expires_at <= now or session.seen_at + IDLE <= now:
        raise Unauthenticated("parties.session.over", "sign in again")
    if now - session.seen_at >= _SEEN_EVERY:
        await store.see_session(tx, hashed, now)
    return session


async def sign_out(tx: Tx, digest: KeyedHash, token: str) -> None:
    """End the session; nothing happens where there is none."""
    await store.end_session(tx, digest("session", token))


async def sweep_sessions(tx: Tx, now: datetime) -> int:
    """Forget what is over: sessions and counted tries. A background loop calls it now and then; how many rows went."""
    return await store.drop_sessions(tx, now, now - IDLE) + await store.drop_tries(tx, now - WINDOW)


def csrf_matches(session: Session, given: str) -> bool:
    """Whether a form brought its session's secret back."""
    return hmac.compare_digest(session.csrf.encode(), given.encode(errors="replace"))


def _token(random: Random) -> str:
    return urlsafe_b64encode(random(32)).rstrip(b"=").decode()


async def _hash(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password.encode(errors="surrogatepass"))


async def _verify(hashed: str, password: str) -> bool:
    if len(password) > 1000:
        return False
    try:
        return await asyncio.to_thread(_hasher.verify, hashed, password.encode(errors="surrogatepass"))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
