"""Sliding windows are what a naive count over the same sightings says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.fraud.records import SIZE, count, moment_of, over_until, pack, unpack
from tests.fraud.scene import NOW

WINDOWS = (60, 3600, 86_400)
SEEN = st.lists(
    st.tuples(
        st.integers(-100_000, 100_000),  # seconds; clocks of several processes do not agree
        st.integers(0, 999_999),
        st.sampled_from(["acme", "globex", "initech"]),
        st.sampled_from(["solar", "legal"]),
        st.sampled_from(["person_000000aa", "person_000000bb", "person_000000cc"]),
        st.sampled_from([b"", b"smit", b"jone"]),
    ),
    min_size=1,
    max_size=30,
)


@given(SEEN)
def test_sliding_windows_count_what_a_naive_count_does(given_seen) -> None:
    moments = [NOW + timedelta(seconds=seconds, microseconds=micros) for seconds, micros, *_ in given_seen]
    records = unpack(b"".join(pack(at, *rest) for at, (_, _, *rest) in zip(moments, given_seen, strict=True)))
    assert [moment_of(record) for record in records] == moments
    for own, (at, (_, _, source, vertical, _, name)) in enumerate(zip(moments, given_seen, strict=True)):
        earlier = list(zip(moments, given_seen, strict=True))[: own + 1]
        found = count(records, own, WINDOWS)
        within = [[one for when, one in earlier if when > at - timedelta(seconds=window)] for window in WINDOWS]
        assert found.counts == tuple(map(len, within))
        assert found.persons == tuple(len({one[4] for one in each}) for each in within)
        other_sources = [when for when, one in earlier if one[2] != source and when < at]
        other_verticals = [when for when, one in earlier if one[2] == source and one[3] != vertical and when < at]
        assert found.elsewhere == ((at - min(other_sources)).days if other_sources else None)
        assert found.vertical == ((at - min(other_verticals)).days if other_verticals else None)
        assert found.names == len({one[5] for _, one in earlier if one[5] and name and one[5] != name})


@given(st.lists(st.integers(0, 7_200), min_size=1, max_size=40), st.integers(1, 10), st.integers(1, 10))
def test_a_mark_stays_over_its_limits_just_as_long_as_is_said(seconds: list[int], hour: int, day: int) -> None:
    seconds.sort()
    records = unpack(b"".join(pack(NOW + timedelta(seconds=at), "a", "b", "p", b"") for at in seconds))
    limits = (hour, day)
    until = over_until(records, (3600, 86_400), limits)

    def over(at) -> bool:
        ages = [at - moment_of(record) for record in records]
        spans = (timedelta(hours=1), timedelta(days=1))
        return all(sum(age < span for age in ages) > most for span, most in zip(spans, limits, strict=True))

    last = NOW + timedelta(seconds=seconds[-1])
    if until is None:
        assert not all(len(seconds) > most for most in limits)
        return
    assert over(until - timedelta(microseconds=1)) or until <= last
    assert not over(until)


def test_a_mark_without_limits_is_never_over_them() -> None:
    assert over_until(unpack(pack(NOW, "a", "b", "p", b"")), (60,), (None,)) is None


def test_a_record_has_one_size() -> None:
    assert len(pack(NOW, "a source", "a vertical", "person_00000000000000000000000001", b"")) == SIZE
    with pytest.raises(IndexError):
        count([], 0, WINDOWS)
