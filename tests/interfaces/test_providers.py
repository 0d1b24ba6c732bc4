"""Providers and corrections through the console and the API."""

import re
from pathlib import Path

import pytest

from leadmill.flow.configure import apply_files
from leadmill.interfaces.worker import workers
from leadmill.parties import Role, reads_of
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret

DECLARED = """
[[provider]]
id = "places"
plugin = "geography"
options = { places = { oakland = [37.80, -122.27], reno = [39.53, -119.81] } }
limits = [ { per = "day", asks = 100, spend = "5.00" } ]

[[provider]]
id = "firms"
plugin = "company"
price = "0.02"
options = { file = "FIRMS" }

[[chain]]
id = "where"
topic = "geography"
verticals = ["solar"]
where = [ { field = "zip.known", eq = true } ]
ask = ["places"]

[[chain]]
id = "who"
topic = "company"
ask = [ { provider = "firms", where = [ { field = "email.free", eq = false } ] } ]

[authority]
"geo.county" = ["places", "own"]
"""


async def declare_providers(stage: Stage, folder: Path) -> None:
    (folder / "firms.csv").write_text("domain,name\nacme.example,Acme\n")
    path = folder / "providers.toml"
    path.write_text(DECLARED.replace("FIRMS", str(folder / "firms.csv")))
    house = stage.house
    await apply_files(
        house.db,
        [path],
        author="test",
        now=house.clock(),
        mint=house.mint,
        keyed_hash=house.vault.keyed_hash,
        environ={},
        verticals=house.book.walk().rules.verticals,
        dialects=house.book.walk().rules.dialects,
    )
    await house.book.refresh(house.db)


async def test_the_page_says_what_it_is_for_where_nobody_is_asked(stage: Stage) -> None:
    client = await stage.signed_in(Role.ANALYST)
    reply = await client.get("/providers")
    assert reply.status == 200
    assert "Nobody is asked about leads yet" in reply.text


async def test_the_page_tells_who_was_asked_and_why_not(stage: Stage, tmp_path: Path) -> None:
    await declare_providers(stage, tmp_path)
    taken = await stage.send(solar())
    await stage.house.asker.write_tallies()
    client = await stage.signed_in(Role.ADMIN)
    for path in ("/providers", "/providers?days=90", "/providers?days=nonsense"):
        text = (await client.get(path)).text
        for said in ("<b>places</b>", "100 %", "enrich.condition.unmet", "geo.county", "until one knows", "zip.known"):
            assert said in text, (path, said)
        assert "ana.ruiz" not in text and "94110" not in text
    lead = (await client.get(f"/leads/{taken['lead_id']}")).text
    assert "counts by authority" in lead
    analyst = await stage.signed_in(Role.ANALYST)
    assert "Ask again" not in (await analyst.get("/providers")).text


async def test_a_file_that_breaks_a_provider_is_refused_with_its_place(stage: Stage, tmp_path: Path) -> None:
    await declare_providers(stage, tmp_path)
    (tmp_path / "firms.csv").unlink()
    await stage.house.book.refresh(stage.house.db)
    taken = await stage.send(solar(2))
    assert taken["status"] == "sold"


async def test_leads_are_asked_about_once_more_by_the_worker(stage: Stage, tmp_path: Path) -> None:
    taken = await stage.send(solar())
    await declare_providers(stage, tmp_path)
    client = await stage.signed_in(Role.OPERATOR)
    token = await secret(client)
    reply = await client.post("/providers/again", {"_csrf": token, "topic": "geography", "days": "1"})
    assert reply.status == 303
    for one in workers(stage.house):
        await one.drain()
    text = (await client.get("/providers")).text
    assert "Done" in text and "Geography" in text
    events = (await client.get(f"/leads/{taken['lead_id']}?tab=events")).text
    assert "lead.enriched" in events
    lead = (await client.get(f"/leads/{taken['lead_id']}")).text
    assert "oakland" in lead
    wrong = await client.post("/providers/again", {"_csrf": token, "topic": "nonsense"})
    assert (wrong.status, "no chain is about" in wrong.text) == (422, True)
    analyst = await stage.signed_in(Role.ANALYST)
    mine = await secret(analyst)
    assert (await analyst.post("/providers/again", {"_csrf": mine})).status == 403


async def test_a_lead_is_corrected_on_its_page(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.OPERATOR)
    page = f"/leads/{taken['lead_id']}"
    token = await secret(client)
    form = {"_csrf": token, "name": "zip", "value": "94607", "why": "She moved."}
    assert (await client.post(f"{page}/correct", form)).status == 303
    text = (await client.get(page)).text
    assert "94607" in text and "She moved" not in text
    assert "corrected zip" in (await client.get(f"{page}?tab=why")).text
    fact = {**form, "name": "phone.type", "value": "fixed"}
    assert (await client.post(f"{page}/correct", fact)).status == 303
    assert "corrected by a person" in (await client.get(page)).text
    assert (await client.post(f"{page}/correct", {**form, "why": ""})).status == 422
    analyst = await stage.signed_in(Role.ANALYST)
    mine = await secret(analyst)
    assert "Put something right" not in (await analyst.get(page)).text
    assert (await analyst.post(f"{page}/correct", {**form, "_csrf": mine})).status == 403


async def test_a_lead_is_corrected_through_the_api_once_and_it_is_noted(stage: Stage) -> None:
    taken = await stage.send(solar())
    client, key = stage.client(), f"Bearer {stage.operator_key}"
    path = f"/v1/leads/{taken['lead_id']}/corrections"
    body = {"fields": {"zip": "94607", "phone.type": "fixed", "monthly_bill": None}, "why": "She told me."}
    for _ in range(2):
        reply = await client.post_json(path, body, authorization=key, **{"idempotency-key": "c1"})
        assert reply.status == 201, reply.text
        assert reply.json == {"lead_id": taken["lead_id"], "corrected": ["zip", "phone.type", "monthly_bill"]}
    lead = (await client.get(f"/v1/leads/{taken['lead_id']}", authorization=key)).json
    assert lead["fields"]["zip"] == "94607" and "monthly_bill" not in lead["fields"]
    events = (await client.get(f"/v1/leads/{taken['lead_id']}/events", authorization=key)).json["items"]
    (told,) = [event for event in events if event["event"] == "lead.corrected"]
    assert told["data"]["fields"] == ["zip", "phone.type", "monthly_bill"] and not re.search(r"\b94607\b", str(events))
    async with stage.house.db.begin() as tx:
        assert "api correction" in {read.what for read in await reads_of(tx, taken["lead_id"])}


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"fields": {"zipp": "1"}, "why": "x"}, 422, "/fields/zipp"),
        ({"fields": {"zip": "94607"}, "why": ""}, 422, "/why"),
        ({"fields": {}, "why": "x"}, 422, "/fields"),
        ({"why": "x"}, 422, ""),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused(
    stage: Stage, body: dict[str, object], status: int, pointer: str
) -> None:
    taken = await stage.send(solar())
    key = f"Bearer {stage.operator_key}"
    path = f"/v1/leads/{taken['lead_id']}/corrections"
    reply = await stage.client().post_json(path, body, authorization=key)
    assert reply.status == status
    assert pointer in [each["pointer"] for each in reply.json["errors"]]
    other = await stage.client().post_json(path, body, authorization=f"Bearer {stage.analyst_key}")
    assert (other.status, other.json["code"]) == (403, "api.right.missing")
