"""The built-in dialects, played: each recorded conversation must be understood and answered as it stands."""

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadmill.capture import Lexicon, Said, ask_of, map_lead, read_dialects, read_verticals, speak
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import BadInput
from leadmill.core.reasons import find
from leadmill.delivery import Parcel, read_delivery
from leadmill.interfaces.api.dialects import Doors
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import BUILT_IN, Pack, load_packs
from leadmill_plugins.couriers.http import courier
from tests.plugins.golden import NOON

PACKS = load_packs()
VERTICALS = read_verticals(PACKS)
DIALECTS = read_dialects(PACKS, VERTICALS)
PROFILES = read_profiles(PACKS)
LEXICON = Lexicon(VERTICALS, DIALECTS)
DOORS = Doors(DIALECTS)
GOLDEN = sorted((BUILT_IN / "dialects").glob("*/golden/*.toml"))
IN = [path for path in GOLDEN if not path.stem.startswith("to_")]
OUT = [path for path in GOLDEN if path.stem.startswith("to_")]


def named(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def golden(path: Path) -> dict[str, Any]:
    found = tomllib.loads(path.read_text("utf-8"))
    assert found["says"]
    return found


@pytest.mark.parametrize("path", IN, ids=named)
def test_a_sender_is_understood_and_answered(path: Path) -> None:
    played = golden(path)
    asks, means = played["asks"], played["means"]
    headers = {"content-type": asks.get("type", ""), **asks.get("headers", {})}
    ways = [way for way in DOORS.find(asks["path"]) if way.dialect.name == path.parts[-3]]
    assert len(ways) == 1
    way = ways[0]
    assert asks["method"] in way.dialect.doors[way.door].verbs
    headers |= {f"path.{number}": said for number, said in enumerate(way.stars, start=1)}
    body = asks.get("body", "").encode()
    asked = ask_of(way.dialect, way.door, headers["content-type"], body, asks.get("query", ""), headers)
    told = {name: getattr(asked, name) for name in ("mode", "vertical", "ping_id", "repeat") if name in means}
    assert told == {name: means[name] for name in told}
    assert asked.credential == "".join(f"{len(part)}:{part}" for part in means["credential"])
    assert list(asked.keys) == means["keys"]
    mapped = map_lead(asked.body, LEXICON, textual=True, bound="solar")
    for part in ("fields", "consent", "context", "extra"):
        assert getattr(mapped, part) == means.get(part, {}), part
    assert mapped.test is means.get("test", False)
    for heard in played["hears"]:
        wanted = {key: value for key, value in heard.items() if key not in ("answers", "status", "type")}
        said = msgspec.convert({"mode": asked.mode, "now": 1_790_000_000, **wanted}, Said)
        if said.code is not None and said.outcome not in ("invalid", "denied", "busy", "broken"):
            assert find(said.code).code == said.code, "an answer speaks of reasons that exist"
        spoken = speak(way.dialect, asked.form, said)
        assert (spoken.status, spoken.media_type) == (heard.get("status", 200), heard["type"])
        if "json" in spoken.media_type:
            assert json.loads(spoken.body) == json.loads(heard["answers"])
        else:
            assert spoken.body.decode().split("\n", 1)[-1] == heard["answers"].strip()


@pytest.mark.parametrize("path", OUT, ids=named)
def test_a_buyer_is_spoken_to_and_understood(path: Path) -> None:
    played = golden(path)
    spec = read_delivery({"dialect": path.parts[-3], **played["spec"]}, "golden", {"http": courier}, PROFILES)
    facts = {"delivery_id": "dlv_1", "lead_id": "lead_1", "sale_id": "sale_1", "recipient": "helio", "created_at": NOON}
    parcel = msgspec.convert(facts | played["parcel"], Parcel)
    ask = courier.ask(spec, parcel)
    assert isinstance(ask, HttpAsk)
    asks = played["asks"]
    assert (ask.method, ask.url) == (asks.get("method", "POST"), asks["url"])
    if "json" in asks:
        assert json.loads(ask.body) == asks["json"]
    else:
        assert ask.body.decode() == asks["text"]
    assert [blank.secret for blank in ask.blanks] == asks.get("secrets", [])
    assert ask.secret_headers == asks.get("secret_headers", {})
    assert played["hears"]
    for heard in played["hears"]:
        headers = {"content-type": heard.get("type", "application/json")}
        reply = HttpReply(heard.get("status", 200), headers, heard["body"].encode(), 12)
        told = courier.read(spec, parcel, reply)
        wanted = {name: heard[name] for name in ("kind", "code", "price", "buyer_ref") if name in heard}
        assert {name: getattr(told, name) for name in wanted} == wanted, heard
        if "said" in heard:
            assert told.because is not None
            assert told.because.detail["said"] == heard["said"]


@pytest.mark.parametrize("name", sorted(PACKS.dialects))
def test_every_dialect_says_what_is_known_of_it_and_has_conversations(name: str) -> None:
    head = PACKS.dialects[name].file("dialect.toml")
    assert head["confirmed"]
    assert any(path.parts[-3] == name for path in IN if name in DIALECTS)
    assert name not in PROFILES or any(path.parts[-3] == name for path in OUT)


def changed(file: str, **keys: Any) -> Pack:
    pack = PACKS.dialects["leadspedia"]
    return msgspec.structs.replace(pack, files={**pack.files, file: {**pack.files[file], **keys}})


REPLY = PACKS.dialects["leadspedia"].file("inbound.toml")["reply"]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"feilds": {}}, "did you mean 'fields'"),
    ({"fields": {"phone_home": "phon"}}, "did you mean 'phone'"),
    ({"door": []}, "at least one"),
    ({"door": [{"path": "post.do"}]}, "begins with /"),
    ({"door": [{"path": "/post.do", "verbs": ["PUT"]}]}, "GET and POST"),
    ({"credentials": {}}, "somebody must be calling"),
    ({"names": {"strip": ["("]}}, "no regular expression"),
    ({"reply": {**REPLY, "sold": {"a": "{lead}"}}}, "did you mean 'lead_id'"),
    ({"reply": {**REPLY, "sold": {"a": "{lead_id:int}"}}}, "is no kind"),
    ({"reply": {**REPLY, "sold": {"a": "{lead id}"}}}, "brace"),
    ({"reply": {**REPLY, "words": {"msg": {"solt": "x"}}}}, "did you mean 'sold'"),
    ({"reply": {key: value for key, value in REPLY.items() if key != "rejected"}}, "fall back"),
]


@pytest.mark.parametrize(("keys", "says"), WRONG)
def test_a_profile_that_cannot_be_understood_is_refused_with_the_place(keys: dict[str, Any], says: str) -> None:
    packs = msgspec.structs.replace(PACKS, dialects={"leadspedia": changed("inbound.toml", **keys)})
    with pytest.raises(BadInput) as refused:
        read_dialects(packs, VERTICALS)
    assert refused.value.code == "packs.dialect.malformed"
    assert "leadspedia/inbound.toml" in refused.value.detail
    assert says in refused.value.detail
