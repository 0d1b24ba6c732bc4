"""Certificates of consent from the form to the file: kept, shown to whoever may see them, noted, checked, forgotten."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

from leadmill.consent import flaws_of, take_apart
from leadmill.flow.certifying import KEEP_REPLAY, keep_replay, make_certificate
from leadmill.flow.forgetting import forget
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.flow.verify import verify
from leadmill.parties import Role
from leadmill.parties.service import issue_key
from leadmill.parties.store import reads_of
from leadmill.runtime.jobs import Job
from tests.consent.seeing import told
from tests.interfaces.client import Client
from tests.interfaces.command import leadmill
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_hosted_form import GOOD

PAGE = "/f/solar-seen"


async def carried(client: Client) -> dict[str, str]:
    """What the page carries for its answer."""
    text = (await client.get(PAGE)).text
    return {name: text.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("_stamp", "_visit")}


async def send(stage: Stage, seen: str, pieces: int = 0) -> str:
    """An answer and pieces of a recording; the lead."""
    client = stage.client()
    page = await carried(client)
    for number in range(pieces):
        events = [{"type": 3, "timestamp": 1000 + number, "data": {"source": 5, "text": "•••"}}]
        piece = {"visit": page["_visit"], "seq": number, "events": events}
        assert (await client.post_json(f"{PAGE}/visit", piece)).status == 204
    assert (await client.post(PAGE, {**page, **GOOD, "_seen": seen})).status == 303
    async with stage.house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter())
    return rows[0].id


def good(stage: Stage) -> str:
    """What the script of this page tells."""
    consent = stage.house.book.walk().rules.forms["solar-seen"].consent
    assert consent is not None
    seen = told(shown={"text": consent.text})
    return json.dumps({"seen": seen, "snapshot": f"<!doctype html><body><p>{consent.text}</p></body>"})


async def take_up(stage: Stage, lead_id: str) -> None:
    """Work the job that the lead owes."""
    async with stage.house.db.begin() as tx:
        row = await tx.conn.fetchrow("SELECT * FROM job WHERE kind = $1 AND subject = $2", KEEP_REPLAY, lead_id)
    assert row is not None
    await keep_replay(stage.house.kit)(Job(**dict(row.items())))


async def test_a_certificate_is_made_shown_checked_and_goes_with_its_person(stage: Stage) -> None:
    lead_id = await send(stage, good(stage), pieces=2)
    await take_up(stage, lead_id)
    house = stage.house
    assert (await verify(house.db, house.pen)).findings == []
    client = await stage.signed_in(Role.COMPLIANCE)
    page = await client.get(f"/leads/{lead_id}/consent")
    assert page.status == 200 and "16.90 : 1" in page.text and "2 events over" in page.text
    assert page.headers["content-security-policy"].endswith("frame-src 'self'")
    picture = await client.get(f"/leads/{lead_id}/consent/snapshot")
    assert "sandbox" in picture.headers["content-security-policy"] and "Helio Solar LLC" in picture.text
    assert "script-src" not in picture.headers["content-security-policy"]
    assert len((await client.get(f"/leads/{lead_id}/consent/events")).json) == 2
    paper = (await client.get(f"/leads/{lead_id}/consent/certificate")).text
    assert flaws_of(take_apart(paper)) == [] and "rosa.berg" not in paper and "415-601" not in paper
    async with house.db.begin() as tx:
        noted = {each.what for each in await reads_of(tx, lead_id)}
    assert {"consent certificate", "consent snapshot", "consent recording", "consent certificate export"} <= noted
    analyst = await stage.signed_in(Role.ANALYST)
    assert (await analyst.get(f"/leads/{lead_id}/consent/certificate")).status == 403
    assert (await stage.client().get(f"/leads/{lead_id}/consent/snapshot")).status == 303
    async with house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter())
        await forget(tx, house.kit, rows[0].person_id, "op_cora", house.clock())
    assert (await verify(house.db, house.pen)).findings == []
    assert "No certificate of consent" in (await client.get(f"/leads/{lead_id}/consent")).text
    for part in ("snapshot", "events", "certificate"):
        assert (await client.get(f"/leads/{lead_id}/consent/{part}")).status == 404
    async with house.db.begin() as tx:
        assert not await tx.conn.fetchval("SELECT count(*) FROM consent_replay")


FLIP = "UPDATE {0} SET {1} = set_byte({1}, 20, 255 - get_byte({1}, 20))"


async def test_what_is_changed_in_the_store_is_found_and_named(stage: Stage) -> None:
    lead_id = await send(stage, good(stage), pieces=1)
    await take_up(stage, lead_id)
    for table, column, code in (
        ("consent_replay", "sealed", "consent.replay.mismatch"),
        ("consent_replay", "digest", "consent.replay.mismatch"),
        ("submission", "sealed", "consent.certificate.mismatch"),
    ):
        for found in ([(code, lead_id)], []):  # turned about, and back again
            async with stage.house.db.begin() as tx:
                await tx.conn.execute(FLIP.format(table, column))
            report = await verify(stage.house.db, stage.house.pen)
            assert [(each.code, each.where) for each in report.findings] == found, (table, column)
    async with stage.house.db.begin() as tx:
        await tx.conn.execute("DELETE FROM consent_replay")
    report = await verify(stage.house.db, stage.house.pen)
    assert [each.code for each in report.findings] == ["consent.replay.missing"]


async def test_without_a_script_a_page_was_served_and_no_recording_is_owed(stage: Stage) -> None:
    lead_id = await send(stage, "")
    async with stage.house.db.begin() as tx:
        made = await make_certificate(tx, stage.house.pen, lead_id)
        assert not await tx.conn.fetchval("SELECT count(*) FROM job WHERE kind = $1", KEEP_REPLAY)
    assert (made.core.sight, made.certified, made.document) == ("served", True, "")
    text = (await (await stage.signed_in(Role.OPERATOR)).get(f"/leads/{lead_id}/consent")).text
    assert "script did not run" in text and "Nobody saw the page" in text


async def test_what_a_source_hands_over_is_a_claim(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    client = await stage.signed_in(Role.OPERATOR)
    text = (await client.get(f"/leads/{lead_id}/consent")).text
    assert "Claimed" in text and "Nobody here saw the page" in text
    paper = (await client.get(f"/leads/{lead_id}/consent/certificate")).text
    assert flaws_of(take_apart(paper)) == []


async def test_a_piece_of_no_visit_is_refused(stage: Stage) -> None:
    client = stage.client()
    page = await carried(client)
    refused: list[tuple[str, dict[str, Any], int]] = [
        (PAGE, {"visit": "forged"}, 400),
        (PAGE, {"events": [1]}, 400),
        (PAGE, {"seq": 601}, 400),
        ("/f/solar-quote", {}, 404),
        ("/f/nothing", {}, 404),
    ]
    for path, change, status in refused:
        piece = {"visit": page["_visit"], "seq": 0, "events": []} | change
        assert (await client.post_json(f"{path}/visit", piece)).status == status, (path, change)


async def test_no_address_brings_a_visit_along_and_nobody_is_recorded_unasked(stage: Stage) -> None:
    client = stage.client()
    known = (await carried(client))["_visit"]
    assert known not in (await client.get(f"{PAGE}?_visit={known}")).text
    again = await client.post(PAGE, {**await carried(client), **GOOD, "_visit": known, "last_name": ""})
    assert again.status == 303 or known in again.text, "while it is being corrected it stays"
    text = (await client.get(PAGE)).text
    assert 'data-replay="ask"' in text and 'value="yes">Record<' in text and 'value="no">Do not record<' in text
    assert "data-replay" not in (await stage.client().get("/f/solar-quote")).text


async def test_programs_read_a_certificate_and_export_its_file_as_their_keys_allow(stage: Stage) -> None:
    lead_id = await send(stage, good(stage), pieces=1)
    await take_up(stage, lead_id)
    house = stage.house

    async def key(**more: Any) -> dict[str, str]:
        async with house.db.begin() as tx:
            made, _ = await issue_key(
                tx, house.vault.keyed_hash, house.mint, secrets.token_bytes, kind="operator", owner="papers",
                now=house.clock(), role=Role.COMPLIANCE, **more,
            )  # fmt: skip
        await house.book.refresh(house.db)
        return {"authorization": f"Bearer {made}"}

    client, path = stage.client(), f"/v1/certificates/{lead_id}"
    open_key = await key(scopes=["certificates:read"])
    found = await client.get(path, **open_key)
    assert found.status == 200 and not found.json["masked"]
    async with house.db.begin() as tx:
        made = await make_certificate(tx, house.pen, lead_id)
    assert found.json["digest"] == made.digest == found.json["journal"]["digest"]
    assert found.json["certificate"]["disclosure"]["text_sha256"] == made.core.disclosure.text_sha256
    assert found.json["recording"]["events"] == 1
    paper = await client.get(f"{path}/file", **open_key)
    assert paper.status == 200 and "attachment" in paper.headers["content-disposition"]
    assert flaws_of(take_apart(paper.text)) == []
    masked = await key(scopes=["certificates:read"], masked=True)
    shown = await client.get(path, **masked)
    assert (shown.status, shown.json["masked"], shown.json["certificate"]["salt"]) == (200, True, "")
    for refused, code in (
        (await client.get(f"{path}/file", **masked), "api.right.missing"),
        (await client.get(path, **await key(scopes=["leads:read"])), "api.scope.missing"),
    ):
        assert (refused.status, refused.json["code"]) == (403, code)
    unknown = await client.get("/v1/certificates/lead_none", **open_key)
    assert (unknown.status, unknown.json["code"]) == (404, "flow.lead.unknown")
    async with house.db.begin() as tx:
        noted = [each.what for each in await reads_of(tx, lead_id)]
    assert noted.count("api consent certificate") == 2 and noted.count("api consent certificate export") == 1


async def test_the_command_writes_a_file_that_proves_itself_and_finds_what_was_changed(
    stage: Stage, tmp_path: Path
) -> None:
    lead_id = await send(stage, good(stage), pieces=1)
    await take_up(stage, lead_id)
    chosen, file = stage.house.settings, tmp_path / "consent.html"

    def run(*words: str) -> Any:
        return leadmill(chosen.database_url or "", chosen.home, "certificate", *words, "--json")

    done = await asyncio.to_thread(run, "export", lead_id, "--out", str(file))
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["lead_id"], told["sight"], told["bytes"]) == (lead_id, "seen", file.stat().st_size)
    assert file.stat().st_mode & 0o077 == 0  # for its owner alone
    held = await asyncio.to_thread(run, "verify", str(file), "--key", told["key"], "--email", GOOD["email"])
    assert (held.exit_code, json.loads(held.stdout)["holds"]) == (0, True)
    file.write_text(file.read_text().replace("Helio Solar LLC", "Other Solar LLC", 1))
    found = await asyncio.to_thread(run, "verify", str(file), "--key", told["key"])
    assert (found.exit_code, json.loads(found.stdout)["holds"]) == (1, False)
    async with stage.house.db.begin() as tx:
        acts = await tx.conn.fetch("SELECT who, what, about FROM access_act WHERE what = 'exported'")
    assert [tuple(row) for row in acts] == [("command line", "exported", lead_id)]
