"""Retention, the data map, agreements and forgetting as pages and through the API."""

from typing import Any

from leadmill.flow.retaining import Runner
from leadmill.interfaces.console.personal import _grouped, _ways
from leadmill.interfaces.outside import OutsideStore
from leadmill.parties import Role
from leadmill.parties.service import issue_key
from leadmill.privacy import Goes, latest_runs
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage, solar


async def secret(client: Client) -> str:
    """What a form of this session must bring."""
    return (await client.get("/retention")).text.split('name="_csrf" value="')[1].split('"')[0]


async def person_of(stage: Stage, lead_id: str) -> str:
    reply = await stage.client().get(f"/v1/leads/{lead_id}", authorization=f"Bearer {stage.operator_key}")
    found: str = reply.json["person_id"]
    return found


async def compliance_key(stage: Stage) -> str:
    house = stage.house
    async with house.db.begin() as tx:
        key, _ = await issue_key(
            tx,
            house.vault.keyed_hash,
            house.mint,
            lambda size: b"k" * size,
            kind="operator",
            owner="cora",
            now=house.clock(),
            role=Role.COMPLIANCE,
            label="test",
        )
    await house.book.refresh(house.db)
    return key


async def test_the_pages_show_schedules_where_data_goes_and_what_was_agreed(stage: Stage) -> None:
    client = await stage.signed_in(Role.COMPLIANCE)
    page = await client.get("/retention")
    assert page.status == 200
    assert "5 years after its last use" in page.text
    assert "16 CFR 310.5" in page.text
    assert "None was taken" in page.text
    page = await client.get("/data-map?vertical=solar")
    assert page.status == 200
    assert "helio" in page.text
    assert "journal_page" in page.text
    page = await client.get("/agreements")
    assert page.status == 200
    assert "Helio" in page.text
    reader = await stage.signed_in(Role.ANALYST)
    shown = (await reader.get("/retention")).text
    assert "Run now" not in shown
    for path in ("/retention/run", "/retention/dry-run"):
        assert (await reader.post(path, {"_csrf": await secret(reader), "sure": "yes"})).status == 403


async def test_a_dry_run_and_a_hold_are_made_on_the_page(stage: Stage) -> None:
    lead = (await stage.send(solar()))["lead_id"]
    client = await stage.signed_in(Role.COMPLIANCE)
    reply = await client.post("/retention/run", {"_csrf": await secret(client)})
    assert (reply.status, "Tick that you mean it" in reply.text) == (422, True)
    assert (await client.post("/retention/dry-run", {"_csrf": await secret(client)})).status == 303
    house = stage.house
    async with house.db.begin() as tx:
        (run,) = await latest_runs(tx)
    await Runner(house.kit, OutsideStore(house.settings.home)).carry_out(run.id)
    assert "Figures are of the dry run" in (await client.get("/retention")).text
    reply = await client.post(
        "/retention/holds", {"_csrf": await secret(client), "subject": "lead_none", "why": "a claim"}
    )
    assert (reply.status, "There is no such lead or person" in reply.text) == (422, True)
    reply = await client.post("/retention/holds", {"_csrf": await secret(client), "subject": lead, "why": "a claim"})
    assert reply.status == 303
    who = await person_of(stage, lead)
    reply = await client.post(
        f"/people/{who}/forget", {"_csrf": await secret(client), "why": "x", "sure": "yes", "opt_out": "yes"}
    )
    assert (reply.status, "legal hold stands" in reply.text) == (422, True)


async def test_somebody_is_forgotten_on_their_page_after_a_confirmation(stage: Stage) -> None:
    lead = (await stage.send(solar()))["lead_id"]
    who = await person_of(stage, lead)
    client = await stage.signed_in(Role.COMPLIANCE)
    assert f"/people/{who}/forget" in (await client.get(f"/people/{who}")).text
    assert "cannot be undone" in (await client.get(f"/people/{who}/forget")).text
    form = {"_csrf": await secret(client), "why": "asked us by letter", "opt_out": "yes"}
    assert (await client.post(f"/people/{who}/forget", form)).status == 422
    page = await client.post(f"/people/{who}/forget", {**form, "sure": "yes"})
    assert page.status == 200
    assert "This is the certificate" in page.text
    assert "Nothing can be read of this person." in (await client.get(f"/people/{who}")).text
    operator = await stage.signed_in(Role.OPERATOR)
    assert f"/people/{who}/forget" not in (await operator.get(f"/people/{who}")).text
    assert (await operator.get(f"/people/{who}/forget")).status == 403


async def test_the_route_forgets_for_whoever_has_the_right_and_answers_with_the_certificate(stage: Stage) -> None:
    lead = (await stage.send(solar()))["lead_id"]
    who = await person_of(stage, lead)
    client, body = stage.client(), {"why": "asked us by letter"}
    path = f"/v1/people/{who}/forget"
    reply = await client.post_json(path, body, authorization=f"Bearer {stage.operator_key}")
    assert (reply.status, reply.json["code"]) == (403, "api.right.missing")
    key: dict[str, Any] = {"authorization": f"Bearer {await compliance_key(stage)}"}
    assert (await client.post_json(path, {"why": " "}, **key)).json["code"] == "privacy.forget.why"
    assert (await client.post_json("/v1/people/person_none/forget", body, **key)).status == 404
    reply = await client.post_json(path, body, **key)
    assert reply.status == 200, reply.text
    assert reply.json["leads"] == [lead]
    assert reply.json["certificate"]["signature"]
    assert (await client.post_json(path, body, **key)).json["leads"] == []
    told = await client.get(f"/v1/leads/{lead}", authorization=f"Bearer {stage.operator_key}")
    assert told.json["fields"] is None


def test_many_recipients_are_a_number_that_opens_and_a_few_stand_by_their_names() -> None:
    many = [f"buyer b{number}" for number in range(23)]
    assert [(each["says"], len(each["idents"])) for each in _grouped([*many, "team west", "provider pay"])] == [
        ("23 buyers", 23), ("west", 0), ("pay", 0),
    ]  # fmt: skip
    assert _grouped([]) == []
    goes = [Goes(kind="buyer", id=f"b{number}", name="", everything=True, by="delivery by http", where="h", agreement=
                 "" if number else "v1") for number in range(23)]  # fmt: skip
    (line,) = _ways(goes)
    assert (line["says"], line["where"], line["agreed"], line["lacking"]) == ("23 buyers", ["h"], 1, 22)
