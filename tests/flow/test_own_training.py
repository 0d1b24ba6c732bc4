"""Learning from our own leads, from what became of them to a champion that rates the next one."""

import csv
import fcntl
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from leadmill.core.faults import BadInput, Transient
from leadmill.flow import history
from leadmill.flow.aside import correct_lead
from leadmill.flow.history import write_history
from leadmill.flow.memory import recalled_between
from leadmill.flow.rating import barring_of
from leadmill.flow.replay import replay
from leadmill.flow.scorecards import Author, add_model, models_in_force, place_model
from leadmill.flow.training import (
    PATIENT,
    RETRAIN,
    Task,
    Trained,
    Wanted,
    learned,
    make_retraining,
    plan_retraining,
    sweep_rooms,
)
from leadmill.flow.verify import verify
from leadmill.interfaces.house import House
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from leadmill.review import LeadLabelled
from leadmill.runtime import journal
from leadmill.runtime.jobs import claim
from leadmill.runtime.worker import Patience, Worker
from leadmill.scoring import Opinions, Score
from leadmill.scoring.retraining import runs_of
from leadmill.scoring.watch import read_alerts
from tests.conftest import FixedClock
from tests.flow.schooling import here, teach
from tests.flow.stage import apply, submission

WANTED = Wanted(vertical="solar", tries=1, threads=1)


def by(house: House) -> Author:
    return Author("op_ana", house.clock(), house.mint, house.vault.keyed_hash, house.book.walk().rules)


def quiet(_: str) -> None:
    """Steps that nobody watches."""


async def test_our_own_leads_become_a_model_that_rates_the_next_one(
    house: House, clock: FixedClock, tmp_path: Path
) -> None:
    await teach(house, clock, 256)
    rules = house.book.walk().rules
    async with learned(house.db, house.pen, rules, tmp_path, WANTED, here, clock(), quiet) as made:
        shutil.copytree(made.folder, tmp_path / "kept")
    assert list((tmp_path / "training").glob("run-*")) == []
    history = made.card["data"]["history"]
    assert (history["labelled"], history["young"], history["unplaced"]) == (256, 0, 0)
    assert history["days_half"] >= 7
    assert tuple(made.card["data"]["window"]) == ("2026-03-04", "2026-03-04")
    assert made.card["fairness"]["pack"] == "solar"
    assert "monthly_bill" in {one["column"] for one in made.card["importance"]}
    assert not {"bad", "score", "page", "lead_id"} & {one["column"] for one in made.card["importance"]}
    for place in ("shadow", "champion"):
        async with house.db.begin() as tx:
            if place == "shadow":
                await add_model(tx, tmp_path / "kept", "own", "solar", "", by(house))
            await place_model(tx, "own", place, None, "it learned from our own leads", by(house))
        await house.book.refresh(house.db)
        clock.advance(minutes=1)
        await house.mill.take(submission(house, 1000 + len(place), monthly_bill=90))
    found = [each async for _, each in recalled_between(house.db, house.pen, clock() - timedelta(hours=1), None)]
    learnt = [item for each in found for chapter in each.chapters for s in chapter.stations for item in s.learned]
    heard, decided = (item for item in learnt if isinstance(item, Opinions))
    assert (heard.decided, decided.decided) == (False, True)
    assert heard.said[0].digest == decided.said[0].digest == made.digest
    score = [item for item in learnt if isinstance(item, Score)][-1]
    assert score.points == decided.said[0].points
    assert any("monthly bill" in one.says for one in score.contributions)
    again = await replay(house.db, house.pen, house.book, since=clock() - timedelta(hours=1))
    assert (again.leads, again.skipped, again.differences) == (2, 0, [])
    await _is_trained_again(house, clock, tmp_path)


async def _is_trained_again(house: House, clock: FixedClock, home: Path) -> None:
    """By schedule: beside the champion, as a shadow, told to a person, and once."""
    terms = {"id": "monthly", "vertical": "solar", "as": "shadow", "tries": 1, "least_new": 256}
    await apply(house, {"retrain": [{**terms, "least_new": 257}]})
    async with house.db.begin() as tx:
        await plan_retraining(tx, house.kit)
        assert await claim(tx, [RETRAIN], clock(), clock(), 10) == []
    await apply(house, {"retrain": [terms]})
    async with house.db.begin() as tx:
        await plan_retraining(tx, house.kit)
        await plan_retraining(tx, house.kit)

    async def killed(_: Task) -> Trained:
        raise Transient("scoring.training.lost", "killed")

    by_turns = iter((killed, here))
    staff = Worker(
        house.db,
        {RETRAIN: make_retraining(house.kit, home, lambda task: next(by_turns)(task))},
        clock,
        limit=1,
        patience={RETRAIN: Patience(first=1.0)},
    )
    assert await staff.drain() == 1
    assert list((home / "training").glob("run-*")) == []
    clock.advance(hours=1)
    await staff.drain()
    async with house.db.begin() as tx:
        (run,) = await runs_of(tx)
        models = await models_in_force(tx)
        (alert,) = [one for one in await read_alerts(tx, "solar") if one.kind == "retrained"]
        await plan_retraining(tx, house.kit)
        assert await claim(tx, [RETRAIN], clock(), clock(), 10) == []
    assert (run.standing, run.labelled, models[run.model].state) == ("shadow", 256, "shadow")
    assert models["own"].state == "champion"
    assert "beside own" in run.says
    assert (alert.model, alert.subject, alert.says) == (run.model, "monthly", run.says)


async def test_too_little_is_refused_with_what_is_lacking(house: House, clock: FixedClock, tmp_path: Path) -> None:
    await teach(house, clock, 3)
    await house.mill.take(submission(house, 9))
    rules = house.book.walk().rules
    with pytest.raises(BadInput) as told:
        async with learned(house.db, house.pen, rules, tmp_path, WANTED, here, clock(), quiet):
            pass
    assert told.value.code == "learning.rows.few"
    assert "3 leads of solar have a label 'converted'; 200 are needed. 1 of 4 leads have no label: 1 are" in (
        told.value.detail
    )
    assert list((tmp_path / "training").glob("run-*")) == []
    await _ends_with_a_word(house, clock, tmp_path)


async def _ends_with_a_word(house: House, clock: FixedClock, home: Path) -> None:
    """A training whose process was killed each time is told and not begun anew."""
    await apply(house, {"retrain": [{"id": "monthly", "vertical": "solar", "least_new": 1}]})
    async with house.db.begin() as tx:
        await plan_retraining(tx, house.kit)
    for _ in range(PATIENT.tries - 1):
        async with house.db.begin() as tx:
            assert len(await claim(tx, [RETRAIN], clock(), clock(), 10)) == 1
    staff = Worker(
        house.db, {RETRAIN: make_retraining(house.kit, home, here)}, clock, limit=1, patience={RETRAIN: PATIENT}
    )
    assert await staff.drain() == 1
    async with house.db.begin() as tx:
        (run,) = await runs_of(tx)
        await plan_retraining(tx, house.kit)
        assert await claim(tx, [RETRAIN], clock(), clock(), 10) == []
    assert (run.standing, run.says.partition(":")[0]) == ("refused", "scoring.training.lost")


async def test_nothing_that_came_after_the_rating_is_in_a_row_and_its_page_is_proven(
    house: House, clock: FixedClock, tmp_path: Path
) -> None:
    lead_id = (await teach(house, clock, 1))[0]
    before = await _row(house, tmp_path)
    clock.advance(days=1)
    async with house.db.begin() as tx:
        given = {"monthly_bill": "999", "homeowner": False, "state": "NV"}
        await correct_lead(tx, house.kit, lead_id, given, "op_ana", "she told me", clock())
    clock.advance(days=1)
    async with house.db.begin() as tx:
        events = await report_outcome(
            tx,
            house.mint,
            lead_id=lead_id,
            reporter="helio",
            disposition=Disposition.SOLD,
            at=clock(),
            now=clock(),
        )
        await house.pen.append(tx, lead_id, [*events, LeadLabelled(at=clock(), label="bad", source="review")], clock())
        pages = await journal.pages(tx, lead_id)
    after = await _row(house, tmp_path)
    assert (before.pop("reviewed"), before.pop("reviewed_bad")) == ("", "")
    assert (after.pop("reviewed"), after.pop("reviewed_bad")) == ("bad", "true")
    assert after == before
    assert float(after["monthly_bill"]) != 999
    assert after["page"] == pages[0].hash.hex()
    assert (await verify(house.db, house.pen)).findings == []


async def test_what_is_laid_by_on_the_way_to_a_table_holds_no_person_and_is_read_by_nobody_else(
    house: House, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await teach(house, clock, 2)
    spool, found = tmp_path / "solar.csv.part", []
    spool.write_text("left by one that was killed")
    spool.chmod(0o644)

    def ends(*_: object) -> None:
        found.append((spool.stat().st_mode & 0o777, [json.loads(line)[1] for line in spool.open()]))
        raise OSError("the disk is full")

    monkeypatch.setattr(history, "_write", ends)
    with pytest.raises(OSError, match="the disk is full"):
        await _row(house, tmp_path)
    ((mode, rows),) = found
    assert mode == 0o600
    assert len(rows) == 2
    for row in rows:
        assert "monthly_bill" in row
        assert not {"first_name", "last_name", "email", "phone", "street"} & set(row)
    assert not spool.exists()


def test_what_a_killed_training_left_is_swept_and_one_at_work_keeps_its_room(tmp_path: Path) -> None:
    sweep_rooms(tmp_path)
    left, held = tmp_path / "training" / "run-left", tmp_path / "training" / "run-held"
    for room in (left, held):
        room.mkdir(parents=True)
        (room / "solar.csv").write_text("rows")
    with (held / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep_rooms(tmp_path)
        assert (left.exists(), held.exists()) == (False, True)
    sweep_rooms(tmp_path)
    assert not held.exists()


async def _row(house: House, folder: Path) -> dict[str, str]:
    rules, file = house.book.walk().rules, folder / "solar.csv"
    barring = barring_of(rules.dialects.unscorable, rules.dialects.bounds)
    horizon, vertical = timedelta(days=60), rules.verticals["solar"]
    await write_history(house.db, house.pen, vertical, barring, file, (None, None), horizon, house.clock())
    with file.open() as lines:
        (row,) = csv.DictReader(lines)
    return row
