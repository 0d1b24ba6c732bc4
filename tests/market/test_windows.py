"""Windows and hours by the clock on the wall, across the nights when it jumps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.hours import Schedule, is_open, local_words, parse_span
from leadmill.market.model import Per
from leadmill.market.windows import FIRST, LAST, bounds

LA = "America/Los_Angeles"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("per", "tz", "at", "starts", "ends"),
    [
        (Per.HOUR, "UTC", "2026-03-04T15:59:59", "2026-03-04T15:00", "2026-03-04T16:00"),
        (Per.HOUR, "Asia/Kolkata", "2026-03-04T15:10", "2026-03-04T14:30", "2026-03-04T15:30"),
        (Per.DAY, "UTC", "2026-03-04T00:00", "2026-03-04T00:00", "2026-03-05T00:00"),
        (Per.DAY, LA, "2026-03-05T07:59", "2026-03-04T08:00", "2026-03-05T08:00"),
        # 8 March 2026: the clocks go forward, the day has 23 hours.
        (Per.DAY, LA, "2026-03-08T12:00", "2026-03-08T08:00", "2026-03-09T07:00"),
        # 1 November 2026: they go back, it has 25, and the hour from one to two comes twice.
        (Per.DAY, LA, "2026-11-01T12:00", "2026-11-01T07:00", "2026-11-02T08:00"),
        (Per.HOUR, LA, "2026-11-01T08:30", "2026-11-01T08:00", "2026-11-01T09:00"),
        (Per.HOUR, LA, "2026-11-01T09:30", "2026-11-01T09:00", "2026-11-01T10:00"),
        (Per.WEEK, LA, "2026-03-08T12:00", "2026-03-02T08:00", "2026-03-09T07:00"),
        (Per.WEEK, "UTC", "2026-03-02T00:00", "2026-03-02T00:00", "2026-03-09T00:00"),
        (Per.MONTH, LA, "2026-03-20T00:00", "2026-03-01T08:00", "2026-04-01T07:00"),
        (Per.MONTH, "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        # Midnight does not exist in Beirut on 29 March 2026: the day begins at one.
        (Per.DAY, "Asia/Beirut", "2026-03-29T12:00", "2026-03-28T22:00", "2026-03-29T21:00"),
    ],
)
def test_windows_begin_and_end_by_the_local_clock(per, tz, at, starts, ends):
    assert bounds(per, tz, utc(at)) == (utc(starts), utc(ends))


def test_a_budget_has_one_window_for_ever():
    assert bounds(Per.ALL, LA, utc("2026-03-04T15:00")) == (FIRST, LAST)


ZONES = ["UTC", LA, "Asia/Kolkata", "Europe/Berlin", "Australia/Adelaide", "America/St_Johns", "America/Santiago"]


@given(
    st.sampled_from([Per.HOUR, Per.DAY, Per.WEEK, Per.MONTH]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
)
def test_every_moment_lies_in_one_window_and_windows_touch(per, tz, naive):
    at = naive.replace(tzinfo=UTC)
    starts, ends = bounds(per, tz, at)
    assert starts <= at < ends
    assert bounds(per, tz, starts) == (starts, ends)
    assert bounds(per, tz, ends - timedelta(seconds=1)) == (starts, ends)
    assert bounds(per, tz, ends)[0] == ends


def schedule(*texts: str, tz: str = LA) -> Schedule:
    return Schedule(tz, tuple(span for text in texts for span in parse_span(text)), texts)


@pytest.mark.parametrize(
    ("texts", "at", "is_it"),
    [
        (["mon-fri 08:00-18:00"], "2026-03-04T16:00", True),  # Wednesday 08:00 in Los Angeles
        (["mon-fri 08:00-18:00"], "2026-03-04T15:59", False),
        (["mon-fri 08:00-18:00"], "2026-03-05T01:59", True),
        (["mon-fri 08:00-18:00"], "2026-03-05T02:00", False),
        (["mon-fri 08:00-18:00"], "2026-03-07T18:00", False),  # Saturday
        (["mon-fri 08:00-18:00", "sat 09:00-13:00"], "2026-03-07T18:00", True),
        # The same opening in winter and in summer, an hour apart in UTC.
        (["mon-fri 08:00-18:00"], "2026-03-09T15:00", True),
        (["mon-fri 08:00-18:00"], "2026-03-06T15:00", False),
        # Overnight, into the next day and into the next week.
        (["fri 22:00-06:00"], "2026-03-07T13:59", True),
        (["fri 22:00-06:00"], "2026-03-07T14:00", False),
        (["sun 22:00-06:00"], "2026-03-09T12:00", True),
        (["sun 22:00-06:00"], "2026-03-09T13:00", False),
        (["fri-mon 00:00-24:00"], "2026-03-08T12:00", True),
        (["fri-mon 00:00-24:00"], "2026-03-11T12:00", False),
        (["mon,wed 08:00-18:00"], "2026-03-04T20:00", True),
        (["mon,wed 08:00-18:00"], "2026-03-03T20:00", False),
    ],
)
def test_an_order_is_open_by_the_wall_clock(texts, at, is_it):
    assert is_open(schedule(*texts), utc(at)) is is_it


def test_the_wall_clock_is_told_in_words():
    assert local_words(LA, utc("2026-03-04T22:05")) == "Wed 14:05"


def test_spans_of_a_whole_week_cover_every_minute_once():
    spans = sorted(parse_span("mon-sun 06:00-06:00".replace("06:00-06:00", "06:00-05:00")), key=lambda span: span.start)
    assert all(after.start - before.end == 60 for before, after in pairwise(spans))
