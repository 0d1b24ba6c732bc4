"""Second factors, ceremonies, reviews and reports on the real store."""

import hashlib
import itertools
import random
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadmill.access import Claims, Factors, Party, Passkey, Policy, Provider, acts_of, factors_of, list_reviews, review
from leadmill.access.service import (
    begin_totp,
    breach_report,
    come_in,
    confirm_totp,
    find_outsider,
    make_codes,
    make_passkey,
    offer_passkey,
    pass_on,
    pending_totp,
    read_standing,
    remove_totp,
    reset_factors,
    show_code,
    show_passkey,
    sign_review,
    take_passkey,
)
from leadmill.core.faults import BadInput, Conflict, Forbidden, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.parties import Operator, Role, Throttled, add_operator, note_reads, resume_session
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault
from tests.access.authenticator import Authenticator
from tests.access.codes import code_of

VAULT = Vault(b"m" * 32)
PARTY = Party("leads.example", "https://leads.example")
NONE, ADMINS = Policy(), Policy(frozenset({Role.ADMIN}))
_numbers = itertools.count()


def digest(purpose: str, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, key=purpose.encode()[:64]).digest()


def rand(size: int) -> bytes:
    return random.Random(next(_numbers)).randbytes(size)


async def operator(db: Database, mint: Mint, clock: Any, role: Role = Role.ADMIN, name: str = "ana") -> Operator:
    async with db.begin() as tx:
        return await add_operator(
            tx, mint, email=f"{name}@example.com", name=name, role=role, password="correct horse battery", now=clock()
        )


async def enrolled(db: Database, ana: Operator, clock: Any) -> str:
    """A code app, confirmed; its secret."""
    async with db.begin() as tx:
        await begin_totp(tx, VAULT, rand, ana, clock())
        waiting = await pending_totp(tx, VAULT, ana)
        assert waiting is not None
        assert not await confirm_totp(tx, VAULT, ana, "000000", clock(), "")
        assert await confirm_totp(tx, VAULT, ana, code_of(waiting.secret, clock()), clock(), "")
        assert await pending_totp(tx, VAULT, ana) is None
    return waiting.secret


async def test_a_code_counts_once_and_guessing_is_slowed_down(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    secret = await enrolled(db, ana, clock)
    with pytest.raises(Forbidden, match=r"access\.code\.wrong"):  # the one that confirmed it
        await show_code(db, VAULT, digest, ana, code_of(secret, clock()), clock(), "192.0.2.1")
    clock.advance(seconds=30)
    assert await show_code(db, VAULT, digest, ana, code_of(secret, clock()), clock(), "192.0.2.1") == "code"
    with pytest.raises(Forbidden, match=r"access\.code\.wrong"):
        await show_code(db, VAULT, digest, ana, code_of(secret, clock()), clock(), "192.0.2.1")
    for _ in range(4):
        with pytest.raises(Forbidden):
            await show_code(db, VAULT, digest, ana, "000000", clock(), "192.0.2.1")
    clock.advance(seconds=30)
    with pytest.raises(Throttled):
        await show_code(db, VAULT, digest, ana, code_of(secret, clock()), clock(), "192.0.2.1")
    clock.advance(minutes=15)
    assert await show_code(db, VAULT, digest, ana, code_of(secret, clock()), clock(), "192.0.2.1") == "code"
    async with db.begin() as tx:
        assert "sign_in_refused" in {each.what for each in await acts_of(tx, ana.id, 50)}


async def test_a_confirmed_app_is_not_replaced_and_the_last_one_stays(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    await enrolled(db, ana, clock)
    async with db.begin() as tx:
        with pytest.raises(Conflict, match=r"access\.totp\.exists"):
            await begin_totp(tx, VAULT, rand, ana, clock())
    async with db.begin() as tx:
        with pytest.raises(Conflict, match=r"access\.factor\.last"):
            await remove_totp(tx, ADMINS, ana, clock(), "")
    async with db.begin() as tx:
        await remove_totp(tx, NONE, ana, clock(), "")
        assert await factors_of(tx, ana.id) == Factors()


async def test_recovery_codes_count_once_each_and_new_ones_end_the_old(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    async with db.begin() as tx:
        old = await make_codes(tx, digest, rand, ana, clock(), "")
    assert len(set(old)) == 10
    assert await show_code(db, VAULT, digest, ana, f" {old[0].upper()} ", clock(), "") == "recovery code"
    with pytest.raises(Forbidden):
        await show_code(db, VAULT, digest, ana, old[0], clock(), "")
    async with db.begin() as tx:
        assert (await factors_of(tx, ana.id)).codes_left == 9
        fresh = await make_codes(tx, digest, rand, ana, clock(), "")
    with pytest.raises(Forbidden):
        await show_code(db, VAULT, digest, ana, old[1], clock(), "")
    assert await show_code(db, VAULT, digest, ana, fresh[0], clock(), "") == "recovery code"
    bob = await operator(db, mint, clock, name="bob")
    with pytest.raises(Forbidden):  # a code is its owner's alone
        await show_code(db, VAULT, digest, bob, fresh[1], clock(), "")


async def test_halfway_nothing_opens_and_the_token_changes(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    async with db.begin() as tx:
        half = await come_in(
            tx, digest, rand, ADMINS, ana, clock(), method="password", strong=False, address="192.0.2.1", agent="x"
        )
    assert half.session.stage == "enrol"
    async with db.begin() as tx:
        with pytest.raises(Unauthenticated, match=r"parties\.session\.halfway"):
            await resume_session(tx, digest, half.token, clock())
    async with db.begin() as tx:
        whole = await pass_on(tx, digest, rand, half.token, half.session, clock(), "code")
        assert (await resume_session(tx, digest, whole.token, clock())).method == "password and code"
        with pytest.raises(Unauthenticated, match=r"parties\.session\.over"):
            await resume_session(tx, digest, half.token, clock(), ("open", "enrol"))
        late = await come_in(
            tx, digest, rand, ADMINS, ana, clock(), method="password", strong=False, address="", agent=""
        )
    clock.advance(minutes=10)
    async with db.begin() as tx:
        with pytest.raises(Unauthenticated, match=r"parties\.session\.over"):
            await resume_session(tx, digest, late.token, clock(), ("open", "enrol"))


async def test_a_passkey_is_made_and_shown_in_one_go_each(db: Database, mint: Mint, clock: Any) -> None:
    ana, device = await operator(db, mint, clock), Authenticator()
    async with db.begin() as tx:
        asked = msgspec.json.decode(await offer_passkey(tx, digest, rand, PARTY, ana, "browser", clock()))
    body = device.make(challenge(asked), PARTY.rp_id, PARTY.origin)
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        await make(db, mint, clock, ana, "another browser", body)
    assert (await make(db, mint, clock, ana, "browser", body)).name == "Laptop"
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):  # a challenge is good once
        await make(db, mint, clock, ana, "browser", body)
    bob = await operator(db, mint, clock, name="bob")
    for who, right in ((ana, True), (None, True), (bob, False)):
        asked = msgspec.json.decode(await show_passkey(db, digest, rand, PARTY, who, "browser", "", clock()))
        body = device.show(challenge(asked), PARTY.rp_id, PARTY.origin)
        if right:
            assert (await take_passkey(db, digest, PARTY, who, "browser", body, "", clock())).id == ana.id
        with pytest.raises(Forbidden, match=r"access\.passkey\.wrong"):  # a challenge is good once
            await take_passkey(db, digest, PARTY, who, "browser", body, "", clock())
    await show_passkey(db, digest, rand, PARTY, ana, "browser", "", clock())
    clock.advance(minutes=6)
    with pytest.raises(Forbidden):
        await take_passkey(db, digest, PARTY, ana, "browser", body, "", clock())
    async with db.begin() as tx:
        await reset_factors(tx, ana.id, bob.id, clock())
        assert not (await factors_of(tx, ana.id)).any


async def make(db: Database, mint: Mint, clock: Any, who: Operator, browser: str, body: bytes) -> Passkey:
    async with db.begin() as tx:
        return await make_passkey(tx, digest, mint, PARTY, who, browser, body, "Laptop", clock(), "192.0.2.1")


def challenge(asked: dict[str, Any]) -> bytes:
    return urlsafe_b64decode(asked["challenge"] + "==")


async def test_another_house_makes_no_administrator_and_moves_roles(db: Database, mint: Mint, clock: Any) -> None:
    house = Provider(
        issuer="https://id.example",
        client_id="leadmill",
        domains=("example.com",),
        roles=(("sales", Role.OPERATOR), ("*", Role.ANALYST)),
    )
    boss = await operator(db, mint, clock)
    lena = Claims(issuer=house.issuer, subject="7", email="lena@example.com", verified=True, groups=("sales",))
    async with db.begin() as tx:
        made = await find_outsider(tx, mint, lena, house, clock())
        assert (made.email, made.role) == ("lena@example.com", Role.OPERATOR)
        moved = await find_outsider(tx, mint, msgspec.structs.replace(lena, groups=()), house, clock())
        assert (moved.id, moved.role) == (made.id, Role.ANALYST)
        # The address may change: the subject is who it is.
        renamed = await find_outsider(tx, mint, msgspec.structs.replace(lena, email="l@example.com"), house, clock())
        assert renamed.id == made.id
    sly = Claims(issuer=house.issuer, subject="8", email=boss.email, verified=True)
    async with db.begin() as tx:
        with pytest.raises(Forbidden, match=r"access\.outside\.refused"):
            await find_outsider(tx, mint, sly, house, clock())


async def test_a_review_is_signed_and_reads_are_told(db: Database, mint: Mint, clock: Any) -> None:
    ana = await operator(db, mint, clock)
    async with db.begin() as tx:
        note_reads(tx, ana.id, ["lead_1", "lead_2"], "list", clock())
        note_reads(tx, ana.id, ["lead_1"], "page why", clock() + timedelta(hours=1))
        note_reads(tx, "key_1", ["lead_1"], "api lead", clock() + timedelta(days=2))
    since, until = clock() - timedelta(hours=1), clock() + timedelta(days=1)
    async with db.begin() as tx:
        found = review(await read_standing(tx), ADMINS, clock())
        signed = await sign_review(tx, mint, found, ana.id, "All as it should be.", clock())
        report = await breach_report(tx, since, until)
        of_one = await breach_report(tx, since, until, lead_ids=["lead_2"])
        by_one = await breach_report(tx, since, until + timedelta(days=9), reader="key_1")
        short = await breach_report(tx, since, until, most=1)
    async with db.begin() as tx:
        assert await list_reviews(tx, 5) == [signed]
        late = await breach_report(tx, since, until)
    assert [(each.reader, each.what, each.reads, each.leads) for each in report.readers] == [
        (ana.id, "list", 2, 2),
        (ana.id, "page why", 1, 1),
    ]
    assert (report.leads, len(report.reads), report.whole, short.whole) == (2, 3, True, False)
    assert report.names[ana.id] == "ana"
    assert [each.lead_id for each in of_one.reads] == ["lead_2"]
    assert [each.what for each in by_one.reads] == ["api lead"]
    assert [each.what for each in late.acts] == ["review_signed"]
