"""Opting out through every door: the API, replies, one click, the privacy page, the console, the command."""

import json
import re
from pathlib import Path

from leadmill.interfaces.worker import workers
from leadmill.optouts import Ticket, contact_of, seal_ticket
from leadmill.parties import Role
from tests.interfaces.command import leadmill
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar

BUYER = {"authorization": f"Bearer {BUYER_KEY}"}
SOURCE = {"authorization": f"Bearer {SOURCE_KEY}"}


def operator(stage: Stage) -> dict[str, str]:
    return {"authorization": f"Bearer {stage.operator_key}"}


async def worked(stage: Stage) -> None:
    staff = workers(stage.house)
    while sum([await one.drain() for one in staff]):
        continue


async def refused(stage: Stage, number: int = 0) -> bool:
    """Whether the person's next lead is refused."""
    told = await stage.send(solar(number, monthly_bill=310), SOURCE_KEY)
    return [reason["code"] for reason in told["reasons"]] == ["policy.person.suppressed"]


def token(stage: Stage, lead_id: str, address: str) -> str:
    vault = stage.house.vault
    contact = contact_of(vault.keyed_hash, address)
    assert contact is not None
    return seal_ticket(vault.keyed_hash, vault.seal, Ticket(lead_id, contact.hash))


async def test_an_opt_out_by_any_key_counts_at_once_and_the_same_again_says_so(stage: Stage) -> None:
    client = stage.client()
    body = {"phone": "(415) 601-2300", "channel": "agent", "text": "Take me off.", "at": "2026-03-01T10:00:00Z"}
    first = await client.post_json("/v1/optouts", body, **SOURCE, idempotency_key="one")
    assert first.status == 200, first.text
    assert first.json["optouts"][0]["recorded"] is True
    assert (await client.post_json("/v1/optouts", body, **SOURCE, idempotency_key="one")).json == first.json
    again = await client.post_json("/v1/optouts", body, **BUYER)
    (told,) = again.json["optouts"]
    assert (told["recorded"], told["id"]) == (False, first.json["optouts"][0]["id"])
    assert await refused(stage)
    page = await client.get("/v1/optouts", **operator(stage))
    (line,) = page.json["optouts"]
    assert (line["channel"], line["scope"], line["state"], line["by"]) == (
        "agent",
        "all",
        "stands",
        "source acme-media",
    )


async def test_many_at_once_are_all_heard_or_none(stage: Stage) -> None:
    client = stage.client()
    many = [{"email": f"p{number}@example.com"} for number in range(40)]
    good = await client.post_json("/v1/optouts", {"optouts": many}, **operator(stage))
    assert [one["recorded"] for one in good.json["optouts"]] == [True] * 40
    wrong = [*({"phone": f"+1415601{number}"} for number in range(3000, 3003)), {"phone": "12"}]
    bad = await client.post_json("/v1/optouts", {"optouts": wrong}, **operator(stage))
    assert (bad.status, bad.json["code"], bad.json["errors"][0]["pointer"]) == (
        422,
        "optouts.contact.malformed",
        "/optouts/3/phone",
    )
    page = await client.get("/v1/optouts", **operator(stage))
    assert len(page.json["optouts"]) == 40


WRONG: list[tuple[dict[str, object], int, str]] = [
    ({}, 400, "optouts.contact.missing"),
    ({"email": "ana@example.com", "scope": "phone"}, 400, "optouts.contact.missing"),
    ({"email": "nobody"}, 422, "optouts.contact.malformed"),
    ({"email": "ana@example.com", "scope": "fax"}, 422, "api.body.invalid"),
    ({"email": "ana@example.com", "at": "2026-03-01T10:00:00"}, 422, "api.body.invalid"),
    ({"email": "ana@example.com", "channel": "one_click"}, 422, "api.body.invalid"),
    ({"optouts": []}, 422, "api.body.invalid"),
    ({"optouts": [{"email": "ana@example.com"}], "phone": "4156012300"}, 422, "api.body.invalid"),
    ({"lead_id": "lead_01k00000000000000000000000"}, 404, "flow.lead.unknown"),
    ({"sale_id": "x\0"}, 404, "flow.lead.unknown"),
    ({"who": "me"}, 422, "api.body.invalid"),
]


async def test_what_cannot_be_heard_is_refused_with_its_place(stage: Stage) -> None:
    for body, status, code in WRONG:
        reply = await stage.client().post_json("/v1/optouts", body, **operator(stage))
        assert (reply.status, reply.json["code"]) == (status, code), body


async def test_only_who_has_a_part_in_a_lead_names_it_and_an_analyst_takes_no_opt_outs(stage: Stage) -> None:
    client = stage.client()
    assert (await client.post_json("/v1/optouts", {"email": "ana@example.com"})).status == 401
    analyst = {"authorization": f"Bearer {stage.analyst_key}"}
    assert (await client.post_json("/v1/optouts", {"email": "ana@example.com"}, **analyst)).status == 403
    nobodys = await stage.send(solar(1, state="NY", zip="10001"))
    refused_ = await client.post_json("/v1/optouts", {"lead_id": nobodys["lead_id"]}, **BUYER)
    assert (refused_.status, refused_.json["code"]) == (404, "flow.lead.unknown")
    assert (await client.post_json("/v1/optouts", {"lead_id": nobodys["lead_id"]}, **SOURCE)).status == 200


async def test_a_reply_is_read_and_a_doubtful_one_waits_for_a_person(stage: Stage) -> None:
    client = stage.client()
    said = [("yes please", "none"), ("Stop by at 5?", "review"), ("pls quit texting", "revoke")]
    for number, (text, result) in enumerate(said):
        body = {"phone": f"(415) 601-{2300 + number}", "text": text}
        reply = await client.post_json("/v1/replies", body, **operator(stage))
        assert (reply.status, reply.json["result"]) == (200, result)
        assert await refused(stage, number) is (result != "none")
    desk = await stage.signed_in(Role.COMPLIANCE)
    page = await desk.get("/optouts?state=review")
    assert "Stop by at 5?" not in page.text  # nobody was known then whose key could have sealed it
    assert page.text.count("/decide") == 1
    path = page.text.split('action="/optouts/opt_')[1].split('"')[0]
    csrf = page.text.split('name="_csrf" value="')[1].split('"')[0]
    await desk.post(f"/optouts/opt_{path}", {"_csrf": csrf, "decision": "lifted"})
    assert "/decide" not in (await desk.get("/optouts?state=review")).text


async def test_looking_at_a_link_changes_nothing_and_one_click_does(stage: Stage) -> None:
    lead = solar(3)
    told = await stage.send(lead)
    client = stage.client()
    path = f"/u/{token(stage, told['lead_id'], lead['fields']['email'])}"
    for _ in range(3):
        page = await client.get(path)
        assert (page.status, 'method="post"' in page.text) == (200, True)
    assert (await client.get("/v1/optouts", **operator(stage))).json["optouts"] == []
    done = await client.post(path, {"List-Unsubscribe": "One-Click"})
    assert (done.status, "location" in dict(done.headers)) == (200, False)
    (one,) = (await client.get("/v1/optouts", **operator(stage))).json["optouts"]
    assert (one["channel"], one["scope"], one["lead_id"]) == ("one_click", "email", told["lead_id"])
    assert (await client.post(path, {"List-Unsubscribe": "One-Click"})).status == 200


async def test_a_changed_link_opts_nobody_out_and_names_nobody(stage: Stage) -> None:
    client = stage.client()
    good = token(stage, "lead_01k00000000000000000000000", "ana@example.com")
    for bad in (good[:-4], good[:20] + ("A" if good[20] != "A" else "B") + good[21:], "x", "%2e%2e"):
        assert (await client.get(f"/u/{bad}")).status == 404
        assert (await client.post(f"/u/{bad}", {"List-Unsubscribe": "One-Click"})).status == 404
    assert (await client.get("/v1/optouts", **operator(stage))).json["optouts"] == []
    assert (await client.post(f"/u/{good}", {})).status == 200  # a lead that is gone leaves the address


async def test_the_privacy_page_says_the_same_to_known_and_unknown(stage: Stage) -> None:
    lead = solar(4)
    sent = await stage.send(lead)
    client = stage.client()
    page = await client.get("/privacy")
    assert (page.status, "<script" in page.text) == (200, False)
    known = await client.post("/privacy", {"email": lead["fields"]["email"], "phone": ""})
    unknown = await client.post("/privacy", {"email": "nobody.at.all@example.com", "phone": ""})
    again = await client.post("/privacy", {"email": lead["fields"]["email"], "phone": ""})
    said = {(each.status, re.sub(r"prv_\w{26}|/privacy/r/[\w-]+", "", each.text)) for each in (known, unknown, again)}
    assert len(said) == 1  # but for the number of the request
    wrong = await client.post("/privacy", {"email": "nobody", "phone": "12"})
    assert (wrong.status, "not an e-mail address" in wrong.text) == (422, True)
    assert (await client.post("/privacy", {})).status == 422
    await worked(stage)
    story = await client.get(f"/v1/leads/{sent['lead_id']}/explain", **operator(stage))
    assert "The person opted out on a page of ours: every way of contact is closed for good." in story.text


async def test_global_privacy_control_is_heeded_and_said_so(stage: Stage) -> None:
    client = stage.client()
    said = await client.get("/.well-known/gpc.json")
    assert (said.status, said.json["gpc"]) == (200, True)
    sent = await client.post_json("/v1/leads", solar(5), **SOURCE, sec_gpc="1")
    async with stage.house.db.begin() as tx:
        row = await stage.house.pen.lock(tx, sent.json["lead_id"])
        lead = stage.house.pen.open_lead(row)
    assert lead is not None and lead.context["gpc"] is True


async def test_a_buyer_reads_and_acknowledges_its_own_notices_alone(stage: Stage) -> None:
    client = stage.client()
    told = await stage.send(solar(6))
    assert told["status"] == "sold"
    await worked(stage)
    await client.post_json("/v1/optouts", {"lead_id": told["lead_id"]}, **SOURCE)
    page = await client.get("/v1/optouts/notices?state=open", **operator(stage))
    assert [one["lead_id"] for one in page.json["notices"]] == [told["lead_id"]]
    (notice,) = page.json["notices"]
    assert (await client.get("/v1/optouts/notices", **SOURCE)).status == 403
    mine = (await client.get("/v1/optouts/notices?state=open", **BUYER)).json["notices"]
    path = f"/v1/optouts/notices/{notice['notice_id']}/acknowledge"
    if mine:
        done = await client.post_json(path, {}, **BUYER)
        assert (done.status, done.json["state"]) == (200, "acknowledged")
    else:
        assert (await client.post_json(path, {}, **BUYER)).status == 404
        assert (await client.post_json(path, {}, **operator(stage))).json["state"] == "acknowledged"
    assert (await client.get("/v1/optouts/notices?state=open", **operator(stage))).json["notices"] == []
    story = await client.get(f"/v1/leads/{told['lead_id']}/explain", **operator(stage))
    assert "acknowledged the opt-out." in story.text


async def test_the_console_writes_down_lists_and_hides_what_it_may_not_show(stage: Stage) -> None:
    desk = await stage.signed_in(Role.COMPLIANCE)
    empty = await desk.get("/optouts")
    assert "Nobody has opted out yet" in empty.text
    csrf = empty.text.split('name="_csrf" value="')[1].split('"')[0]
    wrong = await desk.post("/optouts", {"_csrf": csrf, "contact": "12", "scope": "all"})
    assert (wrong.status, "Write an e-mail address or a phone number" in wrong.text) == (422, True)
    done = await desk.post("/optouts", {"_csrf": csrf, "contact": "ana@example.com", "scope": "email", "words": "no"})
    assert (done.status, done.headers["location"]) == (303, "/optouts?done=opted_out")
    page = await desk.get("/optouts")
    assert "Told to somebody" in page.text and "ana@example.com" not in page.text
    exported = await desk.get("/optouts/export.csv")
    assert exported.text.startswith("hash,kind,since,channel") and "ana" not in exported.text
    analyst = await stage.signed_in(Role.ANALYST)
    seen = await analyst.get("/optouts")
    assert (seen.status, 'name="contact"' in seen.text) == (200, False)
    assert (await analyst.get("/optouts/export.csv")).status == 403


def test_the_command_takes_a_list_and_gives_hashes(empty_database_url: str, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("phone\n+14155550134\nana@example.com\nwhat is this 1\n")
    made = leadmill(empty_database_url, tmp_path, "suppress", "import", str(people), "--json")
    assert made.exit_code == 1, made.stderr
    told = json.loads(made.stdout)
    assert (told["read"], told["suppressed"], told["lines"]) == (3, 2, [4])
    given = leadmill(empty_database_url, tmp_path, "suppress", "export")
    assert given.exit_code == 0, given.stderr
    assert len(given.stdout.splitlines()) == 3 and "ana" not in given.stdout
    given = leadmill(empty_database_url, tmp_path, "suppress", "export", "--json")
    entries = json.loads(given.stdout)["entries"]
    assert sorted(each["kind"] for each in entries) == ["email", "phone"]
