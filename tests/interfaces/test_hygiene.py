"""Feedback through its doors, and the report on the page, over the API and from the command."""

import json
from pathlib import Path

from leadmill.parties import Role
from tests.interfaces.command import leadmill
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar
from tests.journeys.bounces import delivery_report


async def test_a_services_hook_tells_what_came_back_and_the_page_shows_it(stage: Stage) -> None:
    client = stage.client()
    key = {"authorization": f"Bearer {stage.operator_key}"}
    sent = await stage.send(solar(1))
    page = (await (await stage.signed_in(Role.ANALYST)).get("/hygiene?days=7")).text
    assert "0 % reached" in page and "No schedule is declared" in page and 'href="/hygiene"' in page
    events = [
        {"event": "hard_bounce", "email": "ana.ruiz1@gmail.com", "id": "ev-1"},
        {"event": "processed", "email": "ana.ruiz1@gmail.com", "id": "ev-2"},
        {"event": "bounced", "email": "who@example.com", "id": "ev-3"},
        {"open": 1},
    ]
    told = await client.post_json("/v1/feedback", events, **key)
    assert (told.status, told.json) == (
        201,
        {"taken": 1, "repeated": 0, "ignored": 2, "unknown": 1, "kinds": {"bounced": 1}},
    )
    assert "/v1/feedback" in (await client.get("/docs")).text
    again = await client.post_json("/v1/feedback", {"events": events[:1]}, **key)
    assert again.json["repeated"] == 1
    report = (await client.get("/v1/hygiene?days=7", **key)).json
    (group,) = [one for one in report["groups"] if one["leads"]]
    assert group["email"] == {"reachable": 0, "unreachable": 1, "unknown": 0}
    assert report["total"]["kinds"] == {"bounced": 1}
    page = (await (await stage.signed_in(Role.ANALYST)).get("/hygiene?vertical=solar")).text
    assert "0 % reached, 100 % not, 0 % not known" in page and "<code>bounced</code>" in page
    lead = (await (await stage.signed_in(Role.OPERATOR)).get(f"/leads/{sent['lead_id']}")).text
    assert "Something came back" in lead
    bad = await client.get("/v1/hygiene?days=0", **key)
    assert (bad.status, bad.json["code"]) == (422, "api.query.invalid")


async def test_who_may_tell_is_known_and_a_report_of_a_mail_server_is_read(stage: Stage) -> None:
    client = stage.client()
    sent = await stage.send(solar(1))
    assert (await client.post_json("/v1/feedback", [])).status == 401
    source = await client.post_json("/v1/feedback", [], authorization=f"Bearer {SOURCE_KEY}")
    assert (source.status, source.json["code"]) == (403, "hygiene.caller.refused")
    buyer = {"authorization": f"Bearer {BUYER_KEY}"}
    stranger = await client.post_json("/v1/feedback", {"event": "bounced", "email": "ana.ruiz1@gmail.com"}, **buyer)
    assert (stranger.status, stranger.json["code"]) == (403, "hygiene.caller.refused")
    own = await client.post_json("/v1/feedback", {"event": "disconnected", "lead_id": sent["lead_id"]}, **buyer)
    assert (own.status, own.json["taken"]) == (201, 1)
    operator = {"authorization": f"Bearer {stage.operator_key}"}
    raw = delivery_report("msg_01k80000000000000000000000", "5.1.1", "ana.ruiz1@gmail.com")
    told = await client.send("POST", "/v1/feedback", raw, {"content-type": "message/rfc822", **operator})
    assert (told.status, told.json["kinds"]) == (201, {"bounced": 1})
    for body, status, code in (
        (b"{", 400, "api.body.malformed"),
        (b"[5]", 422, "api.body.invalid"),
        (json.dumps([{"event": "x", "email": "y"}] * 1_001).encode(), 422, "api.body.invalid"),
    ):
        refused = await client.post_json("/v1/feedback", body, **operator)
        assert (refused.status, refused.json["code"]) == (status, code)


def test_the_commands_take_a_mailbox_in_and_tell_the_report(empty_database_url: str, tmp_path: Path) -> None:
    mailbox = tmp_path / "bounces.mbox"
    one = delivery_report("msg_01k80000000000000000000000", "5.1.1")
    mailbox.write_bytes(b"From mx Wed\n" + one + b"\n\nFrom mx Wed\nSubject: Hello\n\nHow are you?\n")

    def call(*words: str) -> tuple[int, str]:
        done = leadmill(empty_database_url, tmp_path / "home", *words, "--json")
        assert done.exit_code in (0, 1), done.stderr
        return done.exit_code, done.stdout

    status, out = call("feedback", str(mailbox))
    (told,) = json.loads(out)
    assert (status, told["unknown"], told["unread"]) == (1, 1, 1)
    status, out = call("hygiene", "--days", "7")
    found = json.loads(out)
    assert (status, found["days"], found["groups"]) == (0, 7, [])
