"""How long a buyer's ping service is waited for, and when it is not asked at all."""

from datetime import UTC, datetime, timedelta

from leadmill.market import Manners
from leadmill.market.tenders.manners import FAILURES, FLOOR_MS

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


def fail(manners: Manners, times: int, now: datetime = NOW) -> None:
    for _ in range(times):
        manners.failed("market.bid.timeout", now)


def test_a_stranger_is_given_what_its_order_allows() -> None:
    assert Manners("helio").budget(1_500, 500) == 500
    assert Manners("helio").budget(300, 500) == 300


def test_a_buyer_is_given_twice_as_long_as_its_slowest_answers_take() -> None:
    manners = Manners("helio")
    for ms in [150] * 19 + [190]:
        manners.answered(ms)
    assert manners.budget(1_500, 500) == 380


def test_nobody_is_given_less_than_the_floor_nor_more_than_its_order_allows() -> None:
    quick, slow = Manners("quick"), Manners("slow")
    for _ in range(20):
        quick.answered(3)
        slow.answered(450)
    assert quick.budget(1_500, 500) == FLOOR_MS
    assert slow.budget(1_500, 500) == 500


def test_a_buyer_that_takes_longer_than_is_left_is_not_asked_and_gets_another_chance() -> None:
    manners = Manners("slow")
    for _ in range(20):
        manners.answered(450)
    assert manners.budget(200, 500) is None
    assert manners.usual == 450
    tries = [manners.budget(200, 500) for _ in range(40)]
    assert any(budget is not None for budget in tries)


def test_waiting_in_vain_is_waited_longer_for_the_next_time() -> None:
    manners = Manners("helio")
    for _ in range(20):
        manners.answered(170)
    before = manners.budget(1_500, 500)
    for _ in range(8):
        manners.failed("market.bid.timeout", NOW, 340)
    assert before == 340
    assert (manners.budget(1_500, 500) or 0) == 500


def test_five_failures_in_a_row_pause_a_buyer_for_a_minute() -> None:
    manners = Manners("helio")
    fail(manners, FAILURES - 1)
    assert manners.may_ask(NOW)
    pause = manners.failed("market.bid.timeout", NOW)
    assert pause is not None and (pause.until - pause.since, pause.failures) == (timedelta(minutes=1), FAILURES)
    assert not manners.may_ask(NOW + timedelta(seconds=59))


def test_one_good_answer_between_forgives_the_failures() -> None:
    manners = Manners("helio")
    fail(manners, FAILURES - 1)
    manners.answered(20)
    fail(manners, FAILURES - 1)
    assert manners.pause is None


def test_after_a_pause_one_ping_is_tried_and_ends_or_doubles_it() -> None:
    manners = Manners("helio")
    fail(manners, FAILURES)
    later = NOW + timedelta(minutes=1)
    assert manners.may_ask(later)
    assert not manners.may_ask(later), "one at a time"
    pause = manners.failed("market.bid.timeout", later)
    assert pause is not None and pause.until - later == timedelta(minutes=2) and pause.since == NOW
    assert manners.may_ask(pause.until)
    assert manners.answered(30)
    assert manners.pause is None and manners.may_ask(pause.until)


def test_failures_of_pings_that_were_under_way_do_not_prolong_a_pause() -> None:
    manners = Manners("helio")
    fail(manners, FAILURES)
    first = manners.pause
    fail(manners, 5)
    assert manners.pause == first


def test_a_trial_that_was_called_off_leaves_room_for_another() -> None:
    manners = Manners("helio")
    fail(manners, FAILURES)
    later = NOW + timedelta(minutes=1)
    assert manners.may_ask(later)
    manners.abandon()
    assert manners.may_ask(later)
