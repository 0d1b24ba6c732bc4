"""Files of leads: exactly once whatever happens, the good rows taken, the bad ones named."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from leadmill.capture import ImportRun, read_map
from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.importing import Summary, import_file
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.runtime.db import Database, Tx
from tests.flow.stage import BUSINESS, apply, count, order, stored
from tests.journeys.breaking import breaking

HEAD = "first_name,last_name,email,phone,state,zip,monthly_bill,homeowner,tcpa_text\n"
CONSENT = '"I agree that Helio Solar and Bright Solar may call and text me. It is not a condition of purchase."'


def row(number: int, **more: str) -> str:
    """A line of the file."""
    values = {
        "first_name": "Ann",
        "last_name": "Smith",
        "email": f"ann.{number}@example.com",
        "phone": f"916{2_000_000 + number}",
        "state": "CA",
        "zip": "95814",
        "monthly_bill": "180",
        "homeowner": "yes",
        "tcpa_text": CONSENT,
        **more,
    }
    return ",".join(values.values()) + "\n"


def file_of(folder: Path, *rows: str) -> Path:
    """A CSV file."""
    path = folder / "leads.csv"
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def quiet(_: ImportRun) -> None:
    """Progress that nobody watches."""


async def bring(house: House, path: Path, progress=quiet) -> Summary:
    return await import_file(house.kit, path, "acme", "solar", read_map(None), progress)


def total(summary: Summary) -> int:
    """All outcomes of a summary together."""
    plain = summary.sold + summary.assigned + summary.accepted + summary.review + summary.duplicate + summary.test
    return plain + sum(summary.rejected.values())


async def test_every_row_of_a_file_is_counted_once(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(
        tmp_path,
        *(row(number) for number in range(250)),
        row(3),
        row(900, email="", phone=""),
        row(901, tcpa_text=""),
        row(902, homeowner="no", monthly_bill="30", phone=""),
        row(903, monthly_bill="a lot"),
        "Ann,Smith,ann.904@example.com\n",
        row(905).replace("yes", "yes,one,two,three,many,fields,too,much"),
    )
    summary = await bring(house, path)
    assert summary.read == total(summary) == 257
    assert (summary.sold, summary.duplicate) == (250, 1)
    assert summary.rejected["capture.lead.incomplete"] >= 1
    assert summary.rejected["policy.consent.missing"] >= 1
    assert summary.errors_file is not None
    faults = (tmp_path / summary.errors_file).read_text().splitlines()
    leads = await stored(house)
    assert len(leads) + len(faults) - 1 == 257
    assert faults[0] == "line,code,detail"
    assert not any("ann." in line for line in faults)
    assert Counter(lead.import_id for lead in leads) == {summary.import_id: len(leads)}
    assert (await verify(house.db, house.pen)).findings == []


async def test_an_import_that_was_stopped_goes_on_and_takes_no_row_twice(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(450)))

    def stumble(run: ImportRun) -> None:
        if run.next_row >= 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await bring(house, path, stumble)
    assert len(await stored(house)) == 200
    summary = await bring(house, path)
    assert (summary.read, summary.sold) == (450, 450)
    assert await count(house, "lead") == 450
    assert await count(house, "sale") == 450


async def test_a_file_that_was_taken_in_is_not_taken_again(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(10)))
    first = await bring(house, path)
    assert await bring(house, path) == first
    assert await count(house, "lead") == 10


async def test_two_who_take_in_one_file_at_once_take_each_row_once(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(450)))
    one, other = await asyncio.gather(bring(house, path), bring(house, path))
    assert one == other
    assert (one.read, one.sold) == (450, 450)
    assert await count(house, "lead") == 450


async def test_a_row_on_which_a_step_breaks_waits_for_a_person_and_the_others_are_sold(
    house: House, tmp_path: Path
) -> None:
    await apply(house, BUSINESS)
    breaking(house.book, "market", "Poison")
    rows = [row(number, last_name="Poison" if number == 17 else "Smith") for number in range(40)]
    summary = await bring(house, file_of(tmp_path, *rows))
    assert (summary.read, summary.sold, summary.review) == (40, 39, 1)
    poisoned = [lead for lead in await stored(house) if lead.reason is not None]
    assert [lead.reason for lead in poisoned] == ["flow.step.failed"]
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_file_for_nobody_or_for_nothing_is_refused_before_it_is_read(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, row(1))
    with pytest.raises(NotFound) as caught:
        await import_file(house.kit, path, "acmee", "solar", read_map(None), quiet)
    assert caught.value.code == "flow.import.source"
    with pytest.raises(BadInput) as refused:
        await import_file(house.kit, path, "acme", "mortgage", read_map(None), quiet)
    assert refused.value.code == "flow.import.vertical"
    assert await count(house, "import_run") == 0


class Watched:
    """A store that tells somebody of each transaction, before it begins and once it is durable."""

    def __init__(self, db: Database, begins: Callable[[int], Awaitable[None]], ends: Callable[[int], None]) -> None:
        self._db, self._begins, self._ends = db, begins, ends
        self._number = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        self._number += 1
        number = self._number
        await self._begins(number)
        async with self._db.begin() as tx:
            yield tx
        self._ends(number)


async def test_while_a_chunk_is_written_the_next_one_is_on_its_way(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    made = Counter[str]()
    seen: list[int] = []

    async def begins(_: int) -> None:
        return None

    def mint(prefix: str, at: datetime) -> str:
        made[prefix] += 1
        return house.mint(prefix, at)

    db = Watched(house.db, begins, lambda _: seen.append(made["lead"]))
    kit = msgspec.structs.replace(house.kit, db=db, mint=mint)
    summary = await import_file(
        kit, file_of(tmp_path, *(row(number) for number in range(450))), "acme", "solar", read_map(None), quiet
    )
    assert summary.sold == 450
    noted, first, second, *_ = seen
    assert (noted, made["lead"]) == (0, 450)
    assert 200 < first <= 400
    assert 400 < second <= 450


async def test_rows_made_ready_under_rules_that_moved_are_decided_under_the_new_ones(
    house: House, tmp_path: Path
) -> None:
    await apply(house, BUSINESS)

    async def begins(number: int) -> None:
        if number == 3:  # the import is noted, the first chunk written, the second one ready
            await apply(house, {**BUSINESS, "order": [order("helio-ca", "helio", "70.00")]}, heed=False)

    kit = msgspec.structs.replace(house.kit, db=Watched(house.db, begins, lambda _: None))
    summary = await import_file(
        kit, file_of(tmp_path, *(row(number) for number in range(450))), "acme", "solar", read_map(None), quiet
    )
    assert (summary.read, summary.sold) == (450, 450)
    leads = await stored(house)
    assert len({lead.revision for lead in leads}) == 2
    assert Counter(lead.price for lead in leads) == {6500: 200, 7000: 250}
    assert (await verify(house.db, house.pen)).findings == []


async def test_a_file_that_breaks_off_keeps_what_came_before_the_break(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    path = file_of(tmp_path, *(row(number) for number in range(450)))

    def torn(run: ImportRun) -> None:
        if run.next_row == 200:
            path.unlink()
            raise OSError(5, "the disk went away", str(path))

    with pytest.raises(OSError, match="went away"):
        await bring(house, path, torn)
    assert await count(house, "lead") == 200
    file_of(tmp_path, *(row(number) for number in range(450)))
    assert (await bring(house, path)).sold == 450
    assert await count(house, "lead") == 450
