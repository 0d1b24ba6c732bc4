"""Senders of other systems change nothing but the host: their addresses, names and answers."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import msgspec
import pytest

from leadmill.billing import open_account
from leadmill.capture import read_dialects
from leadmill.core.faults import Permanent
from leadmill.flow.configure import apply_files
from leadmill.flow.replay import replay
from leadmill.interfaces.api.dialects import Doors, Interpreter
from tests.interfaces.stage import CONSENT, SOURCE_KEY, Stage

HOME = {"zip_code": "94110", "state": "CA", "monthly_bill": "240", "homeowner": "yes"}
WHO = {"first_name": "Ana", "last_name": "Ruiz"}
SHOWN = {
    "tcpa_text": CONSENT["text"],
    "sellers": "; ".join(CONSENT["sellers"]),
    "box_default": "unchecked",
    "ip_address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "landing_page_url": "https://example.com/solar",
}
KEYS = {"lp_campaign_id": "5f3", "lp_campaign_key": SOURCE_KEY, "lp_response": "JSON"}


def person(number: int = 0) -> dict[str, str]:
    return {**WHO, "email": f"ana.ruiz{number}@gmail.com", "phone": f"415-601-{2300 + number:04d}"}


async def declare(stage: Stage, folder: Path, text: str, environ: dict[str, str]) -> None:
    """Apply more of a business."""
    path = folder / "more.toml"
    path.write_text(text)
    house = stage.house
    await apply_files(
        house.db,
        [path],
        author="test",
        now=house.clock(),
        mint=house.mint,
        keyed_hash=house.vault.keyed_hash,
        environ=environ,
        verticals=house.book.walk().rules.verticals,
        dialects=house.book.walk().rules.dialects,
        on_buyer=open_account,
    )
    await house.book.refresh(house.db)


async def test_a_sender_of_another_system_sells_by_its_own_address_and_key(stage: Stage) -> None:
    reply = await stage.client().post("/post.do", {**HOME, **person(), **SHOWN, **KEYS, "vertical": "solar"})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["result"] == "success", reply.text
    assert reply.json["price"] == "45.50", "the source's share of 65.00"
    lead = await stage.client().get(f"/v1/leads/{reply.json['lead_id']}", authorization=f"Bearer {stage.operator_key}")
    assert lead.json["channel"] == "dialect"
    assert lead.json["fields"]["phone"] == "415-601-2300"
    assert SOURCE_KEY not in lead.text, "a key is no part of a lead"
    again = await stage.client().post("/post.do", {**HOME, **person(), **SHOWN, **KEYS, "vertical": "solar"})
    assert (again.json["result"], again.json["msg"]) == ("failed", "Duplicate Lead")


async def test_what_came_is_kept_as_it_came_and_decided_again_alike(stage: Stage) -> None:
    client = stage.client()
    query = urlencode({**HOME, **person(1), **KEYS, "vertical": "solar"})
    assert (await client.get(f"/post.do?{query}")).status == 200
    mixed = urlencode({**HOME, **person(2), **SHOWN})
    split = await client.send(
        "POST", f"/post.do?{urlencode({**KEYS, 'vertical': 'solar'})}", mixed.encode(), {"content-type": "text/plain"}
    )
    assert split.json["result"] == "success", split.text
    found = await replay(stage.house.db, stage.house.pen, stage.house.book)
    assert (found.leads, found.differences) == (2, [])


BOBERDOO = """
[[source]]
id = "roofs"
name = "Roofs"
verticals = ["solar", "mortgage"]
[source.dialect]
name = "boberdoo"
credentials = { Key = { env = "ROOFS" }, SRC = "Roofs_1" }
verticals = { "19" = "solar" }
"""


async def test_a_sender_is_known_by_the_credentials_it_was_declared_with(stage: Stage, tmp_path: Path) -> None:
    await declare(stage, tmp_path, BOBERDOO, {"ROOFS": "bk-old-system-key"})
    lead = {
        "API_Action": "pingPostLead", "Mode": "full", "TYPE": "19", "First_Name": "Ana", "Last_Name": "Ruiz",
        "Email": "ana.b@gmail.com", "Primary_Phone": "4156012399", "Zip": "94110", "State": "CA", "monthly_bill": "240",
        "homeowner": "yes", "TCPA_Language": CONSENT["text"], "sellers": SHOWN["sellers"], "box_default": "unchecked",
    }  # fmt: skip
    client = stage.client()
    right = await client.post("/new_api/api.php", {**lead, "Key": "bk-old-system-key", "SRC": "Roofs_1"})
    assert (right.status, right.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    told = ET.fromstring(right.text)
    assert (told.tag, told.findtext("status")) == ("response", "Matched")
    for wrong in ({"Key": "bk-old-system-key", "SRC": "Roofs_2"}, {"Key": "bk-other", "SRC": "Roofs_1"}, {}):
        refused = await client.post("/new_api/api.php", {**lead, **wrong})
        assert refused.status == 200
        assert ET.fromstring(refused.text).findtext("status") == "Error"
    other = await client.post("/new_api/api.php", {**lead, "Key": "bk-old-system-key", "SRC": "Roofs_1", "TYPE": "20"})
    assert "not known" in (ET.fromstring(other.text).findtext("error") or "")
    stored = await client.get("/v1/leads?source=roofs", authorization=f"Bearer {stage.operator_key}")
    assert "bk-old-system-key" not in stored.text


LP = {"lp_campaign_id": "13424", "lp_supplier_id": "27633", "lp_key": SOURCE_KEY}


async def test_a_ping_is_quoted_and_its_post_sold_at_that_price_once(stage: Stage) -> None:
    client = stage.client()
    ping = await client.post_json("/ping", {**LP, **HOME, **person(3), "vertical": "solar"})
    assert ping.json["status"] == "ACCEPTED", ping.text
    assert ping.json["payout"] == 45.5
    post = {**LP, **HOME, **person(3), **SHOWN, "vertical": "solar", "lp_ping_id": ping.json["ping_id"]}
    sold = await client.post_json("/post", post)
    assert (sold.json["status"], sold.json["payout"]) == ("ACCEPTED", 45.5), sold.text
    again = await client.post_json("/post", post)
    assert again.json == sold.json
    changed = await client.post_json("/post", {**post, "first_name": "Bea"})
    assert changed.json["status"] == "DUPLICATED"
    differs = await client.post_json("/post", {**post, "monthly_bill": "500"})
    assert (differs.json["status"], "monthly_bill" in differs.json["message"]) == ("ERROR", True)
    unknown = await client.post_json("/post", {**post, "lp_ping_id": "ping_nobody"})
    assert unknown.json["status"] == "ERROR"
    nobody = await client.post_json("/ping", {**LP, **HOME, "state": "WY", "zip_code": "82001", "vertical": "solar"})
    assert nobody.json["status"] == "ERROR"


async def test_two_systems_with_one_address_are_told_apart_by_their_credentials(stage: Stage) -> None:
    client = stage.client()
    sent = {"zip": "94110", "state": "CA", "monthly_bill": 240, "homeowner": "yes", "vertical": "solar"}
    phonexa = await client.post_json("/ping", {**sent, "apiId": "A", "apiPassword": SOURCE_KEY})
    assert phonexa.json["status"] == "continue", phonexa.text
    prosper = await client.post_json("/ping/", {**sent, **LP})
    assert prosper.json["status"] == "ACCEPTED", prosper.text


MULTI = "multipart/form-data; boundary=b"
HOSTILE: list[tuple[bytes, str]] = [
    (b"", ""),
    (b"{", "application/json"),
    (b'{"a": NaN}', "application/json"),
    (b'{"lp_campaign_id": "\\u0000"}', "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 500 + b"1" + b"}" * 500, "application/json"),
    (b"<a>" * 200_000, "application/xml"),
    (b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><x><y>&b;</y></x>", "text/xml"),
    (b"<x>" + b"<y>1</y>" * 5_000 + b"</x>", "text/xml"),
    (b"&".join(b"f%d=1" % number for number in range(5_000)), "application/x-www-form-urlencoded"),
    (b"email=%00%ff%fe", "application/x-www-form-urlencoded"),
    (b'--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\nx\r\n--b--', MULTI),
    (b"--b\r\n\r\n--b", MULTI),
    (b"anything", "multipart/form-data"),
    (b"\x89PNG\r\n", "image/png"),
    ("first_name=\ud83d".encode("utf-8", "surrogatepass"), "text/plain"),
]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/post.do", "/new_api/api.php", "/api/lead/post", "/api/submit.php", "/d.ashx", "/post"]
)
async def test_hostile_bodies_are_refused_in_the_dialects_own_words(stage: Stage, path: str) -> None:
    client = stage.client()
    for body, kind in HOSTILE:
        reply = await client.send("POST", path, body, {"content-type": kind} if kind else {})
        assert reply.status == 200, (body[:40], reply.text[:200])
        assert "problem" not in reply.headers["content-type"]
        assert "Traceback" not in reply.text
        told = reply.text.lower()
        assert any(word in told for word in ("fail", "error", "false", "-7", "-5")), told[:200]
    large = await client.send("POST", path, b"a=" + b"x" * (1 << 20), {"content-type": "text/plain"})
    assert large.status == 413
    packed = await client.send("POST", path, b"x", {"content-encoding": "gzip"})
    assert packed.status == 200
    deleted = await client.send("DELETE", path, b"", {})
    assert deleted.status == 200
    assert "send" in deleted.text.lower()


async def test_a_fault_of_ours_is_told_by_the_status_and_tells_nothing(stage: Stage) -> None:
    alarms: list[BaseException] = []

    async def broken(*_: Any) -> Any:
        raise RuntimeError("the inside")

    house = stage.house
    interpreter = Interpreter(
        broken,
        lambda: house.book.ring.callers,
        house.vault.keyed_hash,
        lambda: house.book.walk().rules,
        house.clock,
        house.mint,
        alarms.append,
        None,
        broken,
        broken,
    )
    ways = interpreter.doors().find("/post.do")
    client = stage.client()
    client.app = lambda scope, receive, send: interpreter({**scope, "leadmill.ways": ways}, receive, send)
    reply = await client.post("/post.do", {**KEYS, **HOME, **person(9), "vertical": "solar"})
    assert reply.status == 500
    assert "inside" not in reply.text
    assert reply.json["result"] == "failed"
    assert len(alarms) == 1


async def test_no_dialect_may_claim_an_address_of_ours(stage: Stage) -> None:
    house = stage.house
    pack = house.packs.dialects["px"]
    for path in ("/v1/leads", "/static/x", "/"):
        inbound = {**pack.files["inbound.toml"], "door": [{"path": path}]}
        packs = msgspec.structs.replace(
            house.packs, dialects={"px": msgspec.structs.replace(pack, files={**pack.files, "inbound.toml": inbound})}
        )
        with pytest.raises(Permanent) as refused:
            Doors(read_dialects(packs, house.book.walk().rules.verticals))
        assert refused.value.code == "packs.dialect.door"


async def test_our_own_pages_are_not_hidden_by_any_dialect(stage: Stage) -> None:
    doors = Doors(stage.house.book.walk().rules.lexicon.dialects)
    for path in (
        "/leads",
        "/orders",
        "/sources",
        "/sign-in",
        "/docs",
        "/openapi.json",
        "/f/x",
        "/imports",
        "/v1/leads",
    ):
        assert doors.find(path) == []
    assert json.loads((await stage.client().get("/healthz")).body)
