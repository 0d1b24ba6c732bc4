"""Holidays, business days and calendar months."""

from datetime import UTC, date, datetime, timedelta

import pytest

from leadmill.policy.calendars import Calendar, add_months, local_day, midnight, within_months
from tests.policy.engine import engine

CALENDAR = Calendar([day for law in engine().laws for day in law.holidays])

TERMS = [
    ("2026-11-20", 10, "business", "2026-12-07"),
    ("2026-11-20", 15, "business", "2026-12-14"),
    ("2026-11-20", 45, "calendar", "2027-01-04"),
    ("2026-11-20", 90, "calendar", "2027-02-18"),
    ("2026-11-25", 3, "saturdays", "2026-11-30"),
    ("2026-11-25", 5, "business", "2026-12-03"),
    ("2026-12-24", 1, "business", "2026-12-28"),
]


@pytest.mark.parametrize(("start", "days", "counting", "last"), TERMS)
def test_a_term_ends_on_its_last_day(start: str, days: int, counting: str, last: str) -> None:
    found = CALENDAR.add(date.fromisoformat(start), days, counting)  # type: ignore[arg-type]
    assert found == date.fromisoformat(last)


HOLIDAYS = (
    "2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-07-03 "
    "2026-07-04 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25"
)


def test_the_federal_holidays_of_a_year() -> None:
    days = (date.fromordinal(number) for number in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()))
    assert " ".join(day.isoformat() for day in days if CALENDAR.is_holiday(day)) == HOLIDAYS


def test_a_new_years_day_on_a_saturday_closes_the_old_years_last() -> None:
    assert CALENDAR.is_holiday(date(2027, 12, 31))
    assert not CALENDAR.is_holiday(date(2026, 12, 31))


def test_juneteenth_is_a_holiday_since_2021() -> None:
    assert not CALENDAR.is_holiday(date(2020, 6, 19))
    assert CALENDAR.is_holiday(date(2021, 6, 18))  # a Saturday's, observed


MONTHS = [("2026-11-30", 3, "2027-02-28"), ("2027-11-30", 3, "2028-02-29"), ("2026-08-22", 3, "2026-11-22")]


@pytest.mark.parametrize(("start", "months", "last"), MONTHS)
def test_months_are_held_to_the_months_end(start: str, months: int, last: str) -> None:
    assert add_months(date.fromisoformat(start), months).isoformat() == last


def test_months_are_told_by_the_dates_of_every_zone() -> None:
    then = datetime(2026, 8, 22, 15, tzinfo=UTC)
    late = datetime(2026, 11, 23, 6, tzinfo=UTC)  # the 23rd in New York, the 22nd in Los Angeles
    assert within_months(then, late, 3, ["America/Los_Angeles"])
    assert not within_months(then, late, 3, ["America/Los_Angeles", "America/New_York"])


def test_a_local_day_begins_at_its_midnight() -> None:
    assert midnight(date(2026, 12, 11), "America/New_York") == datetime(2026, 12, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize("moment", [datetime.min, datetime.max], ids=["the first", "the last"])
def test_the_ends_of_the_calendar_have_days_and_midnights_in_every_zone(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        day = local_day(at, zone)
        assert day == at.date()
        assert abs(midnight(day, zone) - at) <= timedelta(days=2)
        assert add_months(day, 12) in (date.max, date(2, 1, 1))
        assert add_months(day, -12) in (date.min, date(9998, 12, 31))
