"""What is remembered of a person who comes back, and what it completes."""

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from leadmill.capture import Form, Lead, Submission, TakenAnswer, TakenOver
from leadmill.core.reasons import State
from leadmill.flow.aside import correct_lead
from leadmill.flow.biography import read_biography
from leadmill.flow.memory import recall_one
from leadmill.flow.replay import replay
from leadmill.flow.returning import remember, way_back
from leadmill.identity import LeftOut, Returning, forget_person, read_token, seal_token
from leadmill.interfaces.house import House
from tests.conftest import FixedClock
from tests.flow.stage import BUSINESS, apply

FORM: dict[str, Any] = {
    "id": "more",
    "vertical": "solar",
    "source": "acme",
    "title": "More",
    "progressive": True,
    "steps": [{"fields": ["zip", "state", "monthly_bill", "homeowner", "first_name", "last_name", "email", "phone"]}],
    "consent": {"text": "I agree that Helio Solar and Bright Solar may e-mail me.", "channels": ["email"]},
}
ANA = {
    "zip": "95814", "state": "CA", "monthly_bill": "180", "homeowner": "yes", "first_name": "Ann",
    "last_name": "Smith", "email": "ann.1@example.com", "phone": "+19162000001", "consent[granted]": "yes",
}  # fmt: skip


async def open_form(house: House) -> Form:
    await apply(house, {**BUSINESS, "form": [FORM]})
    return house.book.walk().rules.forms["more"]


async def send(house: House, fields: dict[str, str], taken: list[TakenAnswer] | None = None) -> str:
    form, now = house.book.walk().rules.forms["more"], house.clock()
    body = urlencode(fields).encode()
    settled = await house.mill.take(
        Submission(
            id=house.mint("sub", now),
            source_id="acme",
            channel="hosted",
            received_at=now,
            content_type="application/x-www-form-urlencoded",
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
            form=form.id,
            form_version=form.version,
            vertical="solar",
            taken=taken or [],
        )
    )
    return settled.lead_id


async def recollect(house: House, lead_id: str, form: Form) -> dict[str, TakenAnswer]:
    async with house.db.begin() as tx:
        return await remember(tx, house.pen, lead_id, form, house.book.walk().rules.verticals)


async def test_a_completed_answer_is_the_persons_and_says_where_each_value_is_from(
    house: House, clock: FixedClock
) -> None:
    form = await open_form(house)
    first = await send(house, ANA)
    given_at = clock()
    clock.advance(days=60)
    known = await recollect(house, first, form)
    assert known["zip"] == TakenAnswer("zip", "95814", first, given_at)
    second = await send(house, {"monthly_bill": "210", "consent[granted]": "yes"}, [*known.values()])
    async with house.db.begin() as tx:
        recalled = await recall_one(tx, house.pen, second)
        story = await read_biography(tx, house.pen, second)
    case = recalled.case_before()
    lead = case[Lead]
    assert lead.fields["email"] == ANA["email"] and lead.fields["monthly_bill"] == 210
    assert recalled.row.person_id == known_person(await row_of(house, first)) and recalled.row.state is State.SOLD
    over = {item.name: (item.lead_id, item.at) for item in case[TakenOver].items}
    assert over["zip"] == (first, given_at) and "monthly_bill" not in over
    assert lead.context["taken_over"] == [*over]
    assert any(f"Zip was not asked again: given on 2026-03-04 with {first}." in each.learned for each in story.passages)
    assert (await replay(house.db, house.pen, house.book)).differences == []

    # An answer grows old from the day it was given, however often it was taken over.
    again = await recollect(house, second, form)
    assert (again["zip"].lead_id, again["zip"].at) == (first, given_at)
    assert (again["monthly_bill"].lead_id, again["monthly_bill"].at) == (second, clock())


async def row_of(house: House, lead_id: str) -> Any:
    async with house.db.begin() as tx:
        return (await recall_one(tx, house.pen, lead_id)).row


def known_person(row: Any) -> str:
    found: str = row.person_id
    return found


async def test_what_was_put_right_is_what_is_remembered_and_a_forgotten_person_is_asked_everything(
    house: House, clock: FixedClock
) -> None:
    form = await open_form(house)
    first = await send(house, ANA)
    clock.advance(days=1)
    async with house.db.begin() as tx:
        await correct_lead(tx, house.kit, first, {"zip": "95816", "phone": None}, "op_ana", "told me", house.clock())
    known = await recollect(house, first, form)
    assert (known["zip"].value, known["zip"].at, known["phone"].value) == ("95816", clock(), None)
    other = form.__class__(**{name: getattr(form, name) for name in form.__struct_fields__} | {"source_id": "other"})
    assert await recollect(house, first, other) == {}, "another source's form knows nothing"
    person = known_person(await row_of(house, first))
    async with house.db.begin() as tx:
        assert await forget_person(tx, house.keys, person, clock())
    assert await recollect(house, first, form) == {}
    assert await recollect(house, "lead_nothing", form) == {}


async def test_what_a_rejected_lead_said_is_not_believed(house: House, clock: FixedClock) -> None:
    form = await open_form(house)
    first = await send(house, {**ANA, "fax_number": "1"})
    assert (await row_of(house, first)).state is State.REJECTED
    assert await recollect(house, first, form) == {}


async def test_what_we_give_away_shows_nothing_ends_and_opens_as_nothing_else(house: House, clock: FixedClock) -> None:
    form = await open_form(house)
    first = await send(house, ANA)
    async with house.db.begin() as tx:
        lead = (await recall_one(tx, house.pen, first)).lead
    assert lead is not None
    rules, vault = house.book.walk().rules, house.vault
    link = way_back(vault, rules.forms, lead, "https://forms.example.com/", clock())
    head, _, token = link.partition("?t=")
    assert head == "https://forms.example.com/f/more" and first not in token
    came = read_token(vault, token, Returning, clock())
    assert came is not None and (came.lead_id, came.source_id) == (first, form.source_id)
    assert read_token(vault, token, LeftOut, clock()) is None
    assert read_token(vault, token[:-2] + ("aa" if token[-2:] != "aa" else "bb"), Returning, clock()) is None
    assert read_token(vault, token, Returning, clock() + timedelta(days=30)) is None
    for text in ("", "x", "é", "a" * 5000, seal_token(vault, LeftOut(first, "more", "v", [], 0, 2**33))):
        assert read_token(vault, text, Returning, clock()) is None
    assert way_back(vault, rules.forms, lead, "", clock()) == ""
    assert way_back(vault, {}, lead, "https://forms.example.com", clock()) == ""
