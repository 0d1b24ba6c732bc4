"""The market and billing of one transaction as the runner drives them, for tests on the real store."""

from typing import Any

from leadmill.billing import Post, Postings, keep_postings, open_account
from leadmill.billing import check as check_billing
from leadmill.core.case import Case, Heard
from leadmill.core.ids import mint as mint_id
from leadmill.ledger import check as check_ledger
from leadmill.market import (
    Assignment,
    Counters,
    Headroom,
    Sale,
    check,
)
from leadmill.runtime.db import Database, Tx
from tests.market.scene import NOW, Scene


def clock():
    return NOW


async def ready(db: Database, scene: Scene) -> None:
    """Open the accounts of the roster."""
    async with db.begin() as tx:
        for party in scene.roster.buyers.values():
            await open_account(tx, party.id, party.credit, NOW, mint_id)


async def sell(tx: Tx, scene: Scene, counters: Counters, cases: list[Case], now=NOW) -> list[Case]:
    """Walk a group through the market and billing as the runner does."""
    post = Post(scene.roster)
    wanted = [scene.step.wants(case) for case in cases]
    asks = [ask for each in wanted for ask in each if isinstance(ask, Headroom)]
    answer = await counters.hear(tx, asks) if asks else None
    for case, each in zip(cases, wanted, strict=True):
        heard = Heard({ask: answer(ask) for ask in each if answer and isinstance(ask, Headroom)})
        verdict = scene.step.judge(case, heard, now)
        case.learn(verdict.learned)
        sale, assignment = case.get(Sale), case.get(Assignment)
        if sale is not None:
            counters.keep_sale(tx, case, sale, now)
        if assignment is not None:
            counters.keep_assignment(tx, case, assignment, now)
    for case in cases:
        case.learn(post.judge(case, Heard({}), now).learned)
        postings = case.get(Postings)
        if postings is not None:
            keep_postings(tx, case, postings, now)
    return cases


async def walk(db: Database, scene: Scene, count: int = 1, counters: Counters | None = None, **how: Any) -> list[Case]:
    async with db.begin() as tx:
        return await sell(tx, scene, counters or Counters(clock), [scene.case(**how) for _ in range(count)])


async def sound(db: Database) -> None:
    """Everything that can be checked holds."""
    async with db.begin() as tx:
        assert await check(tx) == []
        assert await check_ledger(tx) == []
        assert await check_billing(tx) == []
