"""What is typed and what stands in an address mean the same."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from leadmill.core.reasons import State
from leadmill.interfaces.console.query import address, chips, narrow, read_params, read_typed, written
from leadmill.interfaces.pages import zone


@pytest.mark.parametrize(
    ("typed", "params"),
    [
        ("", {}),
        ("sold", {"state": "sold"}),
        ("status:sold score>60 source:aff-1042", {"state": "sold", "min": "61", "source": "aff-1042"}),
        ("score>=60 score<80", {"min": "60", "max": "79"}),
        ("score:70", {"min": "70", "max": "70"}),
        ("buyer:helio test:no", {"recipient": "helio", "test": "0"}),
        ("date:2026-11-01", {"since": "2026-11-01", "until": "2026-11-01"}),
        ("State:SOLD", {"state": "sold"}),
        ("score>9999999", {}),
        ("state:eaten since:yesterday", {}),
    ],
)
def test_typed_filters_are_understood(typed: str, params: dict[str, str]) -> None:
    assert read_typed(typed).params == params


@pytest.mark.parametrize("typed", ["ana@example.com", "  ana@example.com ", "state:sold ana@example.com"])
def test_an_address_is_told_from_a_filter(typed: str) -> None:
    assert read_typed(typed).email == "ana@example.com"


@pytest.mark.parametrize("typed", ["(415) 601-2300", "+1 415 601 2300", "415.601.2300", "4156012300"])
def test_a_phone_is_told_from_a_filter(typed: str) -> None:
    assert read_typed(typed).phone == typed


def test_words_without_meaning_are_kept_apart() -> None:
    assert read_typed('Ruiz "two words" state:eaten').unclear == ("Ruiz", "two words", "state:eaten")


def test_what_is_written_reads_back_the_same() -> None:
    params = {"state": "sold", "source": "acme", "min": "61", "max": "90", "since": "2026-11-01", "test": "0"}
    assert read_typed(written(params)).params == params


def test_an_address_keeps_nothing_it_does_not_know() -> None:
    given = {"state": "sold", "evil": "x", "vertical": "Solar'; --", "min": "1e9", "since": "0001-01-01", "person": "x"}
    assert read_params(given) == {"state": "sold"}


def test_a_chip_leads_to_the_list_without_it() -> None:
    shown = chips("/leads", {"state": "sold", "source": "acme"}, {"source": {"acme": "Acme Media"}})
    assert [(chip.says, chip.value, chip.without) for chip in shown] == [
        ("State is", "Sold", "/leads?source=acme"),
        ("Source is", "Acme Media", "/leads?state=sold"),
    ]
    assert address("/leads", {}) == "/leads"


def test_days_are_days_of_the_reader() -> None:
    found = narrow({"since": "2026-11-01", "until": "2026-11-01", "test": "1"}, ZoneInfo("America/Los_Angeles"))
    assert found.since is not None and found.since.astimezone(UTC) == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert found.until is not None and found.until.astimezone(UTC) == datetime(
        2026, 11, 2, 8, tzinfo=UTC
    )  # the clock went back
    assert found.test is True and narrow({"state": "sold"}, ZoneInfo("UTC"), State.REVIEW).state is State.REVIEW


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../etc/passwd", "\x00"])
def test_a_zone_that_is_none_is_utc(name: str | None) -> None:
    assert zone(name).key == "UTC"
