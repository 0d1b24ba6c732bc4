"""Shadow prices against what they promise: an upper bound by any prices, and near the optimum by the solved ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.market.allocation.duals import Limits, Problem, Uses, solve


def uses_of(rows, leads, legs=2, weight=1.0):
    """Rows of (lead, order, value, shared, buyer), the order being its own limit."""
    lead, order, value, shared, buyer = (np.array(column) for column in zip(*rows, strict=True))
    return Uses(
        lead,
        value.astype(float),
        np.ones(len(lead)),
        shared.astype(bool),
        buyer,
        order[:, None],
        np.ones((len(lead), 1)),
        np.full(leads, weight),
        np.full(leads, legs),
    )


def best_of_all(rows, leads, caps, legs):
    """The most anybody can earn, by trying every way to use every lead."""
    ways = []
    for lead in range(leads):
        mine = [row for row in rows if row[0] == lead]
        options = [()] + [(row,) for row in mine if not row[3]]
        shared = [row for row in mine if row[3]]
        for size in range(1, legs + 1):
            options += [
                some for some in itertools.combinations(shared, size) if len({row[4] for row in some}) == len(some)
            ]
        ways.append(options)
    best = 0.0
    for choice in itertools.product(*ways):
        used = [row[1] for option in choice for row in option]
        if all(used.count(order) <= cap for order, cap in enumerate(caps)):
            best = max(best, sum(row[2] for option in choice for row in option))
    return best


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 90), st.booleans(), st.integers(0, 2)),
    min_size=1,
    max_size=9,
    unique_by=lambda row: (row[0], row[1]),
).map(sorted)


@settings(max_examples=120, deadline=None)
@given(ROWS, st.lists(st.integers(1, 2), min_size=3, max_size=3), st.lists(st.floats(0, 99), min_size=3, max_size=3))
def test_any_prices_bound_what_anybody_can_earn(rows, caps, prices):
    limits = Limits(caps, np.ones(3), np.full(3, 40.0))
    problem = Problem(uses_of(rows, 4), limits, np.random.default_rng(1), batches=3)
    assert problem.bound(np.array(prices)) >= best_of_all(rows, 4, caps, 2) - 1e-6


def test_solved_prices_come_close_to_the_most_that_can_be_earned():
    random = np.random.default_rng(5)
    leads, orders = 400, 6
    value = random.integers(20, 90, orders)
    rows = [(lead, order, int(value[order]), False, order) for lead in range(leads) for order in range(orders)]
    caps = np.array([20, 40, 60, 30, 50, 300])
    limits = Limits(caps, np.ones(orders), value.astype(float))
    uses = uses_of(rows, leads)
    prices = solve(uses, limits, seed=3, passes=30)
    # Every lead fits every order: the dearest orders are filled first.
    left, most = leads, 0.0
    for order in np.argsort(-value):
        taken = min(left, caps[order])
        left, most = left - taken, most + taken * value[order]
    bound = Problem(uses, limits, random).bound(prices)
    assert most <= bound + 1e-6
    assert bound <= 1.01 * most


def test_a_limit_that_is_not_scarce_is_worth_nothing():
    rows = [(lead, 0, 50, False, 0) for lead in range(50)]
    limits = Limits([500.0], np.ones(1), np.array([50.0]))
    assert solve(uses_of(rows, 50), limits, seed=1)[0] == 0.0


def test_a_scarce_limit_is_worth_nearly_what_the_marginal_lead_pays():
    rows = [(lead, 0, 10 + lead, False, 0) for lead in range(100)]
    limits = Limits([20.0], np.ones(1), np.array([60.0]))
    prices = solve(uses_of(rows, 100), limits, seed=1, passes=40)
    # The best twenty of 10…109 begin at 90.
    assert prices[0] == pytest.approx(89.5, abs=4)


def test_a_budget_is_priced_a_unit_of_money():
    rows = [(lead, 0, 50, False, 0) for lead in range(100)]
    uses = uses_of(rows, 100)
    uses.draws[:] = 50.0
    limits = Limits([1000.0], np.array([50.0]), np.ones(1))
    prices = solve(uses, limits, seed=1, passes=40)
    assert prices[0] == pytest.approx(1.0, abs=0.06)


def test_the_same_seed_gives_the_same_prices():
    rows = [(lead, order, 10 + order + lead % 7, False, order) for lead in range(60) for order in range(3)]
    limits = Limits([5.0, 6.0, 7.0], np.ones(3), np.full(3, 12.0))
    first, second = (solve(uses_of(rows, 60), limits, seed=9) for _ in range(2))
    assert np.array_equal(first, second)


def test_without_leads_nothing_is_scarce():
    nothing = np.zeros(0, np.int64)
    uses = Uses(
        nothing,
        np.zeros(0),
        np.zeros(0),
        np.zeros(0, bool),
        nothing,
        np.zeros((0, 1), np.int64),
        np.zeros((0, 1)),
        np.zeros(0),
        nothing,
    )
    assert solve(uses, Limits([3.0], np.ones(1), np.ones(1)), seed=1)[0] == 0.0
