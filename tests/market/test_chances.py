"""How likely a lead is refused, comes back or is won: tables of known values, and what must hold of any counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.market.allocation.accept import RETURNS, Prior
from leadmill.market.allocation.chances import (
    MOST_LIKELY,
    WINS,
    About,
    Cell,
    Cells,
    Chances,
    Rates,
    Traits,
    about_of,
    count,
    fit_rates,
    fit_values,
    on_odds,
    shrunk_ratios,
    traits_of,
)

USUAL = About("solar", "acme", "solar C", "0")


def test_what_is_expected_of_each_recipient_is_told_by_name() -> None:
    assert Chances().by_recipient("solar") == []
    rates = Rates(0.1, ({}, {}, {"helio": 2.0, "bright": 0.5}, {}, {}))
    told = Chances(returned=rates, values={"": 900, "helio": 1200}).by_recipient("solar")
    assert [(one.recipient, one.refused, one.won, one.value) for one in told] == [
        ("bright", None, None, 900),
        ("helio", None, None, 1200),
    ]
    assert [one.returned for one in told] == pytest.approx([0.05, 0.2])


def cells(*rows: tuple[Traits, float, float]) -> Cells:
    return {traits: Cell(hits, tries) for traits, hits, tries in rows}


def leg(recipient: str = "helio", tier: str = "C", source: str = "acme", suspicion: int = 0) -> Traits:
    return traits_of(about_of("solar", source, tier, suspicion), recipient)


@pytest.mark.parametrize(
    ("probability", "factor", "found"),
    [(0.5, 1.0, 0.5), (0.5, 3.0, 0.75), (0.1, 2.0, 2 / 11), (0.2, 0.0, 0.0), (0.0, 5.0, 0.0), (1.0, 2.0, MOST_LIKELY)],
)
def test_a_factor_moves_the_odds_of_what_a_model_foresaw(probability: float, factor: float, found: float) -> None:
    assert on_odds(probability, factor) == pytest.approx(found)


def test_few_levels_are_drawn_towards_one_as_by_ten_hits() -> None:
    assert shrunk_ratios({"a": (20, 10.0), "b": (0, 10.0)}) == pytest.approx({"a": 1.5, "b": 0.5})


def test_levels_that_differ_no_more_than_chance_are_all_alike() -> None:
    found = shrunk_ratios({str(n): (100 + n % 3 - 1, 100.0) for n in range(9)})
    assert all(ratio == pytest.approx(1.0, abs=0.01) for ratio in found.values())


def test_without_enough_legs_nothing_is_said() -> None:
    assert fit_rates(cells((leg(), 3, 49)), RETURNS) is None
    assert fit_rates({}, RETURNS) is None


def test_one_kind_of_leg_has_the_rate_that_was_seen() -> None:
    found = fit_rates(cells((leg(), 200, 1000)), RETURNS)
    assert found is not None
    assert found.rate(leg()) == pytest.approx(0.2, abs=0.01)


def test_a_recipient_and_a_tier_have_their_own_rates_once_much_is_known() -> None:
    rows = [
        (leg(name, tier), share * 2000, 2000.0)
        for name, one in (("helio", 0.5), ("bright", 1.0), ("volt", 2.0))
        for tier, other in (("A", 0.5), ("C", 1.0), ("E", 2.0))
        for share in (0.05 * one * other,)
    ]
    found = fit_rates(cells(*rows), RETURNS)
    assert found is not None
    for traits, hits, tries in rows:
        assert found.rate(traits) == pytest.approx(hits / tries, rel=0.06)


def test_a_recipient_of_whom_little_is_known_is_held_near_what_all_do() -> None:
    rows = [(leg(f"b{n}"), 50.0 + 10 * (n % 3), 1000.0) for n in range(6)]
    found = fit_rates(cells(*rows, (leg("young"), 2.0, 4.0)), RETURNS)
    assert found is not None
    assert 0.05 < found.rate(leg("young")) < 0.12
    assert found.rate(leg("never seen")) == pytest.approx(found.base * found.without_recipient(USUAL), rel=1e-9)


def test_suspicion_moves_what_comes_back() -> None:
    rows = [(leg(suspicion=tenth * 10), (0.03 + 0.05 * tenth) * 800, 800.0) for tenth in range(6)]
    found = fit_rates(cells(*rows), RETURNS)
    assert found is not None
    rates = [found.rate(leg(suspicion=tenth * 10)) for tenth in range(6)]
    assert rates == sorted(rates)
    assert rates[5] > 4 * rates[0]


def test_a_tier_counts_within_its_vertical_and_suspicion_by_tenths() -> None:
    assert about_of("solar", "acme", "A", 100) == About("solar", "acme", "solar A", "9")
    assert about_of("solar", "acme", None, None) == About("solar", "acme", "", "")


def test_the_same_rates_are_read_one_by_one_and_for_many_recipients() -> None:
    rows = [(leg(name), hits, 500.0) for name, hits in (("helio", 10.0), ("bright", 40.0), ("volt", 90.0))]
    found = fit_rates(cells(*rows), WINS)
    assert found is not None
    names = ("helio", "bright", "volt", "nobody")
    assert found.of_recipients(USUAL, names) == pytest.approx([found.rate(leg(name)) for name in names])
    told = found.of_recipients(USUAL, names, foreseen=0.4)
    assert told[3] == pytest.approx(0.4)
    assert told[0] < told[1] < told[2]


_LEG = st.builds(leg, st.sampled_from("abcd"), st.sampled_from("ACE"), st.sampled_from("xy"), st.integers(0, 100))


@given(st.lists(st.tuples(_LEG, st.booleans()), max_size=120), st.sampled_from([RETURNS, WINS, Prior(2, 8)]))
def test_a_rate_is_a_probability_whatever_was_counted(legs: list[tuple[Traits, bool]], prior: Prior) -> None:
    counted: Cells = {}
    for traits, hit in legs:
        count(counted, traits, hit)
    found = fit_rates(counted, prior, least=1)
    for traits, _ in legs:
        assert found is not None
        assert 0 < found.rate(traits) <= MOST_LIKELY


@given(st.integers(1, 20), st.integers(0, 20))
def test_thin_data_stays_with_the_prior(tries: int, hits: int) -> None:
    found = fit_rates(cells((leg(), min(hits, tries), tries)), RETURNS, least=1)
    assert found is not None
    one = RETURNS.rate(min(hits, tries), tries)
    assert abs(found.rate(leg()) - one) <= abs(min(hits, tries) / tries - one) + 0.25


def test_a_win_is_worth_what_was_told_drawn_towards_everybodys() -> None:
    assert fit_values({}) == {}
    found = fit_values({"helio": [100] * 95, "young": [1000]})
    assert found[""] == 109
    assert found["helio"] == pytest.approx(100, abs=2)
    assert 200 < found["young"] < 400


def test_rates_of_another_release_decode_with_what_they_had() -> None:
    assert Rates(0.1).rate(leg()) == pytest.approx(0.1)
