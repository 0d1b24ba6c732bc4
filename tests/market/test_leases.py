"""Shares of limits: sold without a lock, guarded by their rows, called in where they hide what is left."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from leadmill.billing import open_account
from leadmill.core.case import Case
from leadmill.core.ids import mint
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.ledger import buyer_account, guards
from leadmill.ledger.tables import ACCOUNT_LEASE
from leadmill.market import Counters, Headroom, Order, Sale, cancel_sale, cap_use, hold_room, recount_limits
from leadmill.market.limits.leases import Lease, LeaseSpent, Pool, share
from leadmill.market.model import UNSOLD
from leadmill.market.tables import LEASE_HOLDER, LIMIT_LEASE
from leadmill.parties import Credit
from leadmill.runtime.db import Database
from tests.market.scene import NOW, Scene, order, prepaid
from tests.market.shop import clock, ready, sell, sound

ROOMY = [{"per": "day", "leads": 100}]
LATER = NOW + timedelta(minutes=1)


async def seller(db: Database) -> Counters:
    """A process that has walked a group and said that it is alive."""
    counters = Counters(clock)
    async with db.begin() as tx:
        await counters.hear(tx, [Headroom(()), Headroom(())])
    await counters.tend(db)
    counters.pool.holders = 1
    return counters


async def walk(db: Database, scene: Scene, counters: Counters, count: int) -> list[Case]:
    """Walk a group as the runner does: again where shares turn out not to do."""
    for _ in range(4):
        before = scene.count
        try:
            async with db.begin() as tx:
                return await sell(tx, scene, counters, [scene.case() for _ in range(count)])
        except LeaseSpent:
            scene.count = before
    raise AssertionError("the group would not go through")


async def shares(db: Database) -> list[tuple[int, int]]:
    async with db.begin() as tx:
        rows = await tx.all(sa.select(LIMIT_LEASE).order_by(LIMIT_LEASE.c.granted_leads))
    return [(row["granted_leads"], row["used_leads"]) for row in rows]


async def used(db: Database, orders: Sequence[Order]) -> list[int]:
    async with db.begin() as tx:
        return [item.used for item in await cap_use(tx, orders, NOW)]


async def test_a_group_that_holds_the_lock_takes_a_share_along_and_the_next_sells_from_it(db):
    scene = Scene([order("helio-1", caps=ROOMY)], prepaid("helio", 900_000))
    await ready(db, scene)
    one = await seller(db)
    await walk(db, scene, one, 4)
    assert await shares(db) == [(48, 0)]
    async with db.begin() as other:
        await other.conn.execute("SELECT * FROM limit_use FOR UPDATE")
        await other.conn.execute("SELECT * FROM account_limit FOR UPDATE")
        # Both rows are locked by somebody else, and nobody waits.
        await walk(db, scene, one, 6)
    assert await shares(db) == [(48, 6)]
    assert await used(db, list(scene.orders.values())) == [10]
    async with db.begin() as tx:
        assert (await guards(tx))[buyer_account("helio")].balance == 900_000 - 10 * 5000
    await sound(db)


async def test_the_last_units_are_sold_under_the_lock_and_every_one_is_sold(db):
    scene = Scene([order("helio-1", caps=ROOMY)])
    one, two = await seller(db), await seller(db)
    one.pool.holders = two.pool.holders = 2
    sold = 0
    for turn in range(30):
        cases = await walk(db, scene, (one, two)[turn % 2], 4)
        sold += sum(Sale in case for case in cases)
    assert sold == 100
    assert await used(db, list(scene.orders.values())) == [100]
    await sound(db)


async def test_what_another_process_leaves_unused_is_called_in_before_anybody_is_refused(db):
    scene = Scene([order("helio-1", caps=[{"per": "day", "leads": 20}])])
    one, two = await seller(db), await seller(db)
    await walk(db, scene, one, 2)
    assert await shares(db) == [(9, 0)]
    sold = [await walk(db, scene, two, 6) for _ in range(4)]
    assert [sum(Sale in case for case in group) for group in sold] == [6, 6, 6, 0]
    assert await shares(db) == []
    # The first does not know yet that its share is gone; its row tells it.
    assert [Sale in case for case in await walk(db, scene, one, 2)] == [False, False]
    await sound(db)


async def test_a_share_called_in_while_a_group_sells_from_it_undoes_the_group(db):
    scene = Scene([order("helio-1", caps=ROOMY)])
    one, two = await seller(db), await seller(db)
    await walk(db, scene, one, 2)

    async def sell_while_it_is_called_in() -> None:
        async with db.begin() as tx:
            await sell(tx, scene, one, [scene.case(), scene.case()])
            two.pool.barred = set(one.pool.limits)
            await walk(db, scene, two, 2)

    with pytest.raises(LeaseSpent):
        await sell_while_it_is_called_in()
    assert await used(db, list(scene.orders.values())) == [4]
    await walk(db, scene, one, 2)
    assert await used(db, list(scene.orders.values())) == [6]
    await sound(db)


async def test_a_group_that_fails_gives_its_share_back(db):
    scene = Scene([order("helio-1", caps=ROOMY)], prepaid("helio", 900_000))
    await ready(db, scene)
    one = await seller(db)
    await walk(db, scene, one, 2)
    before = [lease.leads for lease in one.pool.limits.values()], [each.spend for each in one.pool.accounts.values()]
    with suppress(ZeroDivisionError):
        async with db.begin() as tx:
            await sell(tx, scene, one, [scene.case() for _ in range(3)])
            raise ZeroDivisionError
    after = [lease.leads for lease in one.pool.limits.values()], [each.spend for each in one.pool.accounts.values()]
    assert before == after
    await walk(db, scene, one, 3)
    await sound(db)


async def test_the_shares_of_a_process_that_fell_silent_are_called_in(db):
    scene = Scene([order("helio-1", caps=ROOMY)], prepaid("helio", 900_000))
    await ready(db, scene)
    dead = await seller(db)
    await walk(db, scene, dead, 4)
    await walk(db, scene, dead, 4)
    await Counters(lambda: NOW + timedelta(seconds=5)).tend(db)
    assert await shares(db) == [(48, 4)]
    await Counters(lambda: LATER).tend(db)
    assert await shares(db) == []
    async with db.begin() as tx:
        assert await tx.all(sa.select(ACCOUNT_LEASE)) == []
        assert await tx.all(sa.select(LEASE_HOLDER)) == []
        assert (await guards(tx))[buyer_account("helio")].available == 900_000 - 8 * 5000
    assert await used(db, list(scene.orders.values())) == [8]
    await sound(db)
    # It was not dead, only slow: its next group finds out and is walked again.
    await walk(db, scene, dead, 4)
    assert await used(db, list(scene.orders.values())) == [12]
    await sound(db)


async def test_a_process_that_ends_or_rests_gives_its_shares_back(db):
    scene = Scene([order("helio-1", caps=ROOMY)], prepaid("helio", 900_000))
    await ready(db, scene)
    for leaving in (Counters.leave, Counters.tend):
        one = await seller(db)
        await walk(db, scene, one, 4)
        await one.tend(db)
        assert len(await shares(db)) == 1
        await leaving(one, db)
        assert await shares(db) == []
        await sound(db)


async def test_the_share_of_a_window_that_is_over_ends(db):
    scene = Scene([order("helio-1", caps=[{"per": "hour", "leads": 100}])])
    now = [NOW]
    one = Counters(lambda: now[0])
    await walk(db, scene, one, 4)
    await one.tend(db)
    await walk(db, scene, one, 4)
    assert len(await shares(db)) == 1
    now[0] = NOW + timedelta(hours=1)
    async with db.begin() as tx:
        await sell(tx, scene, one, [scene.case(), scene.case()], now[0])
    await one.tend(db)
    assert len(one.pool.limits) == 1
    assert len(await shares(db)) == 1
    await sound(db)


async def test_money_is_shared_and_called_in_like_leads(db):
    scene = Scene([order("helio-1"), order("helio-2", "45.00")], prepaid("helio", 200_000))
    await ready(db, scene)
    one, two = await seller(db), await seller(db)
    await walk(db, scene, one, 2)
    await walk(db, scene, one, 2)
    assert len(one.pool.accounts) == 1
    sold = [sum(Sale in case for case in await walk(db, scene, two, 5)) for _ in range(8)]
    assert sum(sold) == 36
    async with db.begin() as tx:
        assert (await guards(tx))[buyer_account("helio")].available == 0
    assert [Sale in case for case in await walk(db, scene, one, 2)] == [False, False]
    await sound(db)


async def test_an_account_under_other_terms_loses_its_shares(db):
    scene = Scene([order("helio-1")], prepaid("helio", 900_000))
    await ready(db, scene)
    one = await seller(db)
    for _ in range(2):
        await walk(db, scene, one, 3)
    async with db.begin() as tx:
        await open_account(tx, "helio", Credit("invoice", limit=Money(100)), NOW, mint)
    assert [Sale in case for case in await walk(db, scene, one, 2)] == [True, True]
    async with db.begin() as tx:
        await open_account(tx, "helio", Credit("invoice"), NOW, mint)
        assert await tx.all(sa.select(ACCOUNT_LEASE)) == []
    await sound(db)


async def test_a_changed_cap_ends_the_shares_of_the_old_one(db):
    scene = Scene([order("helio-1", caps=ROOMY)])
    one = await seller(db)
    await walk(db, scene, one, 4)
    lower = Scene([order("helio-1", caps=[{"per": "day", "leads": 6}])])
    lower.count = 50
    async with db.begin() as tx:
        await recount_limits(tx, ["helio-1"])
    assert await shares(db) == []
    assert [Sale in case for case in await walk(db, lower, one, 4)] == [True, True, False, False]
    await sound(db)


async def test_holds_and_cancelled_sales_come_out_of_shares_and_go_back_to_the_counter(db):
    scene = Scene([order("helio-1", caps=ROOMY)], prepaid("helio", 900_000))
    await ready(db, scene)
    one = await seller(db)
    await walk(db, scene, one, 4)
    async with db.begin() as tx:
        wanted = tuple(scene.step.wanted)
        await one.hear(tx, [Headroom(wanted), Headroom(wanted)])
        hold_room(tx, "hold_1", "helio-1", Money(5000), NOW, LATER)
    assert await shares(db) == [(48, 1)]
    await sound(db)
    case = (await walk(db, scene, one, 2))[0]
    async with db.begin() as tx:
        await cancel_sale(tx, case[Sale].legs[0].sale_id, because(UNSOLD, considered=0), NOW)
    assert await used(db, list(scene.orders.values())) == [6]


async def test_a_full_window_is_looked_at_without_a_lock_until_room_comes_back(db):
    scene = Scene([order("helio-1", caps=[{"per": "hour", "leads": 3}, {"per": "day", "leads": 50}])])
    one = Counters(clock)
    cases = await walk(db, scene, one, 4)
    async with db.begin() as other:
        await other.conn.execute("SELECT * FROM limit_use FOR UPDATE")
        assert [Sale in case for case in await walk(db, scene, one, 2)] == [False, False]
    async with db.begin() as tx:
        await cancel_sale(tx, cases[0][Sale].legs[0].sale_id, because(UNSOLD, considered=0), NOW)
    assert [Sale in case for case in await walk(db, scene, one, 2)] == [True, False]


@pytest.mark.parametrize(
    ("left", "mine", "holders", "more"), [(100, 0, 1, 50), (100, 0, 8, 7), (1, 0, 8, 1), (0, 0, 2, 0), (10, 40, 2, 0)]
)
def test_a_share_is_half_of_an_equal_part(left: int, mine: int, holders: int, more: int):
    assert share(left, mine, holders) == more


class Sharing(RuleBasedStateMachine):
    """Three processes share a limit of leads and money in memory, as the counters would let them."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = 60, 5_000
        self.counter = [0, 0]
        self.sold = [0, 0]
        self.pools = [Pool(f"hold_{number}") for number in range(3)]
        self.key = ("order:x", order("helio-1", caps=ROOMY).caps[0].per, NOW)
        for pool in self.pools:
            pool.holders, pool.active = 3, True

    @rule(who=st.integers(0, 2))
    def take_a_share(self, who: int) -> None:
        pool = self.pools[who]
        mine = pool.limits.setdefault(self.key, Lease(self.limits))
        more = [
            share(limit - says, unused or 0, 3)
            for limit, says, unused in zip(self.limits, self.counter, (mine.leads, mine.spend), strict=True)
        ]
        base = self.counter[0] - (mine.leads or 0), self.counter[1] - (mine.spend or 0)
        mine.grant(more[0], more[1], base)
        self.counter = [self.counter[0] + more[0], self.counter[1] + more[1]]

    @rule(who=st.integers(0, 2), leads=st.integers(1, 4), price=st.integers(0, 400), fails=st.booleans())
    def sell(self, who: int, leads: int, price: int, fails: bool) -> None:
        lease = self.pools[who].limits.get(self.key)
        if lease is not None and lease.take(leads, price):
            if fails:
                lease.give_back(leads, price)
            else:
                self.sold = [self.sold[0] + leads, self.sold[1] + price]
                lease.note(leads, price)

    @rule(who=st.integers(0, 2))
    def give_back(self, who: int) -> None:
        lease = self.pools[who].limits.pop(self.key, None)
        if lease is not None:
            self.counter = [self.counter[0] - (lease.leads or 0), self.counter[1] - (lease.spend or 0)]

    @invariant()
    def nothing_is_sold_twice_or_lost(self) -> None:
        leases = [lease for pool in self.pools for lease in pool.limits.values()]
        unused = sum(lease.leads or 0 for lease in leases), sum(lease.spend or 0 for lease in leases)
        assert [self.counter[0] - unused[0], self.counter[1] - unused[1]] == self.sold
        assert self.counter[0] <= self.limits[0]
        assert self.counter[1] <= self.limits[1]
        for lease in leases:
            # Whoever sells from a share sees at least as much room as the share holds.
            assert self.limits[0] - lease.base[0] >= (lease.leads or 0) >= 0
            assert self.limits[1] - lease.base[1] >= (lease.spend or 0) >= 0


class TestSharing(Sharing.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
