"""What signals were worth: shares that shrink where there is little to go by, and intervals that hold what they say."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.fraud import Beta, Tally, interval, worth_of
from leadmill.fraud.intervals import chance_below, quantile


def tally(code: str, **counts: int) -> Tally:
    return Tally(vertical="solar", source_id="acme", code=code, **counts)


@pytest.mark.parametrize(
    ("belief", "share", "chance"),
    [
        (Beta(1, 1), 0.3, 0.3),
        (Beta(2, 3), 0.5, 0.6875),
        (Beta(0.5, 0.5), 0.25, 1 / 3),  # the arcsine law
        (Beta(3, 1), 0.5, 0.125),
        (Beta(5, 5), 1, 1),
        (Beta(5, 5), 0, 0),
    ],
)
def test_the_chance_below_a_share_is_the_known_one(belief: Beta, share: float, chance: float) -> None:
    assert chance_below(belief, share) == pytest.approx(chance, abs=5e-4)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_the_chance_below_a_share_is_that_of_so_many_hits(hits: int, misses: int, share: float) -> None:
    """Of n = a + b − 1 tries at least a hit with the chance I(a, b) (DLMF 8.17.5)."""
    tries = hits + misses - 1
    exact = sum(comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in range(hits, tries + 1))
    assert chance_below(Beta(hits, misses), share) == pytest.approx(exact, abs=1e-9)


@given(st.floats(0.1, 5_000), st.floats(0.1, 5_000), st.floats(0.01, 0.99))
def test_a_quantile_is_where_the_chance_is(hits: float, misses: float, chance: float) -> None:
    belief = Beta(hits, misses)
    share = quantile(belief, chance)
    assert 0 <= share <= 1
    if 1e-9 < share < 1 - 1e-9:
        assert chance_below(belief, share) == pytest.approx(chance, abs=1e-6)


@given(st.integers(0, 50), st.integers(0, 50))
def test_an_interval_holds_its_mean_and_narrows_with_what_is_seen(hits: int, misses: int) -> None:
    belief = Beta(1 + hits, 1 + misses)
    low, high = interval(belief)
    assert low < belief.mean < high
    more_low, more_high = interval(Beta(10 * (1 + hits), 10 * (1 + misses)))
    assert more_high - more_low < high - low


def test_a_signal_of_which_little_is_seen_is_taken_for_one_that_says_nothing() -> None:
    rows = [tally("", seen=2_000, sold=1_000, returned=100), tally("form.fast", seen=3, sold=2, returned=2)]
    whole, [fast] = worth_of(rows)
    assert whole.share == pytest.approx(0.1, abs=0.001)
    assert fast.share == pytest.approx((2 + 1) / 12, abs=0.01) and fast.lift == pytest.approx(2.5, abs=0.1)
    assert fast.low < 0.1 < fast.high


def test_a_signal_of_which_much_is_seen_speaks_for_itself() -> None:
    rows = [
        tally("", seen=2_000, sold=1_000, returned=100),
        tally("form.webdriver", seen=300, held=20, rejected=1, sold=100, returned=80),
        tally("form.webdriver", seen=300, sold=100, returned=80),
        tally("form.pasted", seen=10),
    ]
    _, [driven, pasted] = worth_of(rows)
    assert (driven.seen, driven.held, driven.rejected, driven.sold, driven.returned) == (600, 20, 1, 200, 160)
    assert driven.low > 0.7 and driven.high < 0.83
    assert (pasted.sold, pasted.returned) == (0, 0)


def test_where_nothing_was_seen_nothing_breaks() -> None:
    whole, signals = worth_of([])
    assert (whole.seen, whole.returned, signals) == (0, 0, [])
    [late] = worth_of([tally("", seen=1, returned=3), tally("form.fast", returned=3)])[1]
    assert 0 <= late.low <= late.high <= 1
