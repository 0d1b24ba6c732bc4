"""How good a source is, and whether it has changed: what is believed goes with what was seen, and no sooner."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.fraud.intervals import interval
from leadmill.fraud.quality import Yield, fit_prior, watch

USUAL = 0.1
PATIENCE = 1_000.0


def drawn(rng: random.Random, strength: float, sources: int = 200) -> list[Yield]:
    """Sources whose shares come from a beta distribution of this strength around one tenth."""
    found = []
    for _ in range(sources):
        share, tries = rng.betavariate(USUAL * strength, (1 - USUAL) * strength), rng.choice((5, 40, 200, 400))
        found.append(Yield(sum(rng.random() < share for _ in range(tries)), tries))
    return found


@pytest.mark.parametrize("strength", [5, 40, 300])
def test_how_alike_sources_are_is_found_from_their_counts(strength: float) -> None:
    prior = fit_prior(drawn(random.Random(7), strength))
    assert prior.mean == pytest.approx(USUAL, abs=0.02)
    assert strength / 1.7 < prior.hits + prior.misses < strength * 1.7


def test_a_source_with_few_leads_is_taken_to_be_like_the_others() -> None:
    others = drawn(random.Random(1), 60)
    prior = fit_prior([*others, Yield(3, 3)])
    assert prior.after(3, 3).mean < 0.25, "three of three is not every one"
    assert prior.after(300, 1000).mean == pytest.approx(0.3, abs=0.02), "a thousand leads speak for themselves"


def test_the_share_that_sources_were_drawn_with_lies_in_its_interval_as_often_as_the_interval_says() -> None:
    rng, inside, total = random.Random(11), 0, 0
    shares = [rng.betavariate(4, 36) for _ in range(400)]
    yields = [Yield(sum(rng.random() < share for _ in range(50)), 50) for share in shares]
    prior = fit_prior(yields)
    for share, seen in zip(shares, yields, strict=True):
        low, high = interval(prior.after(seen.hits, seen.tries), 0.9)
        inside, total = inside + (low <= share <= high), total + 1
    assert 0.85 < inside / total < 0.95


@pytest.mark.parametrize(
    "yields", [[], [Yield(0, 0)], [Yield(0, 50)], [Yield(5, 5)], [Yield(0, 100_000), Yield(100_000, 100_000)]]
)
def test_any_counts_give_a_belief_that_is_neither_sure_nor_empty(yields: list[Yield]) -> None:
    prior = fit_prior(yields)
    assert 0 < prior.mean < 1
    assert 1.9 < prior.hits + prior.misses < 5_100


def days(rng: random.Random, share: float, count: int, leads: int = 30) -> list[Yield]:
    return [Yield(sum(rng.random() < share for _ in range(leads)), leads) for _ in range(count)]


def test_without_a_change_alarms_are_as_rare_as_promised() -> None:
    rng = random.Random(5)
    alarms = 0
    for _ in range(60):
        steps = days(rng, USUAL, 100)
        alarms += any(watch(steps[:day], USUAL).is_sure(PATIENCE) for day in range(1, 101))
    assert alarms <= 6, "6,000 days, one in a thousand at most"


def test_a_source_that_turns_bad_is_found_within_days_and_since_when() -> None:
    rng = random.Random(9)
    for _ in range(20):
        steps = days(rng, USUAL, 60) + days(rng, 0.3, 12)
        found = next(day for day in range(61, 73) if watch(steps[:day], USUAL).is_sure(PATIENCE))
        assert found - 60 <= 8
        assert watch(steps[:found], USUAL).since <= found - 60 + 15


def test_a_share_that_falls_is_no_alarm() -> None:
    steps = days(random.Random(2), 0.02, 200)
    assert watch(steps, USUAL).evidence < 10


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30),
    st.floats(0.001, 0.9),
)
def test_more_hits_are_never_less_evidence(counts: list[tuple[int, int]], usual: float) -> None:
    steps = [Yield(hits, hits + misses) for hits, misses in counts]
    worse = [Yield(min(one.tries, one.hits + 1), one.tries) for one in steps]
    assert watch(worse, usual).evidence >= watch(steps, usual).evidence - 1e-9


def test_days_without_leads_change_nothing() -> None:
    steps = days(random.Random(4), 0.25, 10)
    spread = [one for step in steps for one in (step, Yield(0, 0))]
    assert watch(spread, USUAL) == watch(steps, USUAL)
