"""Models at work are watched: what they see and say is counted, and one that broke a bound is taken back."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.overseeing import _before, drawn, oversee, show_alerts, unheard
from leadmill.flow.rating import Models, Shelf
from leadmill.flow.scorecards import add_model, place_model, retire_model
from leadmill.interfaces.house import House
from leadmill.learning import Column, Form, Kind
from leadmill.learning.artefact import write_folder
from leadmill.learning.model import NumberFeature
from leadmill.runtime import records
from leadmill.runtime.telemetry import SCORING_ALERTS
from leadmill.scoring import MODEL_KIND, ModelRecord
from leadmill.scoring.models import lot_of
from leadmill.scoring.watch import (
    acknowledge,
    alerted,
    days_of,
    read_alerts,
    read_roll_backs,
    read_watch,
)
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply, stored, submission
from tests.flow.test_rating import by

_LEADS = 40
_WATCH = {"vertical": "solar", "horizon": 4, "early": 2, "least": 20, "alpha": 0.05}
_CARD = {
    "data": {"rows": 2_000},
    "reference": {
        "score": {"edges": [0.2, 0.5, 0.9], "shares": [0.25, 0.25, 0.25, 0.25]},
        "columns": {"monthly_bill: value": {"edges": [60.0, 90.0, 120.0], "shares": [0.25] * 4, "missing": 0.0}},
    },
}


def _folder(at: Path, effect: float, column: str = "monthly_bill") -> Path:
    """A model that is almost sure of whoever has a bill over 100."""
    feature = NumberFeature(column, Kind.NUMBER, "value", (100.0,), (-effect, effect), 0.0)
    columns = (Column(column, Kind.NUMBER),)
    form = Form(target="converted", positive="true", base_rate=0.5, columns=columns, features=(feature,), intercept=0.0)
    write_folder(at, form, b"", msgspec.json.encode(_CARD), "a model")
    return at


async def _place(house: House, ident: str, state: str = "champion", share: str | None = None) -> None:
    async with house.db.begin() as tx:
        await place_model(tx, ident, state, share, "", by(house))
    await house.book.refresh(house.db)


async def _stage(house: House, tmp_path: Path, clock: FixedClock, *idents: str) -> None:
    """Models that took the champion's place from one another, a day apart."""
    await apply(house, BUSINESS)
    for number, ident in enumerate(idents):
        async with house.db.begin() as tx:
            await add_model(tx, _folder(tmp_path / ident, 4.0 + number), ident, "solar", "", by(house))
        await _place(house, ident)
        clock.advance(days=1)


async def _leads(house: House, first: int = 0, leads: int = _LEADS) -> None:
    await asyncio.gather(*(house.mill.take(submission(house, first + number)) for number in range(leads)))


async def _looked(house: House, clock: FixedClock, days: int = 0, hours: int = 0) -> None:
    clock.advance(days=days, hours=hours)
    assert await oversee(house.kit)


async def test_a_champion_that_is_surely_wrong_is_taken_back_once_and_the_one_before_decides_again(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await _stage(house, tmp_path, clock, "first", "second")
    await apply(house, {"watch": [{**_WATCH, "roll_back": {"gap": 0.2}}]})
    await _leads(house)
    # The leads' bills are not those of the training data: that is told at once, and takes nobody back.
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        alerts = await read_alerts(tx)
        watched = await read_watch(tx, "solar")
        await show_alerts(tx)
    said = {(one.kind, one.severity, one.model, one.subject) for one in alerts}
    assert {("score_drift", "alarm", "second", ""), ("column_drift", "watch", "first", "monthly_bill")} <= said
    assert SCORING_ALERTS.labels("solar", "column_drift")._value.get() == 2
    assert watched is not None
    assert [(one.model, one.state, one.leads) for one in watched[1].models] == [
        ("first", "shadow", _LEADS),
        ("second", "champion", _LEADS),
    ]
    # Nobody reports a sale within the horizon or late, which the champion was almost sure of.
    clock.advance(days=11, minutes=30)
    done = await asyncio.gather(*(oversee(house.kit) for _ in range(3)))
    assert done.count(True) == 1
    async with house.db.begin() as tx:
        told = await read_roll_backs(tx, "solar")
        versions = await records.history(tx, MODEL_KIND, "second")
        days = await days_of(tx, "solar")
    assert [(one.model, one.to) for one in told] == [("second", "first")]
    assert "for sure more than 0.2" in told[0].says
    assert (versions[0].author, versions[0].revision) == ("watch", told[0].revision)
    assert msgspec.json.decode(versions[0].body or "")["state"] == "shadow"
    assert [sum(group.full[0] for group in day.groups.values()) for day in days.values()] == [_LEADS]
    models = house.book.walk().rules.models.records
    assert (models["first"].state, models["second"].state) == ("champion", "shadow")
    # It is told once, and counts nothing twice.
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        assert len(await read_roll_backs(tx)) == 1
        assert await days_of(tx, "solar") == days
    await house.mill.take(submission(house, 900))
    assert (await stored(house))[-1].score == 100
    # Were the first taken back as well, the second, which was taken back for cause, would not decide again.
    async with house.db.begin() as tx:
        assert await _before(tx, models, models["first"]) is None
    # With the last model gone what is told of them ends, but for what happened once.
    async with house.db.begin() as tx:
        for ident in ("first", "second"):
            await retire_model(tx, ident, "a new one comes", by(house))
    await house.book.refresh(house.db)
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        assert {one.kind for one in await read_alerts(tx)} == {"rolled_back"}
        assert await alerted(tx) == set()


async def test_without_a_declared_bound_a_wrong_model_is_told_of_and_left_where_it_is(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await _stage(house, tmp_path, clock, "only")
    await apply(house, {"watch": [_WATCH]})
    await _leads(house)
    await _looked(house, clock, days=12)
    async with house.db.begin() as tx:
        alerts = await read_alerts(tx, "solar")
        assert "calibration" in {one.kind for one in alerts}
        first = next(one for one in alerts if one.kind == "calibration")
        seen = await acknowledge(tx, first.id, "op_ana", "we train a new one", clock())
        assert (seen.by, seen.why, seen.open) == ("op_ana", "we train a new one", False)
        assert (await acknowledge(tx, first.id, "op_bob", "me too", clock())).by == "op_ana"
        assert first.id not in {one.id for one in await read_alerts(tx)}
        with pytest.raises(BadInput, match="say what you found"):
            await acknowledge(tx, first.id, "op_ana", " ", clock())
        with pytest.raises(NotFound):
            await acknowledge(tx, "alert_unknown", "op_ana", "x", clock())
    assert house.book.walk().rules.models.records["only"].state == "champion"
    # What was looked at is not told again while it stands.
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        assert [one.by for one in await read_alerts(tx, every=True) if one.kind == "calibration"] == ["op_ana"]
    assert await oversee(house.kit) is False


def test_a_model_with_a_place_that_is_not_heard_is_told_of() -> None:
    """One that cannot be read, and one that the pack does not allow."""
    how = {"vertical": "solar", "digest": "1" * 64}
    records = {
        "lost": ModelRecord(id="lost", state="champion", **how),  # type: ignore[arg-type]
        "muted": ModelRecord(id="muted", state="shadow", **how),  # type: ignore[arg-type]
        "idle": ModelRecord(id="idle", state="candidate", **how),  # type: ignore[arg-type]
        "gone": ModelRecord(id="gone", state="champion", retired=True, **how),  # type: ignore[arg-type]
    }
    models = Models(records, Shelf())
    models.muted["muted"] = "the pack asks for an audit"
    told = unheard(models, "solar")
    assert [(one.model, one.severity, one.says) for one in told] == [
        ("lost", "alarm", "it cannot be read here"),
        ("muted", "watch", "the pack asks for an audit"),
    ]
    assert unheard(models, "roofing") == []


async def test_one_vertical_that_cannot_be_watched_keeps_no_other_from_it(
    house: House, tmp_path: Path, clock: FixedClock
) -> None:
    await _stage(house, tmp_path, clock, "only")
    async with house.db.begin() as tx:
        folder = _folder(tmp_path / "other", 2.0, "annual_miles")
        await add_model(tx, folder, "other", "insurance_auto", "", by(house))
        # The vertical that is looked at first cannot be counted.
        await tx.run(sa.text("ALTER TABLE scoring_mark ADD CONSTRAINT broken CHECK (vertical <> 'insurance_auto')"))
    await _place(house, "other", "shadow")
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        assert await read_watch(tx, "insurance_auto") is None
        assert await read_watch(tx, "solar") is not None
        await tx.run(sa.text("ALTER TABLE scoring_mark DROP CONSTRAINT broken"))
    await _looked(house, clock, hours=1)
    async with house.db.begin() as tx:
        assert await read_watch(tx, "insurance_auto") is not None


async def test_terms_of_no_vertical_and_bounds_of_nothing_are_refused(house: House) -> None:
    with pytest.raises(BadInput, match="there is no vertical"):
        await apply(house, {"watch": [{**_WATCH, "vertical": "solo"}]})
    with pytest.raises(BadInput, match="name a bound"):
        await apply(house, {"watch": [{**_WATCH, "roll_back": {"to": "card"}}]})


def test_a_sample_is_drawn_whatever_model_a_lead_falls_to() -> None:
    ids = [f"lead_{number}" for number in range(8_000)]
    taken = [ident for ident in ids if drawn(ident, 2)]
    assert 1_800 < len(taken) < 2_200
    assert all(drawn(ident, 1) for ident in taken)
    low = sum(lot_of(ident) < 5_000 for ident in taken)
    assert 0.45 < low / len(taken) < 0.55
    assert all(drawn(ident, 0) for ident in ids)
