"""Identifiers: a UUIDv7 to the bit, sorted by their moment, known by their shape."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.ids import encode, looks_like, make_id, mint

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def number_of(ident: str) -> int:
    """The number that an id writes down."""
    found = 0
    for sign in ident.partition("_")[2]:
        found = found * 32 + DIGITS.index(sign)
    return found


@given(
    at=st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),
    entropy=st.integers(0, (1 << 74) - 1),
)
def test_an_id_is_a_uuid_of_the_seventh_version_with_its_moment_and_all_its_randomness(
    at: datetime, entropy: int
) -> None:
    ident = make_id("lead", at, entropy)
    number = number_of(ident)
    found = UUID(int=number)
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert number >> 80 == int(at.timestamp() * 1000)
    assert (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1 == entropy
    assert ident == f"lead_{encode(number)}"
    assert looks_like(ident, "lead")


def test_ids_sort_by_the_moment_they_were_made() -> None:
    made = [make_id("sub", NOON + timedelta(milliseconds=n), secrets.randbits(74)) for n in range(200)]
    assert made == sorted(made)


def test_fresh_ids_of_one_moment_differ() -> None:
    assert len({mint("lead", NOON) for _ in range(1000)}) == 1000


def test_what_only_resembles_an_id_is_none() -> None:
    ident = make_id("lead", NOON, 1)
    assert not looks_like(ident, "sale")
    assert not looks_like(ident[:-1], "lead")
    assert not looks_like(ident[:-1] + "u", "lead")
