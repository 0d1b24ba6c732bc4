"""The mill: groups, repeated requests, faults that pass, leads that break, transactions at once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.case import Case
from leadmill.core.faults import Conflict, Transient
from leadmill.core.reasons import State
from leadmill.flow.model import Settled
from leadmill.flow.runner import Mill
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.market import Sale
from leadmill.policy import SuppressionAsk
from leadmill.policy.store import hear_suppressions
from leadmill.runtime.db import Database, Tx
from tests.flow.stage import BUSINESS, apply, buyer, count, hearing, order, stored, submission
from tests.journeys.breaking import breaking

Found = list[Settled | BaseException]


async def sent(mill: Mill, *submissions: Any) -> Found:
    """What becomes of submissions that come at the same moment."""
    return await asyncio.gather(*(mill.take(one) for one in submissions), return_exceptions=True)


def states(found: Found) -> Counter[State]:
    """How many ended in each state."""
    assert all(isinstance(one, Settled) for one in found), found
    return Counter(one.state for one in found if isinstance(one, Settled))


async def test_leads_that_come_together_share_one_transaction(house: House) -> None:
    await apply(house, BUSINESS)
    found = await sent(Mill(house.kit, lanes=1), *(submission(house, number) for number in range(30)))
    assert states(found) == {State.SOLD: 30}
    assert await count(house, "journal_group") == 1


async def test_a_full_group_leaves_the_rest_to_the_next(house: House) -> None:
    await apply(house, BUSINESS)
    mill = Mill(house.kit, group=8, lanes=2)
    found = await sent(mill, *(submission(house, number) for number in range(30)))
    await mill.close()
    assert states(found) == {State.SOLD: 30}
    assert await count(house, "journal_group") == 4


async def test_of_the_same_person_twice_in_one_group_one_is_a_duplicate(house: House) -> None:
    await apply(house, BUSINESS)
    found = await sent(Mill(house.kit, lanes=1), *(submission(house, number) for number in (1, 2, 1, 3)))
    assert states(found) == {State.SOLD: 3, State.DUPLICATE: 1}
    first, again = found[0], found[2]
    assert isinstance(first, Settled)
    assert isinstance(again, Settled)
    assert again.because[0].detail["duplicate_of"] == first.lead_id
    assert await count(house, "journal_group") == 1


async def test_one_key_twice_at_the_same_moment_is_one_lead_and_one_answer(house: House) -> None:
    await apply(house, BUSINESS)
    mill = Mill(house.kit)
    first, again, other = await sent(
        mill, submission(house, 1, key="k"), submission(house, 1, key="k"), submission(house, 2, key="k")
    )
    assert isinstance(first, Settled)
    assert first == again
    assert isinstance(other, Conflict)
    assert other.code == "flow.request.reused"
    assert len(await stored(house)) == 1


async def test_one_key_sent_to_two_processes_at_once_is_one_lead(house: House) -> None:
    await apply(house, BUSINESS)
    mills = [Mill(house.kit), Mill(house.kit), Mill(house.kit)]
    found = await asyncio.gather(*(mill.take(submission(house, 1, key="k")) for mill in mills))
    assert len({one.lead_id for one in found}) == 1
    assert len(await stored(house)) == 1


async def test_a_fault_that_passes_is_waited_out(house: House) -> None:
    await apply(house, BUSINESS)
    failures = [Transient("test.store.away"), Transient("test.store.away")]

    async def moody(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], Any]:
        if failures:
            raise failures.pop()
        return await hear_suppressions(tx, asks)

    mill = Mill(hearing(house, listeners={SuppressionAsk: moody}))
    found = await sent(mill, *(submission(house, number) for number in range(5)))
    assert states(found) == {State.SOLD: 5}
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_connection_that_dies_in_the_midst_leaves_no_trace_and_the_leads_go_on(house: House) -> None:
    await apply(house, BUSINESS)
    deaths = [1]

    async def deadly(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], Any]:
        if deaths:
            deaths.pop()
            await tx.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return await hear_suppressions(tx, asks)

    mill = Mill(hearing(house, listeners={SuppressionAsk: deadly}))
    found = await sent(mill, *(submission(house, number) for number in range(5)))
    assert states(found) == {State.SOLD: 5}
    assert len(await stored(house)) == 5
    assert (await verify(house.db, house.pen)).findings == []


async def test_where_the_store_stays_away_the_caller_is_told_and_nothing_is_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(house, BUSINESS)
    monkeypatch.setattr("leadmill.flow.runner._WAITS", (0.0, 0.0))

    async def away(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], Any]:
        raise Transient("test.store.away")

    found = await sent(Mill(hearing(house, listeners={SuppressionAsk: away})), submission(house, 1, key="k"))
    assert isinstance(found[0], Transient)
    assert await stored(house) == []
    # What was not answered can be asked again.
    assert states(await sent(house.mill, submission(house, 1, key="k"))) == {State.SOLD: 1}


async def test_one_poisoned_lead_does_not_take_its_group_along(house: House) -> None:
    await apply(house, BUSINESS)
    breaking(house.book, "scoring", "Poison")
    leads = [submission(house, number, last_name="Poison" if number == 4 else "Smith") for number in range(10)]
    found = await sent(Mill(house.kit, lanes=1), *leads)
    assert states(found) == {State.SOLD: 9, State.REVIEW: 1}
    poisoned = found[4]
    assert isinstance(poisoned, Settled)
    assert (poisoned.because[0].code, poisoned.because[0].detail["step"]) == ("flow.step.failed", "scoring")
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_lead_whose_sale_cannot_be_kept_waits_for_a_person_unsold(house: House) -> None:
    await apply(house, BUSINESS)
    keep = house.kit.ears.keepers[Sale]

    doomed: list[str] = []

    def choosy(tx: Tx, case: Case, sale: Sale, now: datetime) -> None:
        keep(tx, case, sale, now)
        doomed.append(case.lead_id)
        if case.lead_id == doomed[0]:
            raise LookupError("no such drawer")

    mill = Mill(hearing(house, keepers={Sale: choosy}), lanes=1)
    found = await sent(mill, *(submission(house, number) for number in range(6)))
    assert states(found) == {State.SOLD: 5, State.REVIEW: 1}
    assert await count(house, "sale") == 5
    assert (await verify(house.db, house.pen)).findings == []


async def test_the_same_person_at_two_processes_at_once_is_sold_once(house: House) -> None:
    await apply(house, BUSINESS)
    mills = [Mill(house.kit) for _ in range(4)]
    found = await asyncio.gather(*(mill.take(submission(house, number)) for number in range(3) for mill in mills))
    assert states(list(found)) == {State.SOLD: 3, State.DUPLICATE: 9}
    assert (await verify(house.db, house.pen)).findings == []


async def test_transactions_at_once_never_sell_beyond_a_limit(house: House) -> None:
    await apply(
        house,
        {
            "source": BUSINESS["source"],
            "buyer": [buyer("helio", credit={"mode": "prepay", "balance": "250.00"}), buyer("bright")],
            "order": [
                order("helio-ca", "helio", "65.00"),
                order("bright-ca", "bright", "50.00", caps=[{"per": "hour", "leads": 7}]),
            ],
        },
    )
    mills = [Mill(house.kit, group=3, lanes=2) for _ in range(2)]
    found = await asyncio.gather(*(mills[number % 2].take(submission(house, number)) for number in range(40)))
    assert states(list(found)) == {State.SOLD: 3 + 7, State.UNSOLD: 30}
    sold = Counter(row.recipient for row in await stored(house) if row.state is State.SOLD)
    assert sold == {"helio": 3, "bright": 7}
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_lead_is_decided_under_the_configuration_in_force_at_its_commit(house: House) -> None:
    await apply(house, BUSINESS)
    await apply(house, {"order": [order("helio-ca", "helio", "70.00")]}, heed=False)
    (settled,) = await sent(house.mill, submission(house, 1))
    assert isinstance(settled, Settled)
    (row,) = await stored(house)
    assert (row.price, row.revision) == (7000, 2)
    assert settled.price == 4900


async def test_a_caller_that_went_away_does_not_hold_its_group(house: House) -> None:
    await apply(house, BUSINESS)
    mill = Mill(house.kit, lanes=1)
    gone = asyncio.ensure_future(mill.take(submission(house, 1)))
    stays = asyncio.ensure_future(mill.take(submission(house, 2)))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).state is State.SOLD
    await mill.close()
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_store_that_is_not_there_is_a_fault_that_passes(house: House, tmp_path: Path) -> None:
    away = Database(f"postgresql://nobody@/nothing?host={tmp_path}", 1)
    with pytest.raises(Transient):
        await away.open()
    await apply(house, BUSINESS)

    async def lost(tx: Tx, asks: Sequence[SuppressionAsk]) -> Callable[[SuppressionAsk], Any]:
        if not gone:
            gone.append(1)
            raise FileNotFoundError(2, "No such file or directory")
        return await hear_suppressions(tx, asks)

    gone: list[int] = []
    assert states(await sent(Mill(hearing(house, listeners={SuppressionAsk: lost})), submission(house, 1))) == {
        State.SOLD: 1
    }
