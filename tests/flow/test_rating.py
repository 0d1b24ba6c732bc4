"""Cards and models as records: changed, previewed, gone back to; and our own leads as a table to learn from."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadmill.capture import read_verticals
from leadmill.core.faults import BadInput
from leadmill.core.reasons import State
from leadmill.flow.configure import changed_rules, declare
from leadmill.flow.examining import examine
from leadmill.flow.history import ABOUT, write_history
from leadmill.flow.memory import recalled_between
from leadmill.flow.rating import Shelf, barring_of, check_models, foreign_to, tell_foreign
from leadmill.flow.replay import replay
from leadmill.flow.scorecards import (
    Author,
    add_model,
    card_in_force,
    go_back,
    models_in_force,
    pack_card,
    place_model,
    put_card,
    retire_model,
    versions_of,
)
from leadmill.flow.whatif import replay_with
from leadmill.interfaces.house import House
from leadmill.learning import Column, Form, Kind, read_model
from leadmill.learning.artefact import write_folder
from leadmill.learning.model import NumberFeature
from leadmill.outcomes import Disposition
from leadmill.outcomes.service import report_outcome
from leadmill.runtime import records
from leadmill.runtime.packs import load_packs
from leadmill.scoring import Opinions
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, stored, submission


def by(house: House) -> Author:
    return Author("op_ana", house.clock(), house.mint, house.vault.keyed_hash, house.book.walk().rules)


def changed_card(house: House, **points: int) -> dict[str, Any]:
    """The pack's card of solar with other points, as a record."""
    raw = dict(pack_card(house.packs, "solar"))
    raw["points"] = [
        {**rule, "points": points.get(rule["id"].replace("-", "_"), rule["points"])} for rule in raw["points"]
    ]
    return {"vertical": "solar", "why": "tried", **raw}


async def put(house: House, raw: dict[str, Any]) -> None:
    async with house.db.begin() as tx:
        await put_card(tx, raw, by(house))
    await house.book.refresh(house.db)


async def scores(house: House) -> list[int | None]:
    return [row.score for row in await stored(house)]


async def test_a_card_is_previewed_in_leads_rules_and_money_then_changed_and_taken_back(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    for number, owns in enumerate((True, False, True, False)):
        await house.mill.take(submission(house, number, homeowner=owns))
    before = [(row.state, row.score) for row in await stored(house)]
    assert [state for state, _ in before] == [State.SOLD, State.SOLD, State.SOLD, State.SOLD]
    raw = changed_card(house, owns=-100, rents=9)
    tried = changed_rules([declare("scorecard", raw, "the change")], house.packs)
    found = await replay_with(house.db, house.pen, house.book, tried, ears=house.kit.ears)
    assert (found.leads, found.skipped, found.scores.rated) == (4, 0, 4)
    assert found.scores.paths == {"sell→nurture": 2}
    assert found.scores.rules["owns"].leads == found.scores.rules["rents"].leads == 2
    assert found.total.now == found.total.was // 2
    assert [(row.state, row.score) for row in await stored(house)] == before

    await put(house, raw)
    clock.advance(hours=1)
    await house.mill.take(submission(house, 10))
    assert (await stored(house))[-1].state is State.NURTURE
    # What was nurtured would be sold by the pack's card: it is asked about as things stand today.
    tried = changed_rules([declare("scorecard", {"vertical": "solar", "retired": True}, "the change")], house.packs)
    found = await replay_with(
        house.db, house.pen, house.book, tried, clock() - timedelta(minutes=1), ears=house.kit.ears
    )
    assert (found.scores.paths, found.scores.farther, found.skipped) == ({"nurture→sell": 1}, 1, 0)
    assert found.total.now - found.total.was == 65_00

    async with house.db.begin() as tx:
        await go_back(tx, house.packs, "solar", 0, "it sold too few", by(house))
        versions = await versions_of(tx, house.packs, "solar")
    await house.book.refresh(house.db)
    await house.mill.take(submission(house, 11))
    assert (await stored(house))[-1].state is State.SOLD
    assert [(one.author, one.why, one.card is not None) for one in versions] == [
        ("op_ana", "it sold too few", False),
        ("op_ana", "tried", True),
        ("pack", "", True),
    ]
    again = await replay(house.db, house.pen, house.book)
    assert (again.leads, again.differences) == (6, [])


async def test_a_card_needs_a_reason_and_the_laws_leave(house: House) -> None:
    async with house.db.begin() as tx:
        with pytest.raises(BadInput, match="say why"):
            await put_card(tx, {**changed_card(house), "why": " "}, by(house))
        wrong = {"vertical": "mortgage", "why": "x", "card": {}, "points": [
            {"id": "old", "when": [{"field": "age", "gte": 60}], "points": 9, "says": "is older"}
        ]}  # fmt: skip
        with pytest.raises(BadInput, match="MTG-4"):
            await put_card(tx, wrong, by(house))
        assert (await card_in_force(tx, house.packs, "mortgage")).revision == 0


async def test_what_is_laid_over_counts_while_it_stands_and_is_previewed_like_a_card(
    house: House, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    over = {
        "id": "slump",
        "vertical": "solar",
        "points": -60,
        "says": "nobody buys just now",
        "why": "the quarter's end",
    }
    tried = changed_rules([declare("adjustment", over, "the change")], house.packs)
    await house.mill.take(submission(house, 1))
    found = await replay_with(house.db, house.pen, house.book, tried)
    assert (found.scores.paths, found.scores.rules["adjustment.slump"].points) == ({"sell→nurture": 1}, -60)
    await apply(house, {"adjustment": [over]})
    clock.advance(minutes=1)
    await house.mill.take(submission(house, 2))
    await apply(house, {"adjustment": [{"id": "slump", "retired": True}]})
    clock.advance(minutes=1)
    await house.mill.take(submission(house, 3))
    assert [row.state for row in await stored(house)] == [State.SOLD, State.NURTURE, State.SOLD]
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_hot_lead_goes_to_our_own_team_whatever_buyers_pay(house: House) -> None:
    team = {
        "id": "west",
        "name": "West",
        "reps": [{"id": "ana", "email": "ana@example.com", "zips": ["9*"], "capacity": 1}],
    }
    ours = {"id": "west-ca", "team": "west", "vertical": "solar"}
    await apply(house, {**BUSINESS, "team": [team], "order": [*BUSINESS["order"], ours]})
    raw = changed_card(house)
    await put(house, {**raw, "paths": {**raw["paths"], "sales_from": 60}})
    for number in range(2):
        await house.mill.take(submission(house, number))
    rows = await stored(house)
    assert [(row.state, row.recipient) for row in rows] == [(State.ASSIGNED, "west/ana"), (State.SOLD, "helio")]
    assert (await replay(house.db, house.pen, house.book)).differences == []


def folder_of(
    at: Path,
    column: str = "monthly_bill",
    card: bytes = b"{}",
    target: str = "converted",
    besides: tuple[str, ...] = (),
) -> Path:
    feature = NumberFeature(column, Kind.NUMBER, "value", (100.0,), (-2.0, 2.0), 0.0)
    form = Form(
        target=target, positive="true", base_rate=0.5, features=(feature,), intercept=0.0,
        columns=tuple(Column(name, Kind.NUMBER) for name in (column, *besides)),
    )  # fmt: skip
    write_folder(at, form, b"", card, "a model")
    return at


async def test_a_model_goes_from_candidate_over_shadow_to_champion_and_every_lead_is_decided_again_alike(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    async with house.db.begin() as tx:
        made = await add_model(tx, folder_of(tmp_path / "one"), "bills", "solar", "", by(house))
    assert (made.state, made.runs) == ("candidate", False)
    for number, state in enumerate(("candidate", "shadow", "champion")):
        async with house.db.begin() as tx:
            await place_model(tx, "bills", state, None, "", by(house))
        await house.book.refresh(house.db)
        clock.advance(minutes=1)
        await house.mill.take(submission(house, number, monthly_bill=90))
    found = [each async for _, each in recalled_between(house.db, house.pen, None, None)]
    said = [_learned(each, Opinions) for each in found]
    assert said[0] is None
    assert isinstance(said[1], Opinions)
    assert isinstance(said[2], Opinions)
    assert [(one.decided, one.said[0].state) for one in (said[1], said[2])] == [(False, "shadow"), (True, "champion")]
    assert said[2].said[0].digest == made.digest
    points = await scores(house)
    assert points[0] == points[1] != points[2] == said[2].said[0].points
    assert (await stored(house))[2].state is State.NURTURE
    again = await replay(house.db, house.pen, house.book)
    assert (again.leads, again.skipped, again.differences) == (3, 0, [])
    async with house.db.begin() as tx:
        await retire_model(tx, "bills", "drifted", by(house))
        assert await models_in_force(tx) == {}
    await house.book.refresh(house.db)
    await house.mill.take(submission(house, 9, monthly_bill=90))
    assert (await scores(house))[-1] == points[0]
    assert (await replay(house.db, house.pen, house.book)).differences == []


async def test_a_model_that_cannot_be_read_stops_no_lead(house: House, tmp_path: Path) -> None:
    await apply(house, BUSINESS)
    async with house.db.begin() as tx:
        made = await add_model(tx, folder_of(tmp_path / "one"), "bills", "solar", "", by(house))
        await place_model(tx, "bills", "champion", None, "", by(house))
        await tx.conn.execute("UPDATE scoring_model SET body = 'what a later version wrote'")
        shelf = Shelf()
        await shelf.learn(tx, await records.snapshot(tx))
    assert shelf.of(made.digest) is None


async def test_a_model_that_may_not_run_gets_no_place(house: House, tmp_path: Path) -> None:
    audit = {"attribute": "sex", "passes": False, "says": ["ratio 0.61 of group b"]}
    unfair = msgspec.json.encode({"fairness": {"passes": False, "audits": [audit]}})
    for name, vertical, column, card, state, says in (
        ("aged", "mortgage", "age", b"{}", "shadow", "MTG-4"),
        ("named", "solar", "email", b"{}", "shadow", "who somebody is moves no score"),
        ("unfair", "solar", "monthly_bill", unfair, "champion", "ratio 0.61 of group b"),
        ("foreign", "solar", "Total Time Spent", b"{}", "shadow", r"no lead of solar has 'Total Time Spent' \(100%\)"),
    ):
        async with house.db.begin() as tx:
            await add_model(tx, folder_of(tmp_path / name, column, card), name, vertical, "", by(house))
            with pytest.raises(BadInput, match=says):
                await place_model(tx, name, state, None, "", by(house))
    with pytest.raises(BadInput, match="nobody added it"):
        await apply(house, {"model": [{"id": "lost", "vertical": "solar", "digest": "0" * 64}]})


async def test_what_a_model_foresees_follows_from_its_target(house: House, tmp_path: Path) -> None:
    for target, said, foresees in (("bad", None, "bad"), ("won", None, "conversion"), ("won", "review", "review")):
        folder = folder_of(tmp_path / f"{target}-{said}", target=target)
        async with house.db.begin() as tx:
            made = await add_model(tx, folder, f"{target}-{said}".lower(), "solar", "", by(house), said)
        assert made.foresees == foresees
    async with house.db.begin() as tx:
        with pytest.raises(BadInput, match="it learned 'bad', so it foresees bad, not conversion"):
            await add_model(tx, tmp_path / "bad-None", "turned", "solar", "", by(house), "conversion")


def test_columns_that_no_lead_can_have_count_as_the_card_says(tmp_path: Path) -> None:
    told = [{"column": "monthly_bill", "share": 0.6}, {"column": "Tags", "share": 0.2}, {"column": "gone"}, 4]
    vertical = read_verticals(load_packs())["solar"]
    for number, (card, share) in enumerate((({}, 0.5), ({"importance": 4}, 0.5), ({"importance": told}, 0.25))):
        folder = folder_of(tmp_path / str(number), card=msgspec.json.encode(card), besides=("Tags",))
        assert foreign_to(read_model(folder), vertical) == {"Tags": pytest.approx(share)}
    assert tell_foreign(read_model(folder_of(tmp_path / "known")), vertical) == ""


async def test_a_foreign_model_that_decides_already_may_step_down_and_rise_no_more(
    house: House, tmp_path: Path
) -> None:
    rules = house.book.walk().rules
    async with house.db.begin() as tx:
        made = await add_model(tx, folder_of(tmp_path / "one", "Tags"), "tags", "solar", "", by(house))

        async def check(state: Any, before: Any) -> None:
            new, held = (msgspec.structs.replace(made, state=each) for each in (state, before))
            await check_models(tx, [new], [new], rules.verticals, None, None, [held])

        await check("shadow", "champion")
        await check("candidate", "champion")
        for state, before in (("shadow", "candidate"), ("champion", "shadow"), ("challenger", "champion")):
            with pytest.raises(BadInput, match="no lead of solar has"):
                await check(state, before)


async def test_our_own_leads_are_a_table_of_what_was_known_then(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await apply(house, BUSINESS)
    for number in range(3):
        await house.mill.take(submission(house, number, monthly_bill=100 + number))
    rows = await stored(house)
    clock.advance(days=5)
    async with house.db.begin() as tx:
        for row, disposition in zip(rows, (Disposition.SOLD, Disposition.WRONG_NUMBER), strict=False):
            events = await report_outcome(
                tx,
                house.mint,
                lead_id=row.id,
                reporter=row.recipient or "",
                disposition=disposition,
                at=clock(),
                now=clock(),
            )
            await house.pen.append(tx, row.id, events, clock())
    clock.advance(days=90)
    await house.mill.take(submission(house, 9))
    to = tmp_path / "solar.csv"
    rules = house.book.walk().rules
    made = await write_history(
        house.db,
        house.pen,
        rules.verticals["solar"],
        barring_of(rules.dialects.unscorable),
        to,
        (None, None),
        timedelta(days=60),
        clock(),
    )
    assert (made.leads, made.labelled, made.converted) == (4, 3, 1)
    table = list(csv.DictReader(to.open()))
    assert [row["converted"] for row in table] == ["true", "false", "false", ""]
    assert [row["bad"] for row in table] == ["false", "true", "false", ""]
    assert [row["monthly_bill"] for row in table] == ["100", "101", "102", "180"]
    assert set(table[0]) == {*ABOUT, *made.columns, "converted"}
    assert not {"email", "phone", "first_name", "email.normal", "phone.e164", "context.ip"} & set(made.columns)
    assert {"homeowner", "source", "phone.valid", "state"} <= set(made.columns)
    assert all(row["page"] for row in table)
    review = await examine(house.kit, "solar", None, timedelta(days=60), clock())
    assert (review.leads, review.converted) == (3, 1)
    assert {one.rule: one.fired for one in review.rules}["owns"] == 3


def _learned(recalled: Any, kind: type) -> Any:
    items = (item for chapter in recalled.chapters for station in chapter.stations for item in station.learned)
    return next((item for item in items if isinstance(item, kind)), None)
