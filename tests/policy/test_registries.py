"""Registries of numbers: how their files are read, and what leads hear of them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from leadmill.policy import SuppressionAsk, SuppressionFound, hear_suppressions, registries_here
from leadmill.policy.registries import number_in, result_in, take_reassigned, take_registry
from leadmill.runtime.db import Database
from tests.policy.leads import hashed

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
ANN, BOB = "+19162000101", "+14152000199"

LINES = [
    ("201,5550123", "+12015550123"),
    ("2015550123", "+12015550123"),
    ("+1 (201) 555-0123", "+12015550123"),
    ("12015550123,2026-01-05,x", "+12015550123"),
    ('"201-555-0123","NJ"', "+12015550123"),
    ("1015550123", None),
    ("201555", None),
    ("phone", None),
    ("+442079460000", None),
]


@pytest.mark.parametrize(("line", "number"), LINES)
def test_how_a_line_is_read(line: str, number: str | None) -> None:
    assert number_in(line) == number


def test_how_a_result_is_read() -> None:
    assert result_in("2015550123,2026-01-05,YES") == ("+12015550123", "yes")
    assert result_in('2015550123,"no_data"') == ("+12015550123", "no_data")
    assert result_in("2015550123,perhaps") is None


async def heard(db: Database, phone: str) -> SuppressionFound:
    ask = SuppressionAsk(phone=hashed("phone", phone))
    async with db.begin() as tx:
        return (await hear_suppressions(tx, [ask]))(ask)


async def test_a_registry_is_its_last_version_and_leads_hear_of_it(db: Database) -> None:
    assert await heard(db, ANN) == SuppressionFound()
    old, new = date(2026, 1, 5), date(2026, 2, 5)
    told = await take_registry(db, hashed, "federal", old, ["number", "916,2000101", "415,2000199", "x"], NOW)
    assert (told.read, told.unreadable, told.lines) == (2, 1, (4,))
    assert await heard(db, ANN) == SuppressionFound(listed=("federal",), registries={"federal": old})
    await take_registry(db, hashed, "federal", new, ["4152000199"], NOW)
    await take_registry(db, hashed, "CA", new, ["9162000101"], NOW)
    assert await heard(db, ANN) == SuppressionFound(listed=("CA",), registries={"federal": new, "CA": new})
    await take_registry(db, hashed, "federal", new, ["9162000101"], NOW, add=True)
    assert (await heard(db, ANN)).listed == ("CA", "federal")
    assert [(one.registry, one.entries) for one in await registries_here(db)] == [("CA", 1), ("federal", 2)]


async def test_the_last_result_about_a_number_counts(db: Database) -> None:
    await take_reassigned(db, hashed, NOW, [f"{ANN},yes", f"{BOB},no"])
    await take_reassigned(db, hashed, NOW - timedelta(days=9), [f"{ANN},no"])
    assert await heard(db, ANN) == SuppressionFound(reassigned="yes", reassigned_at=NOW)
    assert (await heard(db, BOB)).reassigned == "no"
