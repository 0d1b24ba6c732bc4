"""What became of a lead, as a label."""

from datetime import UTC, datetime, timedelta

import pytest

from leadmill.scoring import Heard, Label, What, label_of
from leadmill.scoring.labels import LATE, Answer, Looked, Outcome, Posted, acceptance_of, review_of

DECIDED = datetime(2026, 3, 1, tzinfo=UTC)
HORIZON = timedelta(days=30)
LATER = DECIDED + timedelta(days=90)


def heard(what: What, day: int, who: str = "helio", late: int = 0) -> Heard:
    at = DECIDED + timedelta(days=day)
    return Heard(who, what, at, at + timedelta(days=late))


@pytest.mark.parametrize(
    ("reports", "converted", "bad"),
    [
        ([], False, False),
        ([heard("open", 1)], False, False),
        ([heard("won", 20)], True, False),
        ([heard("won", 31)], False, False),
        ([heard("lost", 3)], False, False),
        ([heard("bad", 3)], False, True),
        ([heard("returned", 3)], False, True),
        ([heard("lost", 3), heard("won", 9)], True, False),
        ([heard("won", 3), heard("lost", 9)], False, False),
        ([heard("won", 3), heard("bad", 9, "bright")], True, False),
        ([heard("won", 30, late=20)], True, False),
    ],
)
def test_a_label_is_what_each_said_last_within_the_horizon(reports: list[Heard], converted: bool, bad: bool) -> None:
    found = label_of(True, DECIDED, reports, HORIZON, LATER)
    assert (found.converted, found.bad, found.mature) == (converted, bad, True)


def test_nothing_is_known_before_the_horizon_is_full_however_much_was_heard() -> None:
    young = label_of(True, DECIDED, [heard("lost", 2)], HORIZON, DECIDED + timedelta(days=29))
    assert young == Label(None, None, DECIDED + HORIZON + LATE, False)


def test_who_reports_a_sale_within_the_horizon_late_is_waited_for() -> None:
    day = DECIDED + HORIZON + LATE
    sale = [heard("won", 29, late=6)]
    assert label_of(True, DECIDED, sale, HORIZON, day - timedelta(days=1)).converted is None
    assert label_of(True, DECIDED, sale, HORIZON, day).converted is True
    assert label_of(True, DECIDED, [], HORIZON, DECIDED + HORIZON, late=timedelta(0)).converted is False


def test_what_would_have_become_of_a_lead_that_nobody_got_is_not_known() -> None:
    assert label_of(False, DECIDED, [], HORIZON, LATER) == Label(None, None, DECIDED + HORIZON + LATE, False)


def test_a_label_is_known_when_the_last_that_makes_it_was_heard() -> None:
    assert label_of(True, DECIDED, [heard("won", 30, late=20)], HORIZON, LATER).at == DECIDED + timedelta(days=50)
    assert label_of(True, DECIDED, [heard("won", 3)], HORIZON, LATER).at == DECIDED + HORIZON + LATE


def posted(what: Answer, day: int) -> Posted:
    return Posted(what, DECIDED + timedelta(days=day))


@pytest.mark.parametrize(
    ("answers", "day", "accepted", "known_on"),
    [
        ([], 90, None, None),
        ([posted("took", 1)], 1, True, 1),
        ([posted("refused", 1), posted("took", 2)], 2, True, 2),
        ([posted("refused", 1), posted("open", 2)], 3, None, None),
        ([posted("refused", 1), posted("open", 2)], 30, False, 1),
        ([posted("refused", 1), posted("failed", 2)], 3, False, 1),
        ([posted("failed", 2)], 90, None, None),
        ([posted("open", 2)], 90, None, None),
        ([posted("refused", 1), posted("took", 31)], 90, False, 1),
    ],
)
def test_a_lead_was_accepted_if_anybody_took_it_and_refused_once_nobody_is_asked_any_more(
    answers: list[Posted], day: int, accepted: bool | None, known_on: int | None
) -> None:
    found = acceptance_of(answers, DECIDED, HORIZON, DECIDED + timedelta(days=day))
    assert found == Outcome(accepted, None if known_on is None else DECIDED + timedelta(days=known_on))


def test_the_desks_last_word_counts_and_its_silence_says_nothing() -> None:
    looks = [Looked(False, DECIDED + timedelta(days=2)), Looked(True, DECIDED + timedelta(days=1))]
    assert review_of(looks) == Outcome(True, DECIDED + timedelta(days=2))
    assert review_of([]) == Outcome(None)


def test_what_makes_a_label_is_told_with_when_it_was_heard() -> None:
    assert label_of(True, DECIDED, [], HORIZON, LATER).told_at is None
    found = label_of(True, DECIDED, [heard("open", 2), heard("won", 9, late=4)], HORIZON, LATER)
    assert found.told_at == DECIDED + timedelta(days=13)
