"""Opt-outs on the real store: the first stands, one query answers a group."""

from datetime import timedelta

from leadmill.policy import SuppressionAsk, SuppressionFound, list_suppressed, note_pull, registries_here, say_again
from leadmill.policy.model import Suppression
from leadmill.policy.store import hear_suppressions, suppress
from leadmill.runtime.db import Database
from tests.conftest import FixedClock


async def test_the_first_opt_out_stands(db: Database, clock: FixedClock) -> None:
    async with db.begin() as tx:
        await suppress(tx, [Suppression(b"p", "phone", clock(), "call")])
    async with db.begin() as tx:
        await suppress(tx, [Suppression(b"p", "phone", clock() + timedelta(days=1), "text")])
    async with db.begin() as tx:
        answer = await hear_suppressions(tx, [SuppressionAsk(phone=b"p")])
    assert answer(SuppressionAsk(phone=b"p")) == SuppressionFound(phone=clock())


async def test_a_group_is_answered_each_for_itself(db: Database, clock: FixedClock) -> None:
    async with db.begin() as tx:
        await suppress(tx, [Suppression(b"e", "email", clock(), "link"), Suppression(b"p", "phone", clock(), "call")])
    asks = [
        SuppressionAsk(phone=b"p", email=b"e"),
        SuppressionAsk(phone=b"q", email=b"e"),
        SuppressionAsk(phone=b"q"),
        SuppressionAsk(),
    ]
    async with db.begin() as tx:
        answer = await hear_suppressions(tx, asks)
    assert [answer(ask) for ask in asks] == [
        SuppressionFound(clock(), clock()),
        SuppressionFound(None, clock()),
        SuppressionFound(),
        SuppressionFound(),
    ]
    assert list(answer(asks[2]).tell()) == ["Neither phone nor e-mail is suppressed."]


async def test_nothing_is_asked_where_nothing_is_known(db: Database) -> None:
    async with db.begin() as tx:
        answer = await hear_suppressions(tx, [SuppressionAsk()])
    assert answer(SuppressionAsk()) == SuppressionFound()


async def test_of_an_opt_out_of_sale_the_last_time_counts_and_nothing_is_suppressed(
    db: Database, clock: FixedClock
) -> None:
    later = Suppression(b"s", "sale", clock() + timedelta(days=1), "gpc", "opt_2")
    async with db.begin() as tx:
        await suppress(tx, [Suppression(b"s", "sale", clock(), "gpc", "opt_1")])
        assert await suppress(tx, [later]) == set()
        await say_again(tx, [later, Suppression(b"s", "sale", clock(), "gpc", "opt_3")])
    ask, other = SuppressionAsk(phone=b"p", sales=(b"s",)), SuppressionAsk(phone=b"p")
    async with db.begin() as tx:
        answer = await hear_suppressions(tx, [ask, other])
        assert await list_suppressed(tx) == []
    assert (answer(ask), answer(other)) == (SuppressionFound(unsold=later.at), SuppressionFound())


async def test_the_latest_deletion_list_counts_and_is_no_registry_of_numbers(db: Database, clock: FixedClock) -> None:
    async with db.begin() as tx:
        await note_pull(tx, clock())
        await note_pull(tx, clock() - timedelta(days=3))
    ask = SuppressionAsk(phone=b"p")
    async with db.begin() as tx:
        answer = await hear_suppressions(tx, [ask])
    assert answer(ask) == SuppressionFound(pulled=clock())
    assert await registries_here(db) == []
