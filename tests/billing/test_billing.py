"""What a sale moves, to the cent, and how it is taken back."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.billing import Post, Postings, check, deposit, keep_postings, open_account, reverse_sale
from leadmill.billing.rules import postings_of, reversals_of
from leadmill.capture import Lead
from leadmill.core.case import Case, Heard
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass
from leadmill.ledger import CASH, PAYOUTS, REVENUE, balances, buyer_account, changes_of, guards
from leadmill.market import Counters, Leg, Mode, Sale, cancel_sale
from leadmill.market.model import UNSOLD
from leadmill.parties import Credit, Payout, Roster, Source

NOW = datetime(2026, 3, 4, 18, tzinfo=UTC)
WHY = because(UNSOLD, considered=0)


def source(payout: Payout | None) -> Source:
    return Source(id="acme", name="Acme", verticals=("solar",), payout=payout)


def sale(*cents: int) -> Sale:
    legs = tuple(Leg(f"sale_{n}", f"order-{n}", f"buyer{n}", Money(amount)) for n, amount in enumerate(cents, 1))
    return Sale("deal_1", Mode.SHARED if len(legs) > 1 else Mode.EXCLUSIVE, legs, "USD")


def moves(*cents: int, payout: Payout | None) -> list[tuple[str, str, int, str]]:
    made = postings_of(sale(*cents), "lead_1", source(payout), NOW)
    return [(item.debit, item.credit, item.amount.amount, item.ref) for item in made]


def share(rate: str) -> Payout:
    return Payout("share", rate=Decimal(rate))


@pytest.mark.parametrize(
    ("cents", "payout", "expected"),
    [
        ((6500,), None, [("buyer:buyer1", REVENUE, 6500, "sale_1")]),
        (
            (6500,),
            share("0.70"),
            [("buyer:buyer1", REVENUE, 6500, "sale_1"), (PAYOUTS, "payable:acme", 4550, "sale_1")],
        ),
        # Half a cent goes to the even neighbour, leg by leg.
        ((5,), share("0.5"), [("buyer:buyer1", REVENUE, 5, "sale_1"), (PAYOUTS, "payable:acme", 2, "sale_1")]),
        (
            (5, 3),
            share("0.5"),
            [
                ("buyer:buyer1", REVENUE, 5, "sale_1"),
                (PAYOUTS, "payable:acme", 2, "sale_1"),
                ("buyer:buyer2", REVENUE, 3, "sale_2"),
                (PAYOUTS, "payable:acme", 2, "sale_2"),
            ],
        ),
        # A fixed payout is for the lead, however many share it.
        (
            (1800, 1500),
            Payout("fixed", amount=Money(1200)),
            [
                ("buyer:buyer1", REVENUE, 1800, "sale_1"),
                ("buyer:buyer2", REVENUE, 1500, "sale_2"),
                (PAYOUTS, "payable:acme", 1200, "deal_1"),
            ],
        ),
        ((0,), share("0.7"), []),
        ((100,), share("0"), [("buyer:buyer1", REVENUE, 100, "sale_1")]),
    ],
)
def test_a_sale_moves_the_price_and_what_the_source_earns(cents, payout, expected):
    assert moves(*cents, payout=payout) == expected


def test_an_unknown_source_earns_nothing():
    assert len(postings_of(sale(100), "lead_1", None, NOW)) == 1


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), st.decimals(0, 1, places=4))
def test_postings_balance_and_are_taken_back_once(cents, rate):
    made = postings_of(sale(*cents), "lead_1", source(Payout("share", rate=rate)), NOW)
    assert sum(changes_of(made).values()) == 0
    assert changes_of(made).get((REVENUE, "USD"), 0) == sum(cents)
    assert len({item.id for item in made}) == len(made)
    back = reversals_of(made, NOW)
    assert all(amount == 0 for amount in changes_of([*made, *back]).values())
    assert reversals_of([*made, *back], NOW) == []


def case_of(sold: Sale | None) -> Case:
    lead = Lead(id="lead_1", vertical="solar", source_id="acme", received_at=NOW)
    return Case("lead_1", [lead, *([sold] if sold else [])])


def test_the_step_posts_a_sale_and_nothing_else():
    step = Post(Roster(sources={"acme": source(share("0.70"))}))
    assert step.wants(case_of(None)) == ()
    assert step.judge(case_of(None), Heard({}), NOW) == Pass()
    learned = step.judge(case_of(sale(6500)), Heard({}), NOW).learned[0]
    assert isinstance(learned, Postings)
    assert list(learned.tell()) == [
        "$65.00 from buyer:buyer1 to revenue:sales (sale).",
        "$45.50 from expense:payouts to payable:acme (payout).",
    ]
    assert step.judge(case_of(sale(6500)), Heard({}), NOW) == Pass((learned,)), "a replay posts the very same"


async def test_an_account_opens_once_with_its_deposit(db, mint):
    credit = Credit("prepay", balance=Money(500000))
    for _ in range(2):
        async with db.begin() as tx:
            await open_account(tx, "helio", credit, NOW, mint)
            await open_account(tx, "helio", credit, NOW, mint)
    async with db.begin() as tx:
        assert await balances(tx) == {CASH: [Money(-500000)], "buyer:helio": [Money(500000)]}
        assert (await guards(tx))["buyer:helio"].available == 500000


async def test_a_payment_is_credited_once(db, mint):
    async with db.begin() as tx:
        await open_account(tx, "helio", Credit("prepay"), NOW, mint)
        assert await deposit(tx, "helio", Money(100), "payment_7", NOW, mint)
        assert not await deposit(tx, "helio", Money(100), "payment_7", NOW, mint)
        assert not await deposit(tx, "helio", Money(0), "payment_8", NOW, mint)
        assert (await guards(tx))["buyer:helio"].available == 100


async def test_changed_terms_move_the_limit_and_nothing_else(db, mint):
    async def terms(credit: Credit) -> int | None:
        async with db.begin() as tx:
            await open_account(tx, "helio", credit, NOW, mint)
            found = (await guards(tx)).get("buyer:helio")
            return found.available if found else None

    assert await terms(Credit("invoice", limit=Money(2000000))) == 2000000
    assert await terms(Credit("invoice", limit=Money(1000))) == 1000
    assert await terms(Credit("prepay", balance=Money(700))) == 700
    assert await terms(Credit("prepay", balance=Money(900))) == 700, "the opening balance is deposited once"
    assert await terms(Credit("invoice")) is None
    with pytest.raises(BadInput, match=r"ledger\.account\.currency"):
        await terms(Credit("prepay", balance=Money(5))) and await terms(Credit("prepay", balance=Money(5, "EUR")))


async def keep(tx, sold: Sale, payout: Payout) -> None:
    roster = Roster(sources={"acme": source(payout)})
    case = case_of(sold)
    Counters(lambda: NOW).keep_sale(tx, case, sold, NOW)
    postings = Post(roster).judge(case, Heard({}), NOW).learned[0]
    assert isinstance(postings, Postings)
    keep_postings(tx, case, postings, NOW)


@pytest.mark.parametrize("payout", [share("0.50"), Payout("fixed", amount=Money(1200))])
async def test_legs_are_taken_back_one_by_one_and_a_fixed_payout_with_the_last(db, payout):
    fixed = payout.model == "fixed"
    async with db.begin() as tx:
        await keep(tx, sale(2000, 1000), payout)
    async with db.begin() as tx:
        await cancel_sale(tx, "sale_1", WHY, NOW)
        events = await reverse_sale(tx, "sale_1", NOW)
        assert list(events[0].tell()) == [
            f"$20.00 went back to buyer1; the source's {'$0.00' if fixed else '$10.00'} was taken back."
        ]
    async with db.begin() as tx:
        assert await check(tx) == []
        assert (await balances(tx))["payable:acme"] == [Money(1200 if fixed else 500)]
        await cancel_sale(tx, "sale_2", WHY, NOW)
        assert len(await reverse_sale(tx, "sale_2", NOW)) == 1
    async with db.begin() as tx:
        assert {money.amount for each in (await balances(tx)).values() for money in each} == {0}
        assert await check(tx) == []
        with pytest.raises(NotFound, match=r"market\.sale\.unknown"):
            await reverse_sale(tx, "sale_9", NOW)


def test_a_buyers_account_is_named_after_it():
    assert buyer_account("helio") == "buyer:helio"
