"""Clocks in business hours, cases that two decide, who may decide what, and agreement beyond chance."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput
from leadmill.core.ids import Mint
from leadmill.review import (
    CHOICES,
    FEWEST,
    GROUNDS,
    HOLDS,
    MARKS,
    REJECTS,
    Pair,
    ReviewCase,
    ReviewTerms,
    agreement,
    by_reason,
    by_reviewer,
    due_at,
    is_sampled,
    label_of,
    may_hold,
    may_mark,
    may_override,
    may_take,
    read_review,
    trend,
)
from leadmill.review.rules import ground_fits, next_stage
from tests.conftest import FixedClock

WEEK = {"tz": "America/New_York", "open": ["mon-fri 08:00-18:00"]}


def terms(**given: Any) -> ReviewTerms:
    return read_review({"id": "all", **given})


@pytest.mark.parametrize(
    ("given", "since", "due"),
    [
        # Without hours, the clock never stops.
        ({"minutes": 90}, "2026-03-04T23:30:00Z", "2026-03-05T01:00:00Z"),
        # Wednesday 10:00 in New York, four hours: the same afternoon.
        ({"hours": WEEK}, "2026-03-04T15:00:00Z", "2026-03-04T19:00:00Z"),
        # Friday 17:00, four hours: Monday 11:00, and the clocks were moved on the Sunday between.
        ({"hours": WEEK}, "2026-03-06T22:00:00Z", "2026-03-09T15:00:00Z"),
        # Saturday: Monday from eight.
        ({"hours": WEEK, "minutes": 30}, "2026-03-07T12:00:00Z", "2026-03-09T12:30:00Z"),
        # A closed day is no day.
        ({"hours": WEEK, "minutes": 30, "closed": ["2026-03-09"]}, "2026-03-07T12:00:00Z", "2026-03-10T12:30:00Z"),
        # Ends exactly with the day.
        ({"hours": WEEK, "minutes": 60}, "2026-03-04T22:00:00Z", "2026-03-04T23:00:00Z"),
        # A night shift runs over midnight.
        (
            {"hours": {"open": ["mon-fri 22:00-02:00"]}, "minutes": 180},
            "2026-03-02T23:30:00Z",
            "2026-03-03T22:30:00Z",
        ),
        # A night of seven hours, and one of five.
        (
            {"hours": {"tz": "America/New_York", "open": ["sun 00:00-06:00"]}, "minutes": 420},
            "2026-11-01T04:00:00Z",
            "2026-11-01T11:00:00Z",
        ),
        (
            {"hours": {"tz": "America/New_York", "open": ["sun 00:00-06:00"]}, "minutes": 300},
            "2026-03-08T05:00:00Z",
            "2026-03-08T10:00:00Z",
        ),
        # Hours written in any order, and over one another, are worked once each.
        (
            {"hours": {"open": ["mon 12:00-14:00", "mon 08:00-10:00", "mon 09:00-11:00"]}, "minutes": 240},
            "2026-03-02T08:00:00Z",
            "2026-03-02T13:00:00Z",
        ),
        # A night shift goes on into a closed day, on which none begins.
        (
            {"hours": {"open": ["mon-fri 22:00-02:00"]}, "minutes": 180, "closed": ["2026-03-03"]},
            "2026-03-02T23:30:00Z",
            "2026-03-04T22:30:00Z",
        ),
        # A reason of its own.
        ({"minutes": 600, "due": {"fraud.lead.review": 15}}, "2026-03-04T10:00:00Z", "2026-03-04T10:15:00Z"),
    ],
)
def test_a_case_is_due_so_many_open_minutes_after_it_began_to_wait(given: dict[str, Any], since: str, due: str) -> None:
    found = due_at(terms(**given), "fraud.lead.review", datetime.fromisoformat(since))
    assert found == datetime.fromisoformat(due)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 5_000),
    st.integers(0, 600),
)
def test_who_waits_longer_is_never_due_earlier_for_it(since: datetime, minutes: int, later: int) -> None:
    worked = terms(hours=WEEK, minutes=minutes)
    first = due_at(worked, "", since)
    assert since < first <= due_at(worked, "", since + timedelta(minutes=later))


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        ({"hours": {"open": []}}, "/hours/open"),
        ({"hours": {"open": ["always"]}}, "/hours/open"),
        ({"closed": ["Christmas"]}, "/closed"),
        ({"due": {"fraud.lead.review": 0}}, "/due/fraud.lead.review"),
        ({"second_share": "2"}, "/second_share"),
        ({"undo_seconds": -1}, "/undo_seconds"),
        ({"minuets": 3}, "/minuets"),
        ({"notify": ["ops"]}, "/notify"),
        ({"notify": ["ops@example.com, all@example.com"]}, "/notify"),
    ],
)
def test_a_mistake_in_the_terms_is_told_with_its_place(raw: dict[str, Any], at: str) -> None:
    with pytest.raises(BadInput) as caught:
        terms(**raw)
    assert caught.value.code == "config.review.malformed"
    assert caught.value.errors[0].pointer.replace("/", ".") == at.replace("/", ".")


def test_which_cases_two_decide_follows_from_their_ids_alone() -> None:
    ids = [f"rev_{number}" for number in range(2_000)]
    some = {one for one in ids if is_sampled(one, 100_000)}
    assert some == {one for one in ids if is_sampled(one, 100_000)} and 150 < len(some) < 250
    assert some <= {one for one in ids if is_sampled(one, 200_000)}, "a larger share holds the smaller one"
    assert not any(is_sampled(one, 0) for one in ids) and all(is_sampled(one, 1_000_000) for one in ids)


@pytest.mark.parametrize("share", [10_000, 50_000, 500_000])
def test_of_the_cases_as_they_are_opened_the_share_that_was_declared_is_decided_by_two(
    share: int, mint: Mint, clock: FixedClock
) -> None:
    # Ids of one moment and of many: neither the moment nor the order of arrival makes a case likelier.
    many = [mint("rev", clock.advance(seconds=number % 7)) for number in range(20_000)]
    p = share / 1_000_000
    for ids in (many, many[::2], many[1::2], many[-5_000:]):
        drawn = sum(is_sampled(one, share) for one in ids)
        assert abs(drawn - p * len(ids)) <= 4 * (p * (1 - p) * len(ids)) ** 0.5


NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
CASE = ReviewCase(
    id="rev_1",
    lead_id="lead_1",
    vertical="solar",
    source_id="acme",
    reason="fraud.lead.review",
    says="",
    rule="",
    citation="",
    score=40,
    worth=5_000,
    currency="USD",
    test=False,
    since=NOW,
    due_at=NOW,
    stage="open",
    sampled=True,
    turn=1,
)


def case(**changed: Any) -> ReviewCase:
    return msgspec.structs.replace(CASE, **changed)


@pytest.mark.parametrize(
    ("one", "who", "supervises", "may"),
    [
        (case(), "ann", False, True),
        (case(stage="second", first_by="ann"), "ann", True, False),
        (case(stage="second", first_by="ann"), "bob", False, True),
        (case(stage="third", first_by="ann", second_by="bob"), "cid", False, False),
        (case(stage="third", first_by="ann", second_by="bob"), "cid", True, True),
        (case(stage="third", first_by="ann", second_by="bob"), "bob", True, False),
        (case(stage="decided"), "ann", True, False),
        (case(stage="closed"), "ann", True, False),
    ],
)
def test_the_second_is_not_the_first_and_the_third_supervises(
    one: ReviewCase, who: str, supervises: bool, may: bool
) -> None:
    assert may_take(one, who, supervises) is may


@pytest.mark.parametrize(
    ("one", "choice", "first", "stage"),
    [
        (case(sampled=False), "approve", None, "decided"),
        (case(), "approve", None, "second"),
        (case(stage="second"), "approve", "approve", "decided"),
        (case(stage="second"), "reject", "approve", "third"),
        (case(stage="third"), "reject", "approve", "decided"),
    ],
)
def test_two_who_disagree_bring_a_third(one: ReviewCase, choice: str, first: str | None, stage: str) -> None:
    assert next_stage(one, choice, first) == stage


def pairs(*counted: tuple[str, str, int]) -> list[tuple[str, str]]:
    return [(first, second) for first, second, count in counted for _ in range(count)]


@pytest.mark.parametrize(
    ("given", "raw", "kappa"),
    [
        # Cohen's textbook case: 20 and 15 agreed of 50, expected by chance one half.
        (pairs(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)), 0.7, 0.4),
        (pairs(("yes", "yes", 10), ("no", "no", 10)), 1.0, 1.0),
        (pairs(("yes", "no", 10), ("no", "yes", 10)), 0.0, -1.0),
        (pairs(("yes", "yes", 20)), 1.0, None),
        (pairs(("yes", "yes", FEWEST - 1)), None, None),
        ([], None, None),
    ],
)
def test_agreement_is_told_beyond_chance_where_there_is_enough(
    given: list[tuple[str, str]], raw: float | None, kappa: float | None
) -> None:
    found = agreement(given)
    assert (found.pairs, found.agreed) == (len(given), sum(first == second for first, second in given))
    assert found.raw == pytest.approx(raw) if raw is not None else found.raw is None
    assert found.kappa == pytest.approx(kappa) if kappa is not None else found.kappa is None


def test_agreement_is_told_of_each_reason_and_of_each_reviewer_on_either_side() -> None:
    found = [
        Pair("fraud.lead.review", "ann", "approve", "bob", "reject"),
        Pair("policy.lead.review", "bob", "approve", "ann", "approve"),
    ]
    assert {name: (one.whole.pairs, one.whole.agreed) for name, one in by_reason(found, NOW).items()} == {
        "fraud.lead.review": (1, 0),
        "policy.lead.review": (1, 1),
    }
    people = {name: (one.whole.pairs, one.whole.agreed) for name, one in by_reviewer(found, NOW).items()}
    assert people == {"ann": (2, 1), "bob": (2, 1)}


@pytest.mark.parametrize(
    ("given", "limits", "ac1", "skewed"),
    [
        # Chance one half: limits of the share by Wilson, 0.5623 and 0.8090, stretched over it.
        (
            pairs(("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15)),
            (0.1246, 0.6180),
            0.4059,
            False,
        ),
        # Nearly all alike: 92 of 100 agree, kappa says 0.16, AC1 0.91 (expected 0.095 by how often each was chosen).
        (pairs(("yes", "yes", 91), ("yes", "no", 4), ("no", "yes", 4), ("no", "no", 1)), (0.0, 0.51), 0.9116, True),
        # Everybody agreed in every pair: that is not certainty.
        (pairs(("yes", "yes", 10), ("no", "no", 10)), (0.6777, 1.0), 1.0, False),
    ],
)
def test_agreement_has_limits_and_a_measure_for_where_nearly_all_is_decided_alike(
    given: list[tuple[str, str]], limits: tuple[float, float], ac1: float, skewed: bool
) -> None:
    found = agreement(given, scale=2)
    assert found.kappa is not None and found.kappa_limits is not None and found.ac1_limits is not None
    assert found.kappa_limits[0] <= found.kappa <= found.kappa_limits[1]
    assert found.ac1_limits[0] <= (found.ac1 or 0) <= found.ac1_limits[1]
    assert found.ac1 == pytest.approx(ac1, abs=1e-3) and found.skewed is skewed
    if not skewed:
        assert found.kappa_limits == pytest.approx(limits, abs=1e-3)


@pytest.mark.parametrize(
    ("before", "late", "drifts"),
    [
        ((90, 10), (45, 5), False),
        ((90, 10), (30, 20), True),
        ((90, 10), (5, 5), None),
        ((10, 5), (45, 5), None),
        ((40, 0), (40, 0), False),
    ],
)
def test_agreement_that_drifts_is_told_from_chance(
    before: tuple[int, int], late: tuple[int, int], drifts: bool | None
) -> None:
    def some(alike: int, apart: int, at: datetime) -> list[Pair]:
        return [
            Pair("", "ann", "approve", "bob", "approve" if number < alike else "reject", at)
            for number in range(alike + apart)
        ]

    found = trend(some(*late, NOW) + some(*before, NOW - timedelta(days=60)), NOW - timedelta(days=30))
    assert found.drifts is drifts
    assert (found.recent.pairs, found.whole.pairs) == (sum(late), sum(late) + sum(before))


@given(st.lists(st.tuples(st.sampled_from(CHOICES), st.sampled_from(CHOICES)), min_size=FEWEST, max_size=60))
def test_agreement_never_leaves_its_limits_nor_one(given: list[tuple[str, str]]) -> None:
    found = agreement(given)
    for value, limits in (
        (found.raw, found.raw_limits),
        (found.kappa, found.kappa_limits),
        (found.ac1, found.ac1_limits),
    ):
        if value is not None and limits is not None:
            assert limits[0] - 1e-9 <= value <= limits[1] + 1e-9 and limits[1] <= 1 + 1e-9
    turned = agreement([(second, first) for first, second in given])
    assert turned.raw == found.raw and turned.ac1 == pytest.approx(found.ac1)
    assert (turned.kappa is None) is (found.kappa is None)


@pytest.mark.parametrize(
    ("state", "reason", "may"),
    [
        ("rejected", "scoring.points.rejected", True),
        ("rejected", "fraud.lead.rejected", True),
        ("rejected", "flow.desk.dismissed", True),
        ("nurture", "scoring.points.nurture", True),
        ("rejected", "policy.lead.denied", False),
        ("rejected", "policy.person.suppressed", False),
        ("rejected", "optouts.person.opted_out", False),
        ("rejected", "flow.person.forgotten", False),
        ("duplicate", "identity.lead.duplicate", False),
        ("sold", None, False),
    ],
)
def test_only_our_own_judgement_is_overridden(state: str, reason: str | None, may: bool) -> None:
    assert may_override(state, reason) is may


@pytest.mark.parametrize(
    ("state", "held", "marked"),
    [
        ("bidding", True, True),
        ("unsold", True, True),
        ("nurture", True, True),
        ("sold", False, True),
        ("assigned", False, True),
        ("rejected", False, True),
        ("duplicate", False, True),
        ("review", False, False),
        ("test", False, False),
    ],
)
def test_what_could_still_be_sold_is_held_and_what_is_not_on_the_desk_is_marked(
    state: str, held: bool, marked: bool
) -> None:
    assert (may_hold(state), may_mark(state)) == (held, marked)
    assert not any(ground.label for ground in HOLDS.values()), "who holds a lead says nothing of it yet"
    assert set(MARKS) < set(REJECTS)


def test_a_decision_teaches_what_its_ground_says() -> None:
    assert label_of("approve", "") == "good" and label_of("nurture", "") is None
    assert label_of("reject", "made_up") == "bad" and label_of("reject", "doubtful_consent") is None
    assert all(GROUNDS[code].says for code in GROUNDS)
    assert ground_fits("reject", "other", GROUNDS) and not ground_fits("reject", "", GROUNDS)
    assert not ground_fits("approve", "other", GROUNDS)
