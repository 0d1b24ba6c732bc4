"""What became of leads that were handed over: labels of legs, chances learned and heard, tiers with their prices."""

import asyncio
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from leadmill.core.money import Money
from leadmill.core.reasons import State
from leadmill.flow.fates import (
    LeadTraits,
    TierReport,
    fate_of,
    kept_tiers,
    learn_chances,
    price_rules_text,
    tier_report,
)
from leadmill.flow.fates.service import drawn
from leadmill.flow.fates.tiers import Band, Paid, Sold, band_of_prices, paid_of, part_of, tier_rows
from leadmill.flow.model import LeadFilter
from leadmill.flow.replay import replay
from leadmill.flow.repricing import reprice
from leadmill.flow.store import list_leads
from leadmill.interfaces.house import House
from leadmill.market import Placed, sales_of
from leadmill.outcomes import Disposition, Reported, report_outcome
from leadmill.scoring import HORIZON, TIERS
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, stored, submission

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LEAD = LeadTraits("lead_1", "solar", "acme", 70, "B", 0, False)


def leg(days: int = 90, **more: Any) -> Placed:
    how: dict[str, Any] = {"price": 5000, "bought": True, "shared": False, "given_back": False, "late": False, **more}
    return Placed("sale_1", "lead_1", "helio-ca", "helio", NOW - timedelta(days=days), **how)


def said(disposition: Disposition, days: int, **more: Any) -> Reported:
    """A report of ``days`` days after the leg of 90 days ago."""
    at = NOW - timedelta(days=90 - days)
    how: dict[str, Any] = {
        "outcome_id": f"out_{days}", "sale_id": "sale_1", "value": None, "currency": "USD", "current": True, **more,
    }  # fmt: skip
    return Reported(
        lead_id="lead_1", reporter="helio", disposition=disposition,
        at=at, received_at=at, **how,
    )  # fmt: skip


WON, BAD, LOST = Disposition.SOLD, Disposition.WRONG_NUMBER, Disposition.LOST


@pytest.mark.parametrize(
    ("placed", "reports", "refused", "returned", "won"),
    [
        (leg(), [], False, False, False),
        (leg(days=30), [], False, False, None),
        (leg(), [said(WON, 20)], False, False, True),
        (leg(), [said(WON, 70)], False, False, False),
        (leg(), [said(WON, 20, sale_id=None)], False, False, True),
        (leg(), [said(WON, 20, sale_id="sale_2")], False, False, False),
        (leg(), [said(BAD, 5)], False, True, False),
        (leg(), [said(BAD, 5, current=False), said(WON, 20)], False, False, True),
        (leg(), [said(WON, 20, outcome_id="out_a"), said(LOST, 20, replaces="out_a")], False, False, False),
        (leg(given_back=True), [], True, None, None),
        (leg(given_back=True, late=True), [], False, True, False),
    ],
)
def test_what_became_of_a_leg(
    placed: Placed, reports: list[Reported], refused: bool, returned: bool | None, won: bool | None
) -> None:
    found = fate_of(placed, LEAD, reports, HORIZON, NOW, "USD")
    assert (found.refused, found.returned, found.won) == (refused, returned, won)


def test_a_win_is_worth_what_was_told_last() -> None:
    reports = [said(WON, 20, value=90_000), said(WON, 21, value=7_000_000, currency="JPY")]
    found = fate_of(leg(), LEAD, reports, HORIZON, NOW, "USD")
    assert found.value == 90_000
    # A value in another currency than the vertical's is none.
    assert fate_of(leg(), LEAD, reports, HORIZON, NOW, "EUR").value is None


@pytest.mark.parametrize(("days", "settled"), [(13, False), (14, True)])
def test_a_leg_that_may_yet_come_back_does_not_count_as_kept(days: int, settled: bool) -> None:
    young = fate_of(leg(days=days), LEAD, [], HORIZON, NOW, "USD")
    assert (young.returned, young.settled) == (False, settled)
    (row,) = [one for one in tier_rows(TIERS, {}, [sold("A", 6000, settled=young.settled)]) if one.tier == "A"]
    assert row.returned.of == int(settled)


# Prices by tier


@pytest.mark.parametrize(
    ("prices", "found"),
    [
        ([], None),
        ([100], Paid(1, 100, 100, 100, 100)),
        ([400, 100, 200, 300], Paid(4, 250, 175, 250, 325)),
    ],
)
def test_quartiles_of_what_was_paid(prices: list[int], found: Paid | None) -> None:
    assert paid_of(prices) == found


@pytest.mark.parametrize(
    ("paid", "bears", "band"),
    [
        (None, 100, None),
        (Paid(7, 50, 40, 50, 60), None, None),
        (Paid(8, 50, 40, 50, 60), None, Band(40, 50, 60)),
        (Paid(8, 50, 40, 50, 60), 900, Band(40, 50, 60)),
        (Paid(8, 50, 40, 50, 60), 45, Band(40, 45, 45)),
        (Paid(8, 50, 40, 50, 60), 20, Band(20, 20, 20)),
    ],
)
def test_a_band_is_the_middle_half_of_what_was_paid_as_far_as_a_win_bears_it(
    paid: Paid | None, bears: int | None, band: Band | None
) -> None:
    assert band_of_prices(paid, bears) == band


def sold(tier: str, price: int | None, **more: Any) -> Sold:
    how: dict[str, Any] = {"shared": False, "refused": False, "returned": False, "won": None, "value": None, **more}
    return Sold(lead_id=f"lead_{tier}_{price}_{len(more)}", tier=tier, price=price, **how)


def test_a_tier_is_told_with_what_its_legs_show() -> None:
    legs = [
        *(sold("A", 6000 + 100 * n, won=n < 2, value=50_000 if n < 2 else None) for n in range(8)),
        sold("A", 9000, refused=True, returned=None),
        sold("A", None, won=True),
        sold("C", 2000, returned=True),
    ]
    rows = {row.tier: row for row in tier_rows(TIERS, {"A": 20, "C": 4}, legs)}
    best = rows["A"]
    assert (best.sold, best.accepted.hits, best.accepted.of) == (8, 8, 9)
    assert (best.won.hits, best.won.of, best.value, best.bears) == (3, 9, 50_000, 16_667)
    assert best.earns == sum(6000 + 100 * n for n in range(8)) // 20
    assert best.cost == sum(6000 + 100 * n for n in range(8)) // 2
    assert best.band == Band(6175, 6350, 6525)
    assert rows["C"].earns == 0
    assert rows["C"].returned.share == 1.0
    assert rows["E"] == tier_rows(TIERS, {}, [])[-1]
    assert part_of([]).of == 0


def test_a_sample_of_the_leads_tells_the_sums_of_all() -> None:
    legs = [msgspec.structs.replace(sold("A", 6000), lead_id=f"lead_{n}") for n in range(800)]
    some = [one for one in legs if drawn(one.lead_id, 4)]
    assert 140 < len(some) < 260
    assert all(drawn(one.lead_id, 2) for one in some)
    best = tier_rows(TIERS, {"A": 800}, some, 4)[0]
    assert (best.sold, best.accepted.of) == (4 * len(some), len(some))
    assert best.earns == round(4 * len(some) * 6000 / 800)


def test_price_rules_are_written_as_an_order_takes_them() -> None:
    legs = [*(sold("A", 6000 + 100 * n) for n in range(8)), *(sold("B", 2000 + n, shared=True) for n in range(8))]
    report = TierReport("solar", "USD", 90, 60, tier_rows(TIERS, {"gold": 3}, legs))
    text = price_rules_text(report)
    rules = tomllib.loads(f"[[order]]\nid = 'x'\n{text}")["order"][0]["price_rules"]
    assert rules == [
        {"where": [{"field": "tier", "eq": "A"}], "price": "63.50"},
        {"where": [{"field": "tier", "eq": "B"}], "shared_price": "20.04"},
    ]
    assert "# C: too few were sold to say." in text


# In a house

TEAM = {"id": "closers", "name": "The Closers", "reps": [{"id": "ann", "email": "ann@example.com"}]}


async def test_a_house_learns_who_wins_and_gives_its_team_what_it_makes_more_of(
    house: House, clock: FixedClock
) -> None:
    await apply(house, {**BUSINESS, "team": [TEAM]})
    await asyncio.gather(*(house.mill.take(submission(house, number)) for number in range(1, 57)))
    clock.advance(minutes=1)
    rows = await stored(house)
    async with house.db.begin() as tx:
        for place, row in enumerate(rows):
            (sale,) = await sales_of(tx, row.id)
            await report_outcome(
                tx, house.mint, lead_id=row.id, reporter="helio", sale_id=sale.id, now=clock(), at=clock(),
                disposition=WON if place % 4 == 0 else BAD if place % 4 == 1 else LOST,
                value=Money(200_000) if place % 4 == 0 else None,
            )  # fmt: skip
    clock.advance(hours=2)
    young = await learn_chances(house.db, clock(), {})
    assert young.refused is not None
    assert (young.won, young.returned) == (None, None)
    clock.advance(hours=24 * 14)
    young = await learn_chances(house.db, clock(), {})
    assert young.won is None
    assert young.returned is not None
    assert young.returned.hits == 14
    tiers = {row.tier for row in rows}
    async with house.db.begin() as tx:
        assert len((await list_leads(tx, LeadFilter(tier=min(tiers - {None}, key=str)), limit=5))[0]) == 5

    clock.advance(hours=24 * 61)
    report = await tier_report(house.db, "solar", TIERS, "USD", 90, HORIZON, clock())
    (tier,) = [one for one in report.tiers if one.leads]
    assert (tier.leads, tier.sold, tier.won.hits, tier.won.of, tier.value) == (56, 56, 14, 56, 200_000)
    assert tier.alone == Paid(56, 6500, 6500, 6500, 6500)
    assert tier.cost == 6500 * 56 // 14

    assert not await reprice(house.kit)  # too few leads for prices, enough for chances
    async with house.db.begin() as tx:
        kept = await kept_tiers(tx, "solar")
    assert kept is not None
    assert [(one.leads, one.sold, one.won.hits) for one in kept[1].tiers if one.leads] == [(56, 56, 14)]
    await house.shadows.refresh(house.db)
    assert house.shadows.in_force
    await house.mill.take(submission(house, 1001))
    await apply(house, {"team": [{**TEAM, "worth": "900.00"}]})
    await house.mill.take(submission(house, 1002))
    fresh = sorted(await stored(house), key=lambda one: one.id)[-2:]
    assert [(one.state, one.recipient) for one in fresh] == [(State.SOLD, "helio"), (State.ASSIGNED, "closers/ann")]
    assert (await replay(house.db, house.pen, house.book)).differences == []
