"""Signing in, sessions, and what slows down guessing.

:func:`check_sign_in` takes the database, because a counted try must stand whatever comes of it. A refused sign-in
never says whether the account exists."""

import hmac
from datetime import datetime, timedelta

from leadmill.core.faults import Unauthenticated
from leadmill.parties import store
from leadmill.parties.entering import IDLE, LONGEST, session_ends
from leadmill.parties.model import KeyedHash, Operator, Session, SignedIn, Stage, Throttled
from leadmill.parties.service.secrets import NOBODY, Random, hash_password, outdated, token, verify_password
from leadmill.runtime.db import Database, Tx

WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50
_SEEN_EVERY = timedelta(minutes=1)
_LONGEST_AGENT = 200


async def count_tries(db: Database, subjects: dict[bytes, int], now: datetime) -> None:
    """Count a try of each subject, whatever comes of it. Raises :class:`Throttled` ``parties.sign_in.throttled``
    where one had more than so many within fifteen minutes."""
    async with db.begin() as tx:
        counted = await store.count_tries(tx, subjects, now, WINDOW)
    for subject, most in subjects.items():
        tries, since = counted[subject]
        if tries > most:
            after = max((since + WINDOW - now).total_seconds(), 1.0)
            minutes = -(-int(after) // 60)
            raise Throttled("parties.sign_in.throttled", f"too many tries; try again in {minutes} minutes", after)


async def check_sign_in(
    db: Database, digest: KeyedHash, *, email: str, password: str, address: str, now: datetime
) -> Operator:
    """Whose password this is. ``address`` is where the request came from.

    Raises :class:`Unauthenticated` ``parties.sign_in.refused`` whatever was wrong, and :class:`Throttled`
    ``parties.sign_in.throttled`` after ten tries of an account or fifty of an address within fifteen minutes. Each
    try is counted before the password is looked at, so that many at once get no more than so many guesses."""
    email = email.strip().casefold()
    if not email.isprintable() or len(email) > 300:
        email = ""  # nobody is called so, and no store could look it up
    account, origin = digest("sign_in_account", email), digest("sign_in_address", address)
    await count_tries(db, {account: TRIES_PER_ACCOUNT, origin: TRIES_PER_ADDRESS}, now)
    async with db.begin() as tx:
        found = await store.find_sign_in(tx, email)
    right = await verify_password(found[1] if found else NOBODY, password)  # as long for an account that is not there
    if found is None or not right or found[0].disabled:
        raise Unauthenticated("parties.sign_in.refused", "the e-mail address or the password is not right")
    operator, hashed = found
    fresh = await hash_password(password) if outdated(hashed) else None
    async with db.begin() as tx:
        await store.clear_tries(tx, account)
        await store.return_try(tx, origin)
        if fresh is not None:
            await store.set_password_hash(tx, operator.id, fresh)
    return operator


async def begin_session(
    tx: Tx,
    digest: KeyedHash,
    random: Random,
    operator: Operator,
    now: datetime,
    *,
    method: str = "password",
    stage: Stage = "open",
    address: str = "",
    agent: str = "",
) -> SignedIn:
    """A new session with a token and a secret of its own; ``agent`` is the browser's word about itself."""
    given = token(random)
    session = Session(
        operator=operator,
        csrf=token(random),
        created_at=now,
        seen_at=now,
        expires_at=now + LONGEST,
        id=f"ses_{token(random)[:16]}",
        stage=stage,
        method=method,
        address=address[:64],
        agent="".join(filter(str.isprintable, agent))[:_LONGEST_AGENT],
        proved_at=now if stage == "open" else None,
    )
    await store.add_session(tx, digest("session", given), session)
    return SignedIn(given, session)


async def sign_in(
    db: Database, digest: KeyedHash, random: Random, *, email: str, password: str, address: str, now: datetime
) -> SignedIn:
    """Check a password and begin a session, no second factor asked. Raises as :func:`check_sign_in`."""
    operator = await check_sign_in(db, digest, email=email, password=password, address=address, now=now)
    async with db.begin() as tx:
        return await begin_session(tx, digest, random, operator, now, address=address)


async def resume_session(
    tx: Tx, digest: KeyedHash, given: str, now: datetime, stages: tuple[Stage, ...] = ("open",)
) -> Session:
    """The session of this token. Raises :class:`Unauthenticated` ``parties.session.over`` for an unknown, idle,
    expired or disabled one, and ``parties.session.halfway`` for one that has not come as far as ``stages``."""
    hashed = digest("session", given)
    session = await store.find_session(tx, hashed)
    if session is None or session.operator.disabled or session_ends(session) <= now:
        raise Unauthenticated("parties.session.over", "sign in again")
    if session.stage not in stages:
        raise Unauthenticated("parties.session.halfway", "finish signing in first")
    if now - session.seen_at >= _SEEN_EVERY:
        await store.see_session(tx, hashed, now)
    return session


async def replace_session(
    tx: Tx, digest: KeyedHash, random: Random, given: str, session: Session, now: datetime, method: str
) -> SignedIn:
    """An open session in the place of this one, with another token: who knew the old one knows nothing."""
    await store.end_session(tx, digest("session", given))
    return await begin_session(
        tx, digest, random, session.operator, now, method=method, address=session.address, agent=session.agent
    )


async def prove_session(tx: Tx, digest: KeyedHash, given: str, now: datetime) -> None:
    """Note that the person of this session has just shown who they are."""
    await store.prove_session(tx, digest("session", given), now)


async def sign_out(tx: Tx, digest: KeyedHash, given: str) -> None:
    """End the session; nothing happens where there is none."""
    await store.end_session(tx, digest("session", given))


async def sign_out_others(tx: Tx, digest: KeyedHash, given: str, operator_id: str) -> int:
    """End every session of an operator but this one; how many there were."""
    return await store.end_sessions(tx, operator_id, digest("session", given))


async def sweep_sessions(tx: Tx, now: datetime) -> int:
    """Forget what is over: sessions and counted tries. A background loop calls it now and then; how many rows went."""
    return await store.drop_sessions(tx, now, now - IDLE) + await store.drop_tries(tx, now - WINDOW)


def csrf_matches(session: Session, given: str) -> bool:
    """Whether a form brought its session's secret back."""
    return hmac.compare_digest(session.csrf.encode(), given.encode(errors="replace"))
