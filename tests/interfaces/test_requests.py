"""Requests of consumers through every door: the privacy page, the desk and the API."""

import re

from leadmill.interfaces.worker import workers
from leadmill.optouts import contact_of
from leadmill.parties import Role
from leadmill.privacy import Ticket, seal_ticket
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage, solar

WHO = {"email": "ana.ruiz@gmail.com", "last_name": "Ruiz", "zip": "94110", "home": "CA", "declared": "yes"}


async def worked(stage: Stage) -> None:
    staff = workers(stage.house)
    while sum([await one.drain() for one in staff]):
        continue


def letter(stage: Stage, request_id: str) -> str:
    """The link in the letter to whoever made a request."""
    vault = stage.house.vault
    return f"/privacy/r/{seal_ticket(vault.keyed_hash, vault.seal, Ticket(request_id, letter=True))}"


def plain(text: str) -> str:
    """A page without what is this request's alone."""
    return re.sub(r"prv_[0-9a-z]{26}|/privacy/r/[A-Za-z0-9_-]+", "", text)


def number(text: str) -> str:
    found = re.search(r"prv_[0-9a-z]{26}", text)
    assert found is not None
    return found[0]


async def csrf(desk: Client, path: str) -> str:
    return (await desk.get(path)).text.split('name="_csrf" value="')[1].split('"')[0]


async def test_the_page_says_the_same_of_known_and_unknown_until_the_mailbox_is_proven(stage: Stage) -> None:
    await stage.send(solar())
    client = stage.client()
    for kind in ("know", "delete", "correct", "limit", "opt_out"):
        page = await client.get(f"/privacy?request={kind}")
        assert (page.status, "<script" in page.text, page.headers["referrer-policy"]) == (200, False, "no-referrer")
    known = await client.post("/privacy", {"request": "know", **WHO})
    unknown = await client.post("/privacy", {"request": "know", **WHO, "email": "nobody.at.all@example.com"})
    assert (known.status, plain(known.text)) == (unknown.status, plain(unknown.text)) == (200, plain(known.text))
    # The link on the page that was answered shows neither, even when there is an answer.
    shown = f"/privacy/r/{known.text.split('/privacy/r/')[1].split(chr(34))[0]}"
    assert (await client.post(shown, {"step": "confirm"})).status == 404
    link = letter(stage, number(known.text))
    for _ in range(2):  # looking changes nothing
        assert "Yes, this was me" in (await client.get(link)).text
    assert "somebody of ours is looking after it" in (await client.post(link, {"step": "confirm"})).text
    desk = await stage.signed_in(Role.COMPLIANCE)
    path = f"/requests/{number(known.text)}"
    token = await csrf(desk, path)
    assert (await desk.post(f"{path}/fulfil", {"_csrf": token})).status == 303
    await worked(stage)
    answer = await client.get(link)
    assert "This is everything we hold about you." in answer.text and "ana.ruiz@gmail.com" in answer.text
    told = await client.get(f"{link}/answer.json")
    assert told.json["enquiries"][0]["interest"] and told.headers["cache-control"] == "no-store"
    hidden = await client.get(shown)
    assert "stands behind the link in our letter" in hidden.text and "ana.ruiz" not in hidden.text
    assert (await client.get(f"{shown}/answer.json")).status == 404
    assert (await client.get(f"{link}/certificate.json")).status == 404


WRONG = [
    ({"request": "know", "email": "nobody", "home": "CA"}, "This is not an e-mail address"),
    ({"request": "know", "email": "ana@example.com"}, "Choose the state where you live"),
    ({"request": "know", "email": "ana@example.com", "home": "XX"}, "Choose the state where you live"),
    ({"request": "correct", "email": "ana@example.com", "home": "CA"}, "Say what is wrong and what is right"),
    ({"request": "delete", "email": "ana@example.com", "home": "CA", "agent": "Aid Inc"}, "by which permission"),
    ({"request": "delete", "home": "CA"}, "Write an e-mail address, a phone number, or both"),
    ({"request": "sell", "email": "ana@example.com", "home": "CA"}, "Say what is asked"),
]


async def test_what_is_missing_is_said_beside_it_and_nothing_is_kept(stage: Stage) -> None:
    client = stage.client()
    for fields, says in WRONG:
        page = await client.post("/privacy", fields)
        assert (page.status, says in page.text) == (422, True), fields
    async with stage.house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM privacy_request") == 0


async def test_nobody_fills_anothers_mailbox_and_all_processes_count_together(stage: Stage) -> None:
    client = stage.client()
    known = contact_of(stage.house.vault.keyed_hash, "ana.ruiz@gmail.com")
    assert known is not None
    same = {"request": "delete", "home": "CA"}
    spellings = ["ana.ruiz@gmail.com", "Ana.Ruiz@gmail.com", "anaruiz@gmail.com", "ana.ruiz+x@gmail.com"] * 2
    answers = [await client.post("/privacy", {**same, "email": each}) for each in spellings]
    assert [each.status for each in answers] == [200] * 6 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 3600
    for each in range(22):
        assert (await client.post("/privacy", {**same, "email": f"p{each}@example.com"})).status == 200
    assert (await client.post("/privacy", {**same, "email": "p23@example.com"})).status == 429


async def test_a_changed_link_shows_nothing(stage: Stage) -> None:
    client = stage.client()
    good = letter(stage, "prv_01k00000000000000000000000")
    for bad in (good, good[:-4], f"{good[:40]}{'A' if good[40] != 'A' else 'B'}{good[41:]}", "/privacy/r/x"):
        assert (await client.get(bad)).status == 404
        assert (await client.post(bad, {"step": "confirm"})).status == 404


async def test_the_desk_sees_to_a_request_from_its_clock_to_its_certificate(stage: Stage) -> None:
    await stage.send(solar())
    desk = await stage.signed_in(Role.COMPLIANCE)
    assert "Nothing waits" in (await desk.get("/requests")).text
    token = await csrf(desk, "/requests")
    wrong = await desk.post("/requests", {"_csrf": token, "kind": "delete", "email": "nobody"})
    assert (wrong.status, "Choose the state" in wrong.text) == (422, True)
    given = {"_csrf": token, "kind": "delete", "home": "VA", "name": "Ana Ruiz", "phone": "415-601-2300"}
    made = await desk.post("/requests", given)
    path = made.headers["location"].partition("?")[0]
    waits = await desk.get("/requests")
    assert "Ana Ruiz" in waits.text and "confirmation in" in waits.text
    page = await desk.get(path)
    assert "Make sure who asks" in page.text and "Va." not in page.text and "SP-VA" in page.text
    steps: list[tuple[str, dict[str, str], int]] = [
        ("acknowledge", {}, 303),
        ("extend", {"why": ""}, 422),
        ("extend", {"why": "We look through old records."}, 303),
        ("extend", {"why": "Again."}, 422),
        ("fulfil", {"sure": "delete"}, 422),  # it waits for somebody to make sure
        ("confirm", {"level": "reasonable", "saw": ""}, 422),
        ("confirm", {"level": "reasonable", "saw": "Called back the number we hold."}, 303),
        ("deny", {"ground": "whim", "why": "No."}, 422),
        ("deny", {"ground": "kept_by_law", "why": "A dispute is open."}, 303),
        ("appeal", {"why": "It is over."}, 303),
        ("decide", {"decision": "granted", "why": "It is."}, 303),
        ("fulfil", {"sure": "yes"}, 422),
        ("fulfil", {"sure": "delete"}, 303),
        ("fulfil", {"sure": "delete"}, 422),
    ]
    for step, fields, status in steps:
        answer = await desk.post(f"{path}/{step}", {"_csrf": token, **fields})
        assert answer.status == status, (step, fields, answer.text[-600:])
    await worked(stage)
    done = await desk.get(path)
    assert "Signature holds" in done.text and "Helio" in done.text and "Read by Cora Blum" in done.text
    found = await desk.get("/requests?show=all")
    assert "Answered" in found.text and "Ana Ruiz" in found.text
    assert "No request fits" in (await desk.get("/requests?state=lapsed")).text


async def test_only_who_sees_to_requests_gets_to_them(stage: Stage) -> None:
    for role in (Role.OPERATOR, Role.ANALYST):
        desk = await stage.signed_in(role)
        assert (await desk.get("/requests")).status == 403
        assert 'href="/requests"' not in (await desk.get("/leads")).text
    client = stage.client()
    headers = {"authorization": f"Bearer {stage.operator_key}"}
    body = {"kind": "delete", "home": "CA", "email": "ana@example.com"}
    assert (await client.post_json("/v1/privacy/requests", body, **headers)).status == 403
    assert (await client.post_json("/v1/privacy/requests", body)).status == 401
    assert (await client.get("/v1/privacy/requests", **headers)).status == 403


async def test_programs_bring_and_decide_requests(stage: Stage) -> None:
    await stage.send(solar())
    program = await stage.signed_in(Role.COMPLIANCE)
    body = {"kind": "know", "home": "IA", "email": "ana.ruiz@gmail.com", "at": "2026-03-01T10:00:00Z"}
    made = await program.post_json("/v1/privacy/requests", body, idempotency_key="one")
    assert (made.status, made.json["state"], made.json["citation"]) == (201, "unconfirmed", "Iowa Code 715D.3")
    assert made.json["answer_due"] == "2026-05-30"
    assert (await program.post_json("/v1/privacy/requests", body, idempotency_key="one")).json == made.json
    path = f"/v1/privacy/requests/{made.json['request_id']}"
    early = await program.post_json(f"{path}/decisions", {"action": "fulfil"})
    assert (early.status, early.json["code"]) == (409, "privacy.request.elsewhere")
    sure = {"action": "confirm", "level": "high", "saw": "A notarised letter."}
    assert (await program.post_json(f"{path}/decisions", sure)).json["level"] == "high"
    assert (await program.post_json(f"{path}/decisions", {"action": "fulfil"})).json["state"] == "carrying"
    await worked(stage)
    told = (await program.get(path)).json
    assert (told["state"], told["answer"]["recipients"][0]["sold"], told["told"]["email"]) == (
        "answered", True, "ana.ruiz@gmail.com",
    )  # fmt: skip
    assert "A notarised letter." in [each["note"] for each in told["steps"]]
    page = await program.get("/v1/privacy/requests?state=answered&kind=know")
    assert [each["request_id"] for each in page.json["requests"]] == [made.json["request_id"]]
    out = await program.post_json("/v1/privacy/requests", {"kind": "opt_out", "phone": "415-601-2300"})
    assert (out.status, out.json["state"]) == (201, "answered")
    for wrong, status, code in [
        ({"kind": "know", "email": "nobody", "home": "CA"}, 422, "privacy.request.malformed"),
        ({"kind": "sell", "email": "ana@example.com", "home": "CA"}, 422, "api.body.invalid"),
    ]:
        refused = await program.post_json("/v1/privacy/requests", wrong)
        assert (refused.status, refused.json["code"]) == (status, code)
    assert (await program.get("/v1/privacy/requests/prv_01k00000000000000000000000")).status == 404
