"""Opt-outs on the real store: the first stands, one query answers a group."""

from datetime import timedelta

from leadmill.policy import SuppressionAsk, SuppressionFound
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
