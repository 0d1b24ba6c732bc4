"""Keys of programs: what they reach, what they see, how often they may call, and how one takes another's place."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.core.faults import Conflict, NotFound
from leadmill.interfaces.server import configured
from leadmill.parties import ApiKey, Role
from leadmill.parties.service import issue_key, rotate_key
from leadmill.parties.store import list_keys
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_ways_in import secret


async def made(stage: Stage, **more: Any) -> tuple[str, ApiKey]:
    house = stage.house
    given: dict[str, Any] = {"kind": "operator", "owner": "bi", "role": Role.OPERATOR, **more}
    async with house.db.begin() as tx:
        found = await issue_key(tx, house.vault.keyed_hash, house.mint, bytes_of, now=house.clock(), **given)
    await house.book.refresh(house.db)
    return found


def bytes_of(size: int) -> bytes:
    bytes_of.n += 1  # type: ignore[attr-defined]
    return bytes_of.n.to_bytes(size, "big")  # type: ignore[attr-defined]


bytes_of.n = 0  # type: ignore[attr-defined]


async def ask(stage: Stage, key: str, path: str = "/v1/leads") -> Any:
    return await stage.client().get(path, authorization=f"Bearer {key}")


async def test_a_key_reaches_what_its_scopes_name_and_no_more(stage: Stage) -> None:
    key, _ = await made(stage, scopes=["hygiene:read"])
    assert (await ask(stage, key, "/v1/hygiene")).status == 200
    for path in ("/v1/leads", "/v1/leads/lead_1", "/v1/people/person_1", "/v1/pings", "/v1/optouts"):
        reply = await ask(stage, key, path)
        assert (reply.status, reply.json["code"]) == (403, "api.scope.missing"), path
    pings, _ = await made(stage, kind="source", owner="acme-media", role=None, scopes=["pings:send"])
    reply = await stage.client().post_json("/v1/leads", solar(), authorization=f"Bearer {pings}")
    assert (reply.status, reply.json["code"]) == (403, "api.scope.missing")
    reply = await stage.client().post_json("/v1/ping", {"vertical": "solar"}, authorization=f"Bearer {pings}")
    assert reply.json.get("code") != "api.scope.missing"


async def test_a_masked_key_sees_no_personal_value(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    key, _ = await made(stage, masked=True)
    reply = await ask(stage, key, f"/v1/leads/{lead_id}")
    assert reply.json["masked"] and "ana.ruiz" not in reply.text
    assert "ana.ruiz" in (await ask(stage, stage.operator_key, f"/v1/leads/{lead_id}")).text


async def test_a_key_calls_no_more_often_than_it_may(stage: Stage) -> None:
    key, _ = await made(stage, per_minute=6)  # one in ten seconds; a burst holds ten seconds' worth
    assert (await ask(stage, key)).status == 200
    reply = await ask(stage, key)
    assert (reply.status, reply.json["code"]) == (429, "api.key.throttled")
    assert 1 <= int(reply.headers["retry-after"]) <= 10
    sender, _ = await made(stage, kind="source", owner="acme-media", role=None, per_minute=6)
    assert (await stage.client().post_json("/v1/leads", solar(1), authorization=f"Bearer {sender}")).status == 201
    assert (await stage.client().post_json("/v1/leads", solar(2), authorization=f"Bearer {sender}")).status == 429


async def test_a_rotated_key_and_its_successor_are_both_good_for_a_while(stage: Stage) -> None:
    house = stage.house
    old, record = await made(stage, scopes=["leads:read"], expires_at=house.clock() + timedelta(days=30))

    async def rotate(key_id: str) -> tuple[str, ApiKey]:
        async with house.db.begin() as tx:
            return await rotate_key(
                tx, house.vault.keyed_hash, house.mint, bytes_of, key_id=key_id, overlap=timedelta(days=7),
                now=house.clock(),
            )  # fmt: skip

    new, after = await rotate(record.id)
    await house.book.refresh(house.db)
    assert [(await ask(stage, key)).status for key in (old, new)] == [200, 200]
    assert (after.scopes, after.role, after.owner) == (("leads:read",), Role.OPERATOR, "bi")
    async with house.db.begin() as tx:
        kept = {each.id: each for each in await list_keys(tx)}
    before = kept[record.id]
    assert before.successor == after.id and before.expires_at is not None and after.expires_at is not None
    assert before.expires_at - house.clock() <= timedelta(days=7) < after.expires_at - house.clock()
    with pytest.raises(Conflict, match=r"parties\.key\.replaced"):
        await rotate(record.id)
    with pytest.raises(NotFound, match=r"parties\.key\.unknown"):
        await rotate("key_none")
    declared = next(each for each in kept.values() if each.declared)
    with pytest.raises(Conflict, match=r"parties\.key\.declared"):
        await rotate(declared.id)


async def test_when_a_key_was_last_used_is_written_down(stage: Stage) -> None:
    key, record = await made(stage)
    await ask(stage, key)
    await stage.house.entrance.uses.write(stage.house.db, stage.house.clock(), at_once=True)
    async with stage.house.db.begin() as tx:
        kept = {each.id: each for each in await list_keys(tx)}
    assert kept[record.id].seen_at is not None
    assert not stage.house.entrance.uses.seen


async def test_keys_are_made_rotated_and_revoked_in_the_console(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    csrf = await secret(client, "/api-keys")
    fields = {"_csrf": csrf, "kind": "operator", "owner": "warehouse", "role": "analyst", "days": "30",
              "per_minute": "600", "scope": ["leads:read", "hygiene:read"], "masked": "on"}  # fmt: skip
    page = await client.post("/api-keys", fields)
    key = page.text.partition("<code>lmk_")[2].partition("</code>")[0]
    assert page.status == 200 and key and key not in (await client.get("/api-keys")).text
    await stage.house.book.refresh(stage.house.db)
    assert (await ask(stage, f"lmk_{key}")).status == 200
    ident = page.text.partition("/api-keys/key_")[2].partition("/")[0]
    assert "shown this once" in (await client.post(f"/api-keys/key_{ident}/rotate", {"_csrf": csrf})).text
    assert (await client.post(f"/api-keys/key_{ident}/revoke", {"_csrf": csrf})).status == 303
    await stage.house.book.refresh(stage.house.db)  # every process does so twice a second
    assert (await ask(stage, f"lmk_{key}")).status == 401
    for wrong in ({"kind": "buyer", "owner": "nobody"}, {"scope": "leads:eat"}, {"days": "x"}, {"owner": ""}):
        assert (await client.post("/api-keys", {**fields, **wrong})).status == 422, wrong
    assert (await (await stage.signed_in(Role.OPERATOR)).get("/api-keys")).status == 403
    for path in ("/access", "/access/reads"):
        page = await client.get(path)
        assert (page.status == 200 and "warehouse" in page.text) or path == "/access/reads"
        assert (await (await stage.signed_in(Role.OPERATOR)).get(path)).status == 403
    assert (await client.post("/access/sign", {"_csrf": csrf, "note": "Fine."})).status == 303
    assert "Fine." in (await client.get("/access")).text
    assert (await client.get("/access/reads?since=soon")).status == 422


@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        ("", "198.51.100.7", ("198.51.100.7", "http")),
        ("10.0.0.9", "198.51.100.7", ("198.51.100.7", "http")),
        ("10.0.0.9", "10.0.0.9", ("203.0.113.5", "https")),
        ("10.0.0.9,10.0.0.8", "10.0.0.8", ("203.0.113.5", "https")),
    ],
)
async def test_only_named_proxies_say_who_calls(trusted: str, peer: str, seen: tuple[str, str]) -> None:
    heard: list[tuple[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append((scope["client"][0], scope["scheme"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = configured(app, trusted)
    config.load()

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await config.loaded_app({**scope, "client": (peer, 1)}, receive, send)

    await Client(behind).get("/", **{"x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https"})
    assert heard == [seen]
