"""Plays a recorded conversation against a provider. One player a family; a golden file says what it means to its
family."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from leadmill.certificates import AsProviders, CertificateRead
from leadmill.core.conversation import FileAsk, FileReply, HttpAsk, HttpReply, MailAsk, MailReply, Outgoing, Reply
from leadmill.core.faults import Fault
from leadmill.core.reading import Table
from leadmill.delivery import Parcel, read_delivery
from leadmill.enrich import Installed, may_leave, plain, read_provider
from leadmill.facts import Fact
from leadmill.followup import Letter
from leadmill.market import Offer, read_ping
from leadmill.runtime.plugins import Plugin

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def play(plugin: Plugin, path: Path) -> None:
    """Play one file; AssertionError where the provider asks or understands otherwise than recorded."""
    golden = tomllib.loads(path.read_text("utf-8"))
    assert golden["says"]
    assert golden.get("hears") or golden.get("knows"), "a conversation has answers"
    PLAYERS[plugin.family](plugin, golden)


def play_courier(plugin: Plugin, golden: dict[str, Any]) -> None:
    spec = read_delivery(golden["spec"], couriers={plugin.name: plugin.provider})
    facts = {
        "delivery_id": "dlv_1", "lead_id": "lead_1", "sale_id": "sale_1", "recipient": "helio", "created_at": NOON,
    } | golden["parcel"]  # fmt: skip
    parcel = msgspec.convert(facts, Parcel)
    ask = plugin.provider.ask(spec, parcel)
    assert ask == plugin.provider.ask(spec, parcel), "the same parcel asks the same"
    check_ask(ask, golden["asks"])
    for heard in golden["hears"]:
        told = plugin.provider.read(spec, parcel, a_reply(ask, heard))
        wanted = {name: heard[name] for name in ("kind", "buyer_ref", "price") if name in heard}
        if "code" in heard and isinstance(heard["code"], str):
            wanted["code"] = heard["code"]
        assert {name: getattr(told, name) for name in wanted} == wanted, heard
        if "said" in heard:
            assert told.because.detail["said"] == heard["said"]
        if told.kind in ("rejected", "dead"):
            assert told.because is not None
            assert told.because.message


def play_bidder(plugin: Plugin, golden: dict[str, Any]) -> None:
    target = read_ping(Table({"ping": golden["spec"]}, "order"), bidders={plugin.name: plugin.provider})
    offer = msgspec.convert({"id": "ping_1", "received_at": NOON} | golden["offer"], Offer)
    ask = plugin.provider.ask(target, offer, 400)
    assert ask == plugin.provider.ask(target, offer, 400), "the same offer asks the same"
    check_ask(ask, golden["asks"])
    for heard in golden["hears"]:
        told = plugin.provider.read(target, offer, a_reply(ask, heard))
        wanted = {name: heard[name] for name in ("price", "shared_price", "ref", "expires_in") if name in heard}
        assert {name: getattr(told, name) for name in wanted} == wanted, heard
        assert (told.no_bid.code if told.no_bid else None) == heard.get("code"), heard
        if "says" in heard:
            assert told.no_bid.message == heard["says"]


def play_messenger(plugin: Plugin, golden: dict[str, Any]) -> None:
    letter = msgspec.convert(golden["letter"], Letter)
    ask = plugin.provider.ask(letter)
    check_ask(ask, golden["asks"])
    for heard in golden["hears"]:
        assert plugin.provider.read(letter, a_reply(ask, heard)).kind == heard["kind"]


def play_provider(plugin: Plugin, golden: dict[str, Any]) -> None:
    options = dict(golden.get("options", {}))
    with TemporaryDirectory() as folder:
        if "file" in golden:
            path = Path(folder, golden["file"]["name"])
            path.write_text(golden["file"]["text"].lstrip(), "utf-8")
            options["file"] = str(path)
        declared = {"id": golden["name"], "plugin": plugin.name, "options": options}
        fields = frozenset(plugin.card()["fields"])
        live = read_provider(declared, {plugin.name: Installed(plugin.provider, fields)}).live
    assert live is not None
    topic = golden["topic"]
    needs = {plain(need) for need in live.topics[topic]}
    for known in golden.get("knows", []):
        params = known.get("params", golden["params"])
        assert set(params) <= needs, "no more is told than the topic needs"
        assert [_told(fact) for fact in live.ask(topic, params)] == known["facts"]  # type: ignore[union-attr]
    if "asks" not in golden:
        return
    assert set(golden["params"]) <= needs, "no more is told than the topic needs"
    _converse(live, topic, golden, "facts", lambda found: [_told(fact) for fact in found])


def _converse(live: Any, topic: str, golden: dict[str, Any], told: str, tell: Callable[[Any], Any]) -> None:
    """Ask as was recorded, and hold what is read of each answer against what it says under ``told``."""
    ask = live.ask(topic, golden["params"])
    assert isinstance(ask, HttpAsk)
    assert ask == live.ask(topic, golden["params"]), "the same question asks the same"
    check_ask(ask, golden["asks"])
    for heard in golden["hears"]:
        reply = a_reply(ask, heard)
        assert isinstance(reply, HttpReply)
        if "code" in heard:
            with pytest.raises(Fault) as caught:
                live.read(topic, reply, golden["params"])
            assert caught.value.code == heard["code"]
            assert not any(value in caught.value.detail for value in golden["params"].values())
        else:
            assert tell(live.read(topic, reply, golden["params"])) == heard[told], heard


def play_vendor(plugin: Plugin, golden: dict[str, Any]) -> None:
    made = AsProviders(plugin.provider).make(golden["name"], golden.get("options", {}))
    fields = frozenset(plugin.card()["fields"])
    assert all(may_leave(need, fields) for needs in made.topics.values() for need in needs)
    vendor, topic = made.vendor, golden["topic"]
    needs = {plain(name) for name in vendor.topics[topic]}
    assert needs <= {"email", "phone", "lead", "source"}
    for known in golden.get("knows", []):
        found = vendor.ask(topic, {**golden["params"], "token": known["token"]})
        assert isinstance(found, CertificateRead), known
        assert _read(found) == known["reads"], known
    if "asks" not in golden:
        return
    _converse(vendor, topic, golden, "reads", _read)


def _read(found: CertificateRead) -> dict[str, Any]:
    """What was read as recorded: what is not known is left out, moments are texts."""
    told = msgspec.to_builtins(found)
    return {
        name: getattr(found, name).isoformat() if isinstance(getattr(found, name), datetime) else value
        for name, value in told.items()
        if value is not None
    }


def _told(fact: Fact) -> list[Any]:
    """A fact as recorded: TOML has no null, so an unknown value is an empty text."""
    return [fact.key, "" if fact.value is None else fact.value, fact.outcome, fact.confidence]


def check_ask(ask: Outgoing, wanted: dict[str, Any]) -> None:
    """Compare what is recorded: ``json`` and ``text`` are the body, ``headers`` those that matter."""
    for name, value in wanted.items():
        if name == "json":
            assert msgspec.json.decode(ask.body) == value  # type: ignore[union-attr]
        elif name == "text" and not isinstance(ask, MailAsk):
            assert ask.body.decode() == value
        elif name == "headers":
            assert {key: ask.headers.get(key) for key in value} == value  # type: ignore[union-attr]
        elif name == "attachments":
            assert [msgspec.structs.asdict(item) | {"body": item.body.decode()} for item in ask.attachments] == value  # type: ignore[union-attr]
        else:
            assert msgspec.json.decode(msgspec.json.encode(getattr(ask, name))) == value


def a_reply(ask: Outgoing, heard: dict[str, Any]) -> Reply:
    if isinstance(ask, HttpAsk):
        headers = heard.get("headers", {"content-type": "application/json"})
        return HttpReply(heard.get("status", 200), headers, heard.get("body", "").encode(), 12)
    if isinstance(ask, MailAsk):
        return MailReply(heard["code"], "", 12)
    assert isinstance(ask, FileAsk)
    return FileReply(heard["path"], heard["size"], False, 1)


PLAYERS = {
    "leadmill.bidders": play_bidder,
    "leadmill.certificates": play_vendor,
    "leadmill.couriers": play_courier,
    "leadmill.facts": play_provider,
    "leadmill.messengers": play_messenger,
}
