"""The built-in dialects, played: each recorded conversation must be understood and answered as it stands."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadmill.capture import (
    Lexicon,
    Said,
    ask_of,
    later_answer,
    map_lead,
    read_dialects,
    read_verticals,
    speak,
    without_person,
)
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import BadInput
from leadmill.core.reading import Table
from leadmill.core.reasons import Because, find
from leadmill.delivery import Parcel, read_delivery
from leadmill.interfaces.api.dialects import Doors
from leadmill.market import Offer, read_ping
from leadmill.market.tenders.tender import number_of
from leadmill.overlap.rules import Exclusions, names_in
from leadmill.parties import Roster, read_buyer
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import BUILT_IN, Pack, load_packs
from leadmill_plugins.bidders.http import bidder
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
    headers |= way.said
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
    for told in played.get("told", ()):
        wanted = {key: value for key, value in told.items() if key not in ("verb", "url", "type", "body")}
        said = msgspec.convert({"mode": asked.mode, "now": 1_790_000_000, **wanted}, Said)
        letter = later_answer(way.dialect, str(mapped.context["response_url"]), said)
        assert (letter.verb, letter.url, letter.media_type) == (told["verb"], told["url"], told["type"])
        assert letter.body.decode() == told["body"]


@pytest.mark.parametrize("conversation", ["ping_xml", "direct_post_excluded", "direct_post_weak"])
def test_a_company_that_a_px_sender_excludes_gets_nothing_of_it_be_it_a_ping_or_a_lead(conversation: str) -> None:
    asks = golden(BUILT_IN / "dialects" / "px" / "golden" / f"{conversation}.toml")["asks"]
    way = DOORS.find(asks["path"])[0]
    asked = ask_of(way.dialect, way.door, asks["type"], asks["body"].encode(), "", {})
    body = without_person(asked.body, LEXICON, "solar") if asked.mode == "ping" else asked.body
    mapped = map_lead(body, LEXICON, textual=True, bound="solar")
    names = {"helio": "Helio Solar LLC", "bright": "Bright Homes, Inc.", "crown": "Crown Roofing"}
    buyers = {ident: read_buyer({"id": ident, "name": name, "kind": "installer"}) for ident, name in names.items()}
    excluded = Exclusions(Roster({}, buyers, {})).find(names_in(mapped.context))
    weak = "by an MD5 of its name, which is weak"
    wanted = {"helio": "by name"} | ({"bright": "by hash"} if conversation == "ping_xml" else {})
    wanted = {"crown": weak, "bright": weak} if conversation == "direct_post_weak" else wanted
    assert excluded == wanted


Heard = Callable[[HttpReply], dict[str, Any]]
"""What an answer amounts to, in the words of a recorded conversation: nothing is said of what is not there."""


def posted(path: Path, played: dict[str, Any]) -> tuple[HttpAsk, Heard]:
    spec = read_delivery({"dialect": path.parts[-3], **played["spec"]}, "golden", {"http": courier}, PROFILES)
    facts = {"delivery_id": "dlv_1", "lead_id": "lead_1", "sale_id": "sale_1", "recipient": "helio", "created_at": NOON}
    parcel = msgspec.convert(facts | played["parcel"], Parcel)

    def heard(reply: HttpReply) -> dict[str, Any]:
        told = courier.read(spec, parcel, reply)
        return there(told.because, kind=told.kind, code=told.code, price=told.price, buyer_ref=told.buyer_ref)

    ask = courier.ask(spec, parcel)
    assert isinstance(ask, HttpAsk)
    return ask, heard


def pinged(path: Path, played: dict[str, Any]) -> tuple[HttpAsk, Heard]:
    table = Table({"ping": {"dialect": path.parts[-3], **played["spec"]}}, "golden")
    target = read_ping(table, bidders={"http": bidder}, profiles=PROFILES)
    assert target is not None
    offer = msgspec.convert({"id": "bid_1", "source": "pages", "received_at": NOON} | played["offer"], Offer)

    def heard(reply: HttpReply) -> dict[str, Any]:
        told = bidder.read(target, offer, reply)
        number = number_of(told.no_bid.code) if told.no_bid else None
        line = {"call_to": told.call_to or None, "call_sip": told.call_sip or None}
        return there(told.no_bid, no_bid=number, price=told.price, ref=told.ref, expires_in=told.expires_in, **line)

    return bidder.ask(target, offer, 400), heard


def there(because: Because | None, **told: Any) -> dict[str, Any]:
    told |= {"said": because.detail.get("said")} if because is not None else {}
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize("path", OUT, ids=named)
def test_a_buyer_is_spoken_to_and_understood(path: Path) -> None:
    played = golden(path)
    ask, read = pinged(path, played) if "offer" in played else posted(path, played)
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
        told = read(HttpReply(heard.get("status", 200), headers, heard["body"].encode(), 12))
        assert told == {name: value for name, value in heard.items() if name not in ("type", "status", "body")}


@pytest.mark.parametrize("name", sorted(PACKS.dialects))
def test_every_dialect_says_what_is_known_of_it_and_has_conversations(name: str) -> None:
    head = PACKS.dialects[name].file("dialect.toml")
    assert head["confirmed"]
    assert any(path.parts[-3] == name for path in IN if name in DIALECTS)
    spoken = {path.stem for path in OUT if path.parts[-3] == name}
    assert spoken >= {
        f"to_buyer{'_ping' * (part == 'ping')}" for part in (PROFILES[name].parts if name in PROFILES else ())
    }


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
    ({"exclude": [{"at": "not..so"}]}, "dotted path"),
    ({"exclude": [{"at": "not", "by": "Action"}]}, "which values of it exclude"),
    ({"exclude": [{"at": "not", "nmes": ["Name"]}]}, "did you mean 'names'"),
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
