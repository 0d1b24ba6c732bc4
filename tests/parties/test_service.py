"""Keys, operators, sessions and throttling on the real store."""

import asyncio
import hashlib
import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.parties import (
    IDLE,
    KEY_PURPOSE,
    LONGEST,
    Operator,
    Right,
    Role,
    Throttled,
    add_operator,
    change_operator,
    change_password,
    csrf_matches,
    declare_key,
    identify,
    identify_key,
    issue_key,
    keys_version,
    list_keys,
    list_operators,
    load_keys,
    resume_session,
    revoke_key,
    set_password,
    sign_in,
    sign_out,
    sweep_sessions,
)
from leadmill.runtime.db import Database

PASSWORD = "correct horse battery"
_numbers = itertools.count()


def digest(purpose: str, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, key=purpose.encode()).digest()


def rand(size: int) -> bytes:
    return random.Random(next(_numbers)).randbytes(size)


async def operator(
    db: Database, mint: Mint, clock: Any, email: str = "ana@example.com", role: Role = Role.ADMIN
) -> Operator:
    async with db.begin() as tx:
        return await add_operator(tx, mint, email=email, name="Ana", role=role, password=PASSWORD, now=clock())


async def enter(
    db: Database, clock: Any, password: str = PASSWORD, email: str = "ana@example.com", address: str = "192.0.2.1"
) -> Any:
    return await sign_in(db, digest, rand, email=email, password=password, address=address, now=clock())


async def resume(db: Database, token: str, clock: Any) -> Any:
    async with db.begin() as tx:
        return await resume_session(tx, digest, token, clock())


# Keys


async def test_an_issued_key_identifies_its_owner_until_it_is_revoked(db: Database, mint: Mint, clock: Any) -> None:
    async with db.begin() as tx:
        key, record = await issue_key(
            tx, digest, mint, rand, kind="operator", owner="bi", role=Role.ANALYST, label="BI", now=clock()
        )
    async with db.begin() as tx:
        caller = await identify_key(tx, digest, key, clock())
        assert (caller.kind, caller.owner, caller.role, caller.key_id) == ("operator", "bi", Role.ANALYST, record.id)
        assert caller.may(Right.READ) and not caller.may(Right.SEE_PERSONAL)
        assert await list_keys(tx) == [record]
        await revoke_key(tx, record.id, clock())
        with pytest.raises(Unauthenticated, match=r"parties\.key\.unknown"):
            await identify_key(tx, digest, key, clock())
        with pytest.raises(NotFound):
            await revoke_key(tx, record.id, clock())


async def test_the_store_never_holds_a_key_or_a_token(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    token = (await enter(db, clock)).token
    async with db.begin() as tx:
        key, _ = await issue_key(tx, digest, mint, rand, kind="source", owner="acme", now=clock())
    async with db.begin() as tx:
        held = {
            table: str([tuple(row) for row in await tx.conn.fetch(f"SELECT * FROM {table}")])
            for table in ("api_key", "session", "operator", "sign_in_try")
        }
    assert all(secret not in rows for rows in held.values() for secret in (key, token, PASSWORD))
    # A session names the address it was begun from, for its owner to know it by; nothing else does.
    assert [table for table, rows in held.items() if "192.0.2.1" in rows] == ["session"]


async def test_an_expired_key_is_told_so(db: Database, mint: Mint, clock: Any) -> None:
    async with db.begin() as tx:
        key, _ = await issue_key(
            tx, digest, mint, rand, kind="source", owner="acme", now=clock(), expires_at=clock() + timedelta(days=1)
        )
        clock.advance(days=1)
        with pytest.raises(Unauthenticated, match=r"parties\.key\.expired"):
            await identify_key(tx, digest, key, clock())


async def test_a_key_is_made_for_a_fitting_purpose_only(db: Database, mint: Mint, clock: Any) -> None:
    wrong: list[dict[str, Any]] = [
        {"kind": "operator", "owner": "bi"},
        {"kind": "source", "owner": "acme", "role": Role.ADMIN},
        {"kind": "source", "owner": "acme", "expires_at": clock()},
    ]
    for given in wrong:
        async with db.begin() as tx:
            with pytest.raises(BadInput, match=r"parties\.key\.malformed"):
                await issue_key(tx, digest, mint, rand, now=clock(), **given)


async def test_the_key_ring_in_memory_knows_when_it_is_stale(db: Database, mint: Mint, clock: Any) -> None:
    first, second = digest(KEY_PURPOSE, "first-key"), digest(KEY_PURPOSE, "second-key")
    async with db.begin() as tx:
        assert (await load_keys(tx)).callers == {}
        await declare_key(tx, first, mint, kind="source", owner="acme", now=clock())
        one = await load_keys(tx)
        assert identify(one, first, clock()).owner == "acme"
        await declare_key(tx, first, mint, kind="source", owner="acme", now=clock())
        assert await keys_version(tx) == one.version
        await declare_key(tx, second, mint, kind="source", owner="acme", now=clock())
        two = await load_keys(tx)
        assert two.version == await keys_version(tx) > one.version
        assert set(two.callers) == {second}


async def test_a_declared_key_may_come_back_and_leaves_console_keys_alone(db: Database, mint: Mint, clock: Any) -> None:
    first, second = digest(KEY_PURPOSE, "first-key"), digest(KEY_PURPOSE, "second-key")
    async with db.begin() as tx:
        key, _ = await issue_key(tx, digest, mint, rand, kind="source", owner="acme", now=clock())
        for hashed in (first, second, first, None, first):
            await declare_key(tx, hashed, mint, kind="source", owner="acme", now=clock())
        assert set((await load_keys(tx)).callers) == {first, digest(KEY_PURPOSE, key)}


async def test_two_owners_never_share_a_key(db: Database, mint: Mint, clock: Any) -> None:
    hashed = digest(KEY_PURPOSE, "first-key")
    async with db.begin() as tx:
        await declare_key(tx, hashed, mint, kind="source", owner="acme", now=clock())
        with pytest.raises(Conflict, match="buyer helio has the key of source acme"):
            await declare_key(tx, hashed, mint, kind="buyer", owner="helio", now=clock())


# Operators and sessions


async def test_an_operator_signs_in_works_and_signs_out(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock, email=" Ana@Example.com ")
    assert ana.email == "ana@example.com"
    signed = await enter(db, clock, email="ANA@example.com")
    session = await resume(db, signed.token, clock)
    assert session == signed.session and session.operator == ana
    assert (
        csrf_matches(session, signed.session.csrf)
        and not csrf_matches(session, "guess")
        and not csrf_matches(session, "ü")
    )
    async with db.begin() as tx:
        await sign_out(tx, digest, signed.token)
        await sign_out(tx, digest, signed.token)
    with pytest.raises(Unauthenticated, match=r"parties\.session\.over"):
        await resume(db, signed.token, clock)


async def test_a_refusal_does_not_say_whether_the_account_exists(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    await operator(db, mint, clock, email="ben@example.com")
    said = set()
    async with db.begin() as tx:
        await change_operator(tx, ana.id, disabled=True)
    for email, password in (
        ("ben@example.com", "\udc80"),
        ("ben@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("nobody\x00\udc80@example.com", PASSWORD),
        ("ana@example.com", PASSWORD),
        ("ben@example.com", "x" * 10_000),
    ):
        with pytest.raises(Unauthenticated) as caught:
            await enter(db, clock, password, email)
        said.add(str(caught.value))
    assert len(said) == 1


async def test_a_session_ends_when_idle_and_in_any_case_after_its_longest(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    idle, busy = (await enter(db, clock)).token, (await enter(db, clock)).token
    begun = clock()
    while clock.advance(IDLE - timedelta(minutes=1)) < begun + LONGEST:
        await resume(db, busy, clock)
        if clock() > begun + IDLE:
            with pytest.raises(Unauthenticated):
                await resume(db, idle, clock)
    with pytest.raises(Unauthenticated):
        await resume(db, busy, clock)
    async with db.begin() as tx:
        assert await sweep_sessions(tx, clock()) >= 2
        assert await tx.conn.fetchval("SELECT count(*) FROM session") == 0


async def test_looking_in_does_not_write_each_time(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    token = (await enter(db, clock)).token
    first = clock()
    clock.advance(seconds=30)
    await resume(db, token, clock)
    clock.advance(seconds=30)
    assert (await resume(db, token, clock)).seen_at == first
    assert (await resume(db, token, clock)).seen_at == clock()


async def test_a_new_password_ends_every_session(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    mine, other = (await enter(db, clock)).token, (await enter(db, clock)).token
    async with db.begin() as tx:
        with pytest.raises(Forbidden, match=r"parties\.password\.wrong"):
            await change_password(tx, ana.id, "wrong", "another good one here")
        with pytest.raises(BadInput, match=r"parties\.password\.weak"):
            await change_password(tx, ana.id, PASSWORD, "short")
        await change_password(tx, ana.id, PASSWORD, "another good one here")
    for token in (mine, other):
        with pytest.raises(Unauthenticated):
            await resume(db, token, clock)
    mine = (await enter(db, clock, "another good one here")).token
    async with db.begin() as tx:
        await set_password(tx, ana.id, "set by an administrator")
    with pytest.raises(Unauthenticated):
        await resume(db, mine, clock)


async def test_there_is_always_an_admin_left_even_if_two_leave_at_once(db: Database, mint: Mint, clock: Any) -> None:
    both = [await operator(db, mint, clock, email=f"{name}@example.com") for name in ("ana", "ben")]

    async def leave(who: Operator) -> bool:
        try:
            async with db.begin() as tx:
                await change_operator(tx, who.id, role=Role.ANALYST)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*map(leave, both))) == [False, True]
    async with db.begin() as tx:
        assert sorted(one.role.value for one in await list_operators(tx)) == ["admin", "analyst"]


async def test_a_locked_out_operator_is_out_at_once(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    ben = await operator(db, mint, clock, email="ben@example.com", role=Role.OPERATOR)
    token = (await enter(db, clock, email="ben@example.com")).token
    async with db.begin() as tx:
        changed = await change_operator(tx, ben.id, disabled=True)
    assert changed.disabled and not changed.may(Right.READ)
    with pytest.raises(Unauthenticated):
        await resume(db, token, clock)


async def test_one_address_is_one_operator(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    with pytest.raises(Conflict, match=r"parties\.operator\.exists"):
        await operator(db, mint, clock, email="ANA@example.com")
    with pytest.raises(BadInput, match=r"parties\.email\.malformed"):
        await operator(db, mint, clock, email="ana")
    with pytest.raises(BadInput, match=r"parties\.email\.malformed"):
        await operator(db, mint, clock, email="a\x00na@example.com")


# Throttling


async def refused(attempt: Callable[[], Any]) -> str:
    try:
        await attempt()
    except (Unauthenticated, Throttled) as fault:
        return type(fault).__name__
    return "in"


async def test_many_guesses_at_once_get_no_more_than_the_limit(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    answers = await asyncio.gather(*(refused(lambda: enter(db, clock, "wrong")) for _ in range(25)))
    assert (answers.count("Unauthenticated"), answers.count("Throttled")) == (10, 15)
    with pytest.raises(Throttled) as caught:
        await enter(db, clock)
    assert caught.value.after == 15 * 60
    clock.advance(minutes=15)
    await enter(db, clock)


async def test_an_address_that_tries_many_accounts_is_stopped(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    answers = [await refused(lambda n=n: enter(db, clock, "x", f"u{n}@example.com")) for n in range(51)]  # type: ignore[misc]
    assert (answers.count("Unauthenticated"), answers[-1]) == (50, "Throttled")
    assert await refused(lambda: enter(db, clock, address="198.51.100.7")) == "in"


async def test_signing_in_forgives_earlier_mistakes(db: Database, mint: Mint, clock: Any) -> None:
    await operator(db, mint, clock)
    for _ in range(3):
        assert [await refused(lambda: enter(db, clock, "wrong")) for _ in range(9)] == ["Unauthenticated"] * 9
        await enter(db, clock)
