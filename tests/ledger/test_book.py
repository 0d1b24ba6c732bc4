"""The double-entry book on a real store: whatever is done to it, it balances and no limited account breaks its
floor."""

import asyncio
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.money import Money
from leadmill.ledger import (
    HoldState,
    MoneyHold,
    Posting,
    balances,
    check,
    commit_hold,
    draw,
    expire_holds,
    guard,
    guards,
    hold,
    keep_posting,
    lock_guards,
    post,
    postings_of,
    release_hold,
    statement,
    turnover,
    unguard,
)
from leadmill.ledger.rules import changes_of, entries
from leadmill.runtime.db import Database

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def posting(name, debit, credit, amount, currency="USD", at=NOW):
    return Posting(f"post_{name}", at, debit, credit, Money(amount, currency), "test", name, name)


def held(name, account, amount, expires=LATER):
    return MoneyHold(f"hold_{name}", account, Money(amount), expires)


async def test_a_posting_moves_money_from_one_account_to_another(db):
    async with db.begin() as tx:
        await post(
            tx, [posting("a", "asset:cash", "buyer:helio", 5000), posting("b", "buyer:helio", "revenue:sales", 65)]
        )
    async with db.begin() as tx:
        assert await balances(tx) == {
            "asset:cash": [Money(-5000)],
            "buyer:helio": [Money(4935)],
            "revenue:sales": [Money(65)],
        }
        assert await check(tx) == []


async def test_a_statement_carries_its_balance_from_the_beginning(db):
    async with db.begin() as tx:
        await post(tx, [posting("a", "cash", "helio", 5000), posting("b", "helio", "sales", 65, at=LATER)])
    async with db.begin() as tx:
        lines = await statement(tx, "helio")
        assert [(line.change.amount, line.balance.amount) for line in lines] == [(5000, 5000), (-65, 4935)]
        late = await statement(tx, "helio", since=LATER)
        assert [(line.change.amount, line.balance.amount) for line in late] == [(-65, 4935)]


async def test_accounts_of_several_currencies_are_summed_apart(db):
    async with db.begin() as tx:
        await post(tx, [posting("a", "cash", "helio", 5000), posting("b", "cash", "helio", 700, "EUR")])
    async with db.begin() as tx:
        assert (await balances(tx))["helio"] == [Money(700, "EUR"), Money(5000)]


@pytest.mark.parametrize(("debit", "credit", "amount"), [("a", "b", 0), ("a", "b", -5), ("a", "a", 5)])
async def test_a_posting_that_moves_nothing_is_refused(db, debit, credit, amount):
    async with db.begin() as tx:
        with pytest.raises(BadInput, match=r"ledger\.posting\.empty"):
            await post(tx, [posting("a", debit, credit, amount)])


async def test_a_limited_account_never_falls_below_its_floor(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", 0)
        await post(tx, [posting("a", "cash", "helio", 100)])
        with pytest.raises(BadInput, match=r"ledger\.account\.short.*\$1\.00"):
            await post(tx, [posting("b", "helio", "sales", 101)])
        await post(tx, [posting("c", "helio", "sales", 100)])
    async with db.begin() as tx:
        assert (await guards(tx))["helio"].balance == 0
        assert await check(tx) == []


async def test_a_forced_posting_may_break_a_floor_and_the_check_says_so(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", 0)
        await post(tx, [posting("a", "helio", "cash", 10)], force=True)
    async with db.begin() as tx:
        assert [item.code for item in await check(tx)] == ["ledger.floor.broken"]


async def test_an_account_limited_late_starts_from_its_postings(db):
    async with db.begin() as tx:
        await post(tx, [posting("a", "cash", "helio", 100)])
    async with db.begin() as tx:
        found = await guard(tx, "helio", "USD", -50)
        assert (found.balance, found.available) == (100, 150)


async def test_a_raised_floor_only_stops_further_draws(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -500)
        await post(tx, [posting("a", "helio", "sales", 300)])
        found = await guard(tx, "helio", "USD", -100)
        assert found.available == -200
        with pytest.raises(BadInput):
            await post(tx, [posting("b", "helio", "sales", 1)])
        await post(tx, [posting("c", "cash", "helio", 10)])
    async with db.begin() as tx:
        assert await check(tx) == []


async def test_a_limited_account_is_kept_in_one_currency(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -500)
        with pytest.raises(BadInput, match=r"ledger\.account\.currency"):
            await guard(tx, "helio", "EUR", -500)
        with pytest.raises(BadInput, match=r"ledger\.account\.currency"):
            await post(tx, [posting("a", "helio", "sales", 1, "EUR")])


async def test_a_limit_is_lifted_but_not_while_money_is_held(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -500)
        await hold(tx, held("a", "helio", 100))
        with pytest.raises(BadInput, match=r"ledger\.account\.held"):
            await unguard(tx, "helio")
        assert await release_hold(tx, "hold_a")
        await unguard(tx, "helio")
        assert await guards(tx) == {}


async def test_held_money_cannot_be_spent_twice(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)
        await hold(tx, held("a", "helio", 60))
        with pytest.raises(BadInput, match=r"ledger\.account\.short"):
            await hold(tx, held("b", "helio", 41))
        with pytest.raises(BadInput, match=r"ledger\.account\.short"):
            await post(tx, [posting("x", "helio", "sales", 41)])
        assert await commit_hold(tx, "hold_a", posting("y", "helio", "sales", 55))
        assert not await commit_hold(tx, "hold_a", posting("z", "helio", "sales", 55))
        assert not await release_hold(tx, "hold_a")
    async with db.begin() as tx:
        assert (await guards(tx))["helio"].available == 45
        assert await check(tx) == []


async def test_a_hold_is_committed_only_by_what_it_was_for(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)
        await hold(tx, held("a", "helio", 60))
        for wrong in (
            posting("x", "helio", "sales", 61),
            posting("x", "volt", "sales", 5),
            posting("x", "helio", "sales", 5, "EUR"),
        ):
            with pytest.raises(BadInput, match=r"ledger\.hold\.mismatch"):
                await commit_hold(tx, "hold_a", wrong)
        with pytest.raises(NotFound, match=r"ledger\.hold\.unknown"):
            await release_hold(tx, "hold_b")
        with pytest.raises(BadInput, match=r"ledger\.posting\.empty"):
            await hold(tx, held("c", "helio", 0))


async def test_holds_run_out(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)
        await hold(tx, held("a", "helio", 60))
        await hold(tx, held("b", "helio", 10, LATER + timedelta(seconds=1)))
        assert await expire_holds(tx, LATER) == 1
        assert await expire_holds(tx, LATER) == 0
        assert (await guards(tx))["helio"].held == 10
        assert not await commit_hold(tx, "hold_a", posting("x", "helio", "sales", 5))


async def test_a_draw_moves_a_whole_group_at_once(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)
        locked = await lock_guards(tx, ["volt", "helio"])
        assert list(locked) == ["helio"]
        await draw(tx, {"helio": -30, "volt": -5})
        keep_posting(tx, posting("x", "helio", "sales", 30))
    async with db.begin() as tx:
        assert (await guards(tx))["helio"].balance == -30
        assert [item.amount.amount for item in await postings_of(tx, "x")] == [30]
        assert await turnover(tx, "sales") == {("helio", "USD"): 30}
        assert await check(tx) == []


async def test_a_balance_that_its_postings_do_not_explain_is_found(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)
        await lock_guards(tx, ["helio"])
        await draw(tx, {"helio": -30})
    async with db.begin() as tx:
        assert [item.code for item in await check(tx)] == ["ledger.balance.mismatch"]


async def test_draws_at_once_never_overdraw(db):
    async with db.begin() as tx:
        await guard(tx, "helio", "USD", -100)

    async def take(number: int) -> bool:
        try:
            async with db.begin() as tx:
                await post(tx, [posting(f"n{number}", "helio", "sales", 7)])
        except BadInput:
            return False
        return True

    taken = await asyncio.gather(*(take(number) for number in range(40)))
    assert sum(taken) == 14
    async with db.begin() as tx:
        assert (await guards(tx))["helio"].balance == -98
        assert await check(tx) == []


ACCOUNTS = st.sampled_from(["helio", "volt", "cash", "sales"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), ACCOUNTS, ACCOUNTS, st.integers(1, 400)),
        st.tuples(st.just("guard"), ACCOUNTS, st.integers(-500, 100)),
        st.tuples(st.just("hold"), ACCOUNTS, st.integers(1, 300), st.integers(0, 3)),
        st.tuples(st.just("commit"), st.integers(0, 8), st.integers(1, 300)),
        st.tuples(st.just("release"), st.integers(0, 8)),
        st.tuples(st.just("expire"), st.integers(0, 3)),
        st.tuples(st.just("unguard"), ACCOUNTS),
    ),
    max_size=25,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_whatever_is_done_the_book_balances_and_no_floor_breaks(database_url, steps):
    asyncio.run(_do(database_url, steps))


async def _do(url: str, steps: list) -> None:
    db = Database(url, size=1)
    await db.open()
    holds: list[MoneyHold] = []
    try:
        async with db.begin() as tx:
            for number, step in enumerate(steps):
                before = await guards(tx)
                try:
                    await _act(tx, number, step, holds)
                except BadInput:
                    continue  # refused, and nothing of it may stand
                for item in (await guards(tx)).values():
                    was = before.get(item.account)
                    if was is None or was.floor != item.floor or item.available >= 0:
                        continue
                    assert item.available >= was.available, (step, item)
            await tx.flush()
            totals = await balances(tx)
            assert sum(money.amount for each in totals.values() for money in each) == 0
            assert await check(tx) == []
            raise _Undo
    except _Undo:
        pass
    finally:
        await db.close()


class _Undo(Exception):
    pass


async def _act(tx, number, step, holds) -> None:
    match step:
        case ("post", debit, credit, amount):
            before = await guards(tx)
            await post(tx, [posting(f"p{number}", debit, credit, amount)])
            if debit in before:
                assert before[debit].available >= amount
        case ("guard", account, floor):
            await tx.flush()
            await guard(tx, account, "USD", floor)
        case ("hold", account, amount, hours):
            item = MoneyHold(f"hold_{number}", account, Money(amount), NOW + timedelta(hours=hours))
            if account in await guards(tx):
                await hold(tx, item)
                holds.append(item)
        case ("commit", place, amount):
            if place < len(holds):
                await commit_hold(tx, holds[place].id, posting(f"c{number}", holds[place].account, "sales", amount))
        case ("release", place):
            if place < len(holds):
                await release_hold(tx, holds[place].id)
        case ("expire", hours):
            await expire_holds(tx, NOW + timedelta(hours=hours))
        case ("unguard", account):
            await unguard(tx, account)


@given(
    st.lists(st.tuples(ACCOUNTS, ACCOUNTS, st.integers(1, 10**12), st.sampled_from(["USD", "EUR"])), max_size=30),
)
def test_changes_add_up_to_nothing_in_every_currency(rows):
    postings = [posting(str(number), *row) for number, row in enumerate(rows)]
    changes = changes_of(postings)
    for currency in ("USD", "EUR"):
        assert sum(amount for (_, name), amount in changes.items() if name == currency) == 0
    for account in ("helio", "volt"):
        touching = [item for item in postings if account in (item.debit, item.credit) and item.debit != item.credit]
        lines = entries(account, touching)
        last = {line.balance.currency: line.balance.amount for line in lines}
        for currency, amount in last.items():
            assert amount == changes[account, currency]


def test_a_hold_is_held_until_told_otherwise():
    assert held("a", "helio", 5).state is HoldState.HELD
