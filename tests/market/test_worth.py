"""The worth of a sale, the plan over rounds and the rates behind them, against published figures."""

import pytest

from leadmill.market.allocation.accept import ACCEPTS, RETURNS, Counts, Slopes, fit_prior
from leadmill.market.allocation.worth import Candidate, least_bid, plan, reduced

ALONE = [("e0", 60, 0.5), ("e1", 45, 0.9), ("e2", 30, 0.95)]
TOGETHER = [("s0", 20, 0.9), ("s1", 18, 0.8), ("s2", 15, 0.7), ("s3", 9, 0.9)]


def candidates():
    alone = [Candidate(key, f"buyer of {key}", False, worth, odds) for key, worth, odds in ALONE]
    return alone + [Candidate(key, f"buyer of {key}", True, worth, odds) for key, worth, odds in TOGETHER]


@pytest.mark.parametrize(("hedge", "worth", "expected"), [(0.0, 39.40, 33.49), (0.1, 38.387, 32.629)])
def test_a_sale_is_worth_what_it_pays_less_what_its_limits_are_worth(hedge, worth, expected):
    found = reduced(80 * (1 - 0.07), 80, 31, 0.05, hedge, 0.5)
    assert found == pytest.approx(worth, abs=1e-3)
    assert found * 0.85 == pytest.approx(expected, abs=1e-2)


def test_the_least_bid_that_wins_covers_the_rival_the_price_and_the_returns():
    bid = least_bid(30, 0.85, 31, 0.05, 0.07)
    assert bid == pytest.approx(75.33, abs=5e-3)
    assert reduced(bid * 0.93, bid, 31, 0.05, 0, 0) * 0.85 == pytest.approx(30)


@pytest.mark.parametrize(
    ("rounds", "shared", "keys", "value"),
    [
        (1, True, ["s0", "s1", "s2"], 42.9),
        (2, False, ["e0"], 51.45),
        (3, False, ["e0"], 54.15),
    ],
)
def test_with_a_fallback_behind_it_the_dearest_exclusive_is_asked_first(rounds, shared, keys, value):
    found = plan(candidates(), 3, rounds)
    assert found is not None
    assert (found.shared, found.keys) == (shared, keys)
    assert found.value == pytest.approx(value)


def test_a_lead_that_is_shared_already_is_never_offered_alone():
    found = plan(candidates(), 2, 3, alone=False)
    assert found is not None
    assert found.shared
    assert found.keys == ["s0", "s1"]


def test_one_buyer_is_asked_for_one_leg():
    twice = [Candidate("a", "same", True, 20, 0.9), Candidate("b", "same", True, 19, 0.9)]
    found = plan(twice, 4, 4)
    assert found is not None
    assert found.keys == ["a"]


def test_a_lead_that_nobody_pays_enough_for_is_kept():
    assert plan([Candidate("a", "b", False, 0.0, 0.9), Candidate("c", "d", True, -3.0, 0.9)], 3) is None
    assert plan(candidates(), 3, rounds=0) is None


def test_a_population_shows_how_alike_its_members_are():
    hits = (3, 0, 12, 30, 5, 1, 40, 9)
    tries = (50, 4, 300, 900, 20, 60, 250, 100)
    prior = fit_prior([Counts(hit, of) for hit, of in zip(hits, tries, strict=True)], RETURNS)
    assert prior.alpha == pytest.approx(0.895090, abs=1e-6)
    assert prior.beta == pytest.approx(14.178225, abs=1e-6)
    assert prior.rate(5, 20) == pytest.approx(0.168079, abs=1e-6)
    assert prior.rate(40, 250) == pytest.approx(0.154278, abs=1e-6)


@pytest.mark.parametrize(
    "counts",
    [[], [Counts(3, 4)], [Counts(1, 1), Counts(1, 1), Counts(0, 1)], [Counts(9, 9), Counts(7, 7), Counts(8, 8)]],
)
def test_where_there_is_too_little_to_see_the_usual_is_believed(counts):
    assert fit_prior(counts, ACCEPTS) is ACCEPTS


def test_acceptance_that_moves_with_the_lead_is_learned_over_all_orders():
    slopes = Slopes()
    for number in range(4000):
        score, bid = (number % 7 - 3) / 3, (number % 5 - 2) / 10
        slopes.learn(score, bid, 0.15 * score - 0.25 * bid)
    score, bid = slopes.slopes()
    assert score == pytest.approx(0.15, abs=0.01)
    assert bid == pytest.approx(-0.25, abs=0.02)
