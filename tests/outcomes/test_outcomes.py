"""What became of a lead: who may say so, what a second word does to the first."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, Forbidden, NotFound, Transient
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.market.tables import SALE
from leadmill.outcomes import (
    STAGES,
    Disposition,
    OutcomeCorrected,
    OutcomeReported,
    Remarks,
    count_dispositions,
    find_reported,
    outcomes_of,
    read_disposition,
    read_remarks,
    report_outcome,
)
from leadmill.parties import Caller, Role
from leadmill.runtime.db import Database

HELIO = Caller(kind="buyer", owner="helio", key_id="k1")
SUNNY = Caller(kind="buyer", owner="sunny", key_id="k2")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


async def sell(db: Database, sale_id: str, buyer: str | None, state: str = "sold", lead_id: str = "lead_1") -> None:
    async with db.begin() as tx:
        team, rep = (None, None) if buyer else ("west", "ana")
        tx.add(SALE, sale_id, 1, sale_id, lead_id, "o", buyer, team, rep, "exclusive", 6500, "USD", state, NOON, None)


async def hear(db: Database, mint: Mint, caller: Caller, word: str = "contacted", **more: Any) -> list[Event]:
    facts: dict[str, Any] = {"at": NOON, "now": NOW} | more
    if "sale_id" not in facts:
        facts.setdefault("lead_id", "lead_1")
    async with db.begin() as tx:
        subject = {name: facts.pop(name, None) for name in ("lead_id", "sale_id")}
        lead, sale = await find_reported(tx, caller, **subject)
        said = read_disposition(word)
        return await report_outcome(
            tx, mint, lead_id=lead, sale_id=sale, reporter=caller.owner, disposition=said, **facts
        )


async def told(db: Database) -> list[tuple[str, bool, str | None]]:
    async with db.begin() as tx:
        return [(one.disposition.value, one.current, one.replaces) for one in await outcomes_of(tx, "lead_1")]


async def test_the_buyer_of_a_lead_reports_by_lead_or_by_sale(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio")
    (event,) = await hear(
        db, mint, HELIO, "appointment", value=Money(500), remarks=Remarks("likes Eve"), seal=lambda data: data[::-1]
    )
    assert isinstance(event, OutcomeReported)
    assert (event.sale_id, event.reporter, event.stage, event.happened_at) == ("sale_1", "helio", "open", NOON)
    (event,) = await hear(db, mint, HELIO, "sold", sale_id="sale_1", at=NOON + timedelta(hours=1))
    assert isinstance(event, OutcomeReported)
    assert event.stage == "won"
    async with db.begin() as tx:
        first = (await outcomes_of(tx, "lead_1"))[0]
        assert await count_dispositions(tx, NOON) == {"sold": 1}
    assert (first.value, first.currency, first.note) == (500, "USD", b'}"evE sekil":"eton"{')
    assert read_remarks(b'{"note":"likes Eve"}') == Remarks("likes Eve")
    assert read_remarks(b"a note of the first version") == Remarks("a note of the first version")


@pytest.mark.parametrize(
    ("caller", "facts", "fault", "code"),
    [
        (SUNNY, {}, NotFound, "outcome.sale.unknown"),
        (SUNNY, {"sale_id": "sale_1"}, NotFound, "outcome.sale.unknown"),
        (HELIO, {"sale_id": "sale_none"}, NotFound, "outcome.sale.unknown"),
        (HELIO, {"lead_id": "lead_none"}, NotFound, "outcome.sale.unknown"),
        (HELIO, {"sale_id": "sale_2", "lead_id": None}, Conflict, "outcome.sale.cancelled"),
        (HELIO, {"sale_id": "sale_1", "lead_id": "lead_1"}, BadInput, "outcome.subject.missing"),
        (HELIO, {"lead_id": None, "sale_id": None}, BadInput, "outcome.subject.missing"),
        (Caller(kind="source", owner="helio", key_id="k"), {}, Forbidden, "outcome.caller.refused"),
        (Caller(kind="operator", owner="op", key_id="k", role=Role.ANALYST), {}, Forbidden, "outcome.caller.refused"),
    ],
)  # fmt: skip
async def test_nobody_reports_on_a_lead_that_is_not_theirs(
    db: Database, mint: Mint, caller: Caller, facts: dict[str, Any], fault: type[Exception], code: str
) -> None:
    await sell(db, "sale_1", "helio")
    await sell(db, "sale_2", "helio", "cancelled", "lead_2")
    with pytest.raises(fault) as caught:
        await hear(db, mint, caller, **facts)
    assert getattr(caught.value, "code", "") == code
    assert await told(db) == []


async def test_an_operator_reports_on_a_lead_kept_in_house(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", None, "assigned")
    operator = Caller(kind="operator", owner="op_1", key_id="k", role=Role.OPERATOR)
    assert len(await hear(db, mint, operator, "quoted")) == 1


async def test_a_returned_lead_may_still_be_reported_on(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio", "returned")
    assert len(await hear(db, mint, HELIO, "wrong_number")) == 1


async def test_the_same_report_twice_is_one(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio")
    assert len(await hear(db, mint, HELIO)) == 1
    assert await hear(db, mint, HELIO) == []
    assert await hear(db, mint, HELIO, sale_id="sale_1") == []
    assert await told(db) == [("contacted", True, None)]


async def test_another_word_for_the_same_moment_corrects_and_keeps_the_first(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio")
    (first,) = await hear(db, mint, HELIO, "sold", value=Money(100))
    (second,) = await hear(db, mint, HELIO, "sold", value=Money(200))
    (third,) = await hear(db, mint, HELIO, "not_interested")
    assert isinstance(first, OutcomeReported)
    assert isinstance(second, OutcomeCorrected)
    assert isinstance(third, OutcomeCorrected)
    assert (second.replaces, third.replaces) == (first.outcome_id, second.outcome_id)
    assert await hear(db, mint, HELIO, "not_interested") == []
    assert await told(db) == [
        ("sold", False, None), ("sold", False, first.outcome_id), ("not_interested", True, second.outcome_id),
    ]  # fmt: skip


async def test_reports_tell_a_course_whichever_order_they_come_in(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio")
    await hear(db, mint, HELIO, "sold", at=NOON + timedelta(hours=2))
    await hear(db, mint, HELIO, "contacted", at=NOON)
    assert await told(db) == [("sold", True, None), ("contacted", False, None)]
    (event,) = await hear(db, mint, HELIO, "no_contact", at=NOON)
    assert isinstance(event, OutcomeCorrected)
    assert [current for _, current, _ in await told(db)] == [True, False, False]


async def test_the_same_report_twice_at_once_is_one(db: Database, mint: Mint) -> None:
    await sell(db, "sale_1", "helio")

    async def once() -> int:
        while True:
            try:
                return len(await hear(db, mint, HELIO))
            except Transient:
                continue

    assert sorted(await asyncio.gather(*(once() for _ in range(4)))) == [0, 0, 0, 1]
    assert await told(db) == [("contacted", True, None)]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"at": datetime(2026, 3, 4, 12)}, "outcome.time.unusable"),
        ({"at": NOW + timedelta(minutes=6)}, "outcome.time.unusable"),
        ({"value": Money(-1)}, "outcome.value.negative"),
    ],
)
async def test_a_report_that_cannot_be_is_refused(db: Database, mint: Mint, facts: dict[str, Any], code: str) -> None:
    await sell(db, "sale_1", "helio")
    with pytest.raises(BadInput) as caught:
        await hear(db, mint, HELIO, **facts)
    assert caught.value.code == code
    assert caught.value.errors[0].pointer in ("/at", "/value")


async def test_somebody_known_to_be_allowed_reports_without_a_sale(db: Database, mint: Mint) -> None:
    async with db.begin() as tx:
        (event,) = await report_outcome(
            tx,
            mint,
            lead_id="lead_1",
            reporter="op_1",
            disposition=Disposition.CALLBACK,
            at=NOON,
            now=NOW,
            remarks=Remarks("unsealed"),
        )
    assert isinstance(event, OutcomeReported)
    assert list(event.tell()) == ["op_1 reports: callback."]
    async with db.begin() as tx:
        assert (await outcomes_of(tx, "lead_1"))[0].note is None  # without a seal a note is not kept


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("sold", "sold"), ("Converted", "sold"), ("No Answer", "no_contact"), ("not-interested", "not_interested"),
        ("DNC", "do_not_contact"),
    ],
)  # fmt: skip
def test_the_usual_words_are_understood(word: str, disposition: str) -> None:
    assert read_disposition(word).value == disposition


def test_an_unknown_word_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'appointment'"):
        read_disposition("apointment")


def test_every_disposition_has_a_stage() -> None:
    assert set(STAGES) == set(Disposition)
