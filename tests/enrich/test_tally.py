"""What follows from counts: shares, times and costs of providers."""

from datetime import UTC, datetime

import pytest

from leadmill.enrich import Quality, Said, Tally
from leadmill.enrich.tally import BOUNDS, bound_of, compare, hour_of, qualities
from leadmill.facts import Fact

NOON = datetime(2026, 3, 4, 12, 34, 56, tzinfo=UTC)


def said(provider: str, took_ms: int = 40, **values: str | bool | None) -> Said:
    facts = [Fact(key, value, "pass", provider) for key, value in values.items()]
    return Said(provider, "known", facts, cost=10, took_ms=took_ms)


def test_a_time_is_sorted_into_the_class_that_holds_it() -> None:
    assert [bound_of(ms) for ms in (0, 2, 3, 40, 10_000, 99_999)] == [2, 2, 5, 50, 10_000, 10_000]
    assert list(BOUNDS) == sorted(set(BOUNDS))


def test_providers_that_speak_of_the_same_are_compared_and_others_are_not() -> None:
    found = {name: (agreed, differed) for name, agreed, differed in compare([
        said("a", type="mobile", carrier="x"), said("b", type="mobile", carrier="y"), said("c", type=None, other="z"),
    ])}  # fmt: skip
    assert found == {"a": (1, 1), "b": (1, 1)}
    assert list(compare([said("a", type="mobile")])) == []


def test_counts_are_taken_once_and_given_back_whole() -> None:
    tally = Tally()
    tally.note("phone", [said("a"), Said("b", "skipped", code="enrich.condition.unmet")], NOON)
    counts = tally.take()
    assert counts["a", "phone", hour_of(NOON), "ms 50"] == 1
    assert counts["b", "phone", hour_of(NOON), "code enrich.condition.unmet"] == 1
    assert tally.take() == {}
    tally.give_back(counts)
    tally.note("phone", [said("a")], NOON)
    assert tally.take()["a", "phone", hour_of(NOON), "cost"] == 20


def test_the_figures_of_a_provider_follow_from_its_counts() -> None:
    times = [("a", "phone", f"ms {ms}", count) for ms, count in ((50, 90), (100, 6), (800, 4))]
    counts = [("a", "phone", what, count) for what, count in (
        ("known", 80), ("unknown", 20), ("cached", 0), ("cost", 400), ("right", 9), ("wrong", 1), ("agreed", 3),
        ("differed", 1), ("code http.time.spent", 2), ("code enrich.budget.spent", 5),
    )]  # fmt: skip
    (one,) = qualities(times + counts)
    assert (one.asked, one.filled, one.truth, one.agreement) == (100, 0.8, 0.9, 0.75)
    assert (one.took(0.5), one.took(0.95), one.took(0.99)) == (50, 100, 800)
    assert (one.a_lead, one.an_answer) == (4.0, 5.0)
    assert one.codes == (("enrich.budget.spent", 5), ("http.time.spent", 2))


def test_nothing_follows_from_nothing() -> None:
    one = Quality(provider="a", topic="phone")
    figures = (one.filled, one.hits, one.faults, one.truth, one.agreement, one.a_lead, one.an_answer, one.took(0.5))
    assert figures == (None,) * 8
    assert one.asked == 0


@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_of_one_time_every_share_is_that_time(share: float) -> None:
    assert Quality(provider="a", topic="b", times=((75, 1),)).took(share) == 75
