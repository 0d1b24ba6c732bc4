"""Every example of the pages is read by the reader it is an example for."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadmill.capture import (
    Lexicon,
    Submission,
    Vertical,
    check_map,
    check_ping,
    check_submission,
    read_dialects,
    read_verticals,
)
from leadmill.capture.filemap import parse_map
from leadmill.capture.verticals import read_vertical
from leadmill.core.predicates import compile_predicate, parse
from leadmill.delivery import read_delivery
from leadmill.flow.configure import read_text
from leadmill.flow.importing import Summary
from leadmill.flow.planning import Declared, plan
from leadmill.flow.rules import Dialects
from leadmill.followup.rules import read_messages
from leadmill.interfaces.api.intake import Answer
from leadmill.interfaces.api.known import KnownIn
from leadmill.interfaces.api.optouts import OptOutsIn
from leadmill.interfaces.api.outcomes import OutcomeIn
from leadmill.interfaces.api.ping import PingAnswer
from leadmill.interfaces.api.problems import Problem
from leadmill.parties import Source
from leadmill.policy import read_law
from leadmill.policy.service import read_case
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import Pack, Packs, load_packs
from leadmill.scoring import read_card
from leadmill.scoring.bounds import read_bound
from tests.certificates.stand import INSTALLED as VENDORS
from tests.docs.pages import ROOT, Block, blocks
from tests.enrich.conftest import INSTALLED

PACKS = load_packs()
VERTICALS = read_verticals(PACKS)
LEXICON = Lexicon(VERTICALS)
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
STRANGER = ROOT / "tests" / "stranger_plugin" / "src" / "pigeon"


class AnyKey(Mapping[str, str]):
    """An environment in which every variable holds a key of its own."""

    def __getitem__(self, name: str) -> str:
        return f"the key in {name}"

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def examples(language: str, kind: str) -> Any:
    """The blocks of a kind as parameters; a page that lost its examples fails rather than passing empty."""
    found = blocks(language, kind)
    assert found, f"no page shows a {language} {kind}"
    return pytest.mark.parametrize("block", found, ids=[block.name for block in found])


def keyed(purpose: str, text: str) -> bytes:
    return f"{purpose}/{text}".encode()


def declared_on(page: Path) -> list[Declared]:
    """Everything the examples of a page declare."""
    return [
        table
        for block in blocks("toml", "business")
        if block.page == page
        for table in read_text(block.text.encode(), block.name)
    ]


@pytest.mark.parametrize(
    "page", sorted({block.page for block in blocks("toml", "business")}), ids=lambda page: page.name
)
def test_the_business_of_a_page_can_be_applied_as_one(page: Path) -> None:
    planned = plan(declared_on(page), {}, VERTICALS, keyed, AnyKey())
    assert {record.kind for record in planned.records} == {"source", "buyer", "team", "order", "market", "form"}


@examples("toml", "speakers")
def test_the_speakers_of_dialects_can_be_applied(block: Block) -> None:
    dialects = Dialects(read_dialects(PACKS, VERTICALS), read_profiles(PACKS))
    declared = read_text(block.text.encode(), block.name)
    planned = plan(declared, {}, VERTICALS, keyed, AnyKey(), dialects)
    for party in planned.parties.values():
        if isinstance(party, Source):
            assert party.dialect.hash, "its programs can be known"
    assert len(planned.records) == len(declared)


@examples("toml", "declared")
def test_how_leads_are_rated_and_reviewed_can_be_applied(block: Block) -> None:
    declared = read_text(block.text.encode(), block.name)
    planned = plan(declared, {}, VERTICALS, keyed, AnyKey())
    kinds = {"scorecard", "adjustment", "review", "watch", "card_review", "retrain"}
    assert {record.kind for record in planned.records} <= kinds


@examples("toml", "providers")
def test_providers_and_chains_can_be_applied(block: Block) -> None:
    dialects = Dialects(providers=INSTALLED)
    planned = plan(read_text(block.text.encode(), block.name), {}, VERTICALS, keyed, AnyKey(), dialects)
    assert {record.kind for record in planned.records} == {"provider", "chain", "authority"}


@examples("toml", "certificates")
def test_vendors_of_certificates_can_be_applied(block: Block) -> None:
    dialects = Dialects(providers=VENDORS)
    planned = plan(read_text(block.text.encode(), block.name), {}, VERTICALS, keyed, AnyKey(), dialects)
    assert {record.kind for record in planned.records} == {"provider", "chain"}


def dialect_of(block: Block, name: str) -> Packs:
    files = {name: tomllib.loads(block.text), "dialect.toml": {"title": "An example"}}
    return msgspec.structs.replace(PACKS, dialects={"example": Pack("dialects", "example", "0", files)})


@examples("toml", "dialect-in")
def test_a_dialect_of_senders_can_be_read(block: Block) -> None:
    assert read_dialects(dialect_of(block, "inbound.toml"), VERTICALS)["example"].doors


@examples("toml", "dialect-out")
def test_a_dialect_of_buyers_can_be_read(block: Block) -> None:
    profiles = read_profiles(dialect_of(block, "outbound.toml"))
    table = {"dialect": "example", "url": "https://buyer.example", "keys": {"token": {"env": "TOKEN"}}}
    assert read_delivery(table, profiles=profiles).fields


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/business.toml")), ids=lambda path: path.parent.name)
def test_the_business_of_an_example_can_be_applied(path: Path) -> None:
    assert plan(read_text(path.read_bytes(), path.name), {}, VERTICALS, keyed, AnyKey()).records


def submission(body: bytes, content_type: str) -> Submission:
    return Submission(
        id="sub_1",
        source_id="acme-media",
        channel="json" if "json" in content_type else "form",
        received_at=NOON,
        content_type=content_type,
        body=body,
        digest="",
    )


def check_lead(body: bytes, content_type: str) -> None:
    mapped = check_submission(submission(body, content_type), LEXICON)
    assert mapped.extra == {}, "an example shows names that are understood"
    assert mapped.fields["email"] == "ana.lopez@example.com"
    assert mapped.consent["text"]
    assert "Helio Solar LLC" in (mapped.consent["sellers"] or [])  # type: ignore[operator]


@examples("json", "ping")
def test_a_ping_holds_nothing_of_a_person(block: Block) -> None:
    assert check_ping(submission(block.text.encode(), "application/json"), LEXICON).fields


@examples("json", "post")
def test_a_post_is_a_lead_that_names_its_ping(block: Block) -> None:
    check_lead(block.text.encode(), "application/json")
    assert msgspec.json.decode(block.text)["ping_id"].startswith("ping_")


@examples("json", "lead")
def test_a_lead_is_understood_whole(block: Block) -> None:
    check_lead(block.text.encode(), "application/json")


@examples("text", "form-lead")
def test_a_form_encoded_lead_is_understood_whole(block: Block) -> None:
    check_lead(block.text.strip().encode(), "application/x-www-form-urlencoded")


def test_the_first_lead_is_understood_whole() -> None:
    check_lead((ROOT / "examples/first_lead/lead.json").read_bytes(), "application/json")


def test_both_ways_to_write_a_lead_say_the_same() -> None:
    nested, flat = (
        check_submission(submission(block.text.encode(), "application/json"), LEXICON)
        for block in blocks("json", "lead")
    )
    for name, value in flat.fields.items():
        if name != "phone":
            assert nested.fields[name] == value
    assert flat.consent["trustedform"] == nested.consent["trustedform"]
    assert flat.context["sub1"] == nested.context["sub1"]
    assert flat.consent["sellers"] == ["Helio Solar LLC", "Bright Homes, Inc."]


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("answer", Answer),
        ("ping-answer", PingAnswer),
        ("problem", Problem),
        ("outcome", OutcomeIn),
        ("known", KnownIn),
        ("optout", OptOutsIn),
        ("summary", Summary),
    ],
)
def test_a_document_has_the_shape_that_is_sent(kind: str, model: Any) -> None:
    found = blocks("json", kind)
    assert found
    for block in found:
        said = msgspec.json.decode(block.text)
        assert msgspec.json.decode(block.text, type=model)
        assert set(said) <= set(model.__struct_fields__), block.name


def test_the_counts_of_a_summary_add_up() -> None:
    for block in blocks("json", "summary"):
        said = msgspec.json.decode(block.text, type=Summary)
        leads = said.sold + said.assigned + said.accepted + said.review + said.duplicate + said.test
        assert leads + sum(said.rejected.values()) == said.read


@pytest.mark.parametrize(
    "block", [b for b in blocks("toml") if b.kind.startswith("map ")], ids=lambda block: block.name
)
def test_a_map_fits_its_vertical(block: Block) -> None:
    check_map(parse_map(tomllib.loads(block.text), block.name), VERTICALS[block.kind.partition(" ")[2]])


def only(language: str, kind: str) -> Block:
    (found,) = blocks(language, kind)
    return found


def documented_vertical() -> Vertical:
    files = {
        "pack.toml": tomllib.loads(only("toml", "pack").text),
        "fields.toml": tomllib.loads(only("toml", "fields").text),
    }
    return read_vertical(Pack("verticals", "example", "0", files), PACKS.common)


def test_the_vertical_of_the_page_can_be_read() -> None:
    vertical = documented_vertical()
    assert vertical.required == ("zip",)
    assert {choice.value for choice in vertical.fields["roof_shade"].choices} == {"none", "some", "full"}
    assert vertical.fields["conditions"].sensitive == "health"


def test_the_scorecard_and_the_messages_of_the_page_can_be_read() -> None:
    card = read_card(tomllib.loads(only("toml", "scorecard").text), "example")
    assert (card.start, card.sell_from, len(card.points), len(card.review)) == (50, 40, 3, 1)
    messages = read_messages(tomllib.loads(only("toml", "messages").text), "example")
    assert messages["ack"] is not None
    assert messages["notice"] is None


def test_the_bounds_of_the_page_can_be_read() -> None:
    bounds = read_bound(tomllib.loads(only("toml", "fairness").text), "example", frozenset({"zip", "timeframe"}))
    assert bounds.audit
    assert [bool(bounds.why_not(name)) for name in ("zip", "name.first", "timeframe", "phone.valid")] == [
        True,
        True,
        False,
        False,
    ]


def laws() -> list[tuple[str, dict[str, Any]]]:
    """The law of the page, and those that are built in."""
    return [("page", tomllib.loads(only("toml", "law").text))] + [
        (name, pack.file("rules.toml")) for name, pack in PACKS.laws.items()
    ]


@pytest.mark.parametrize(("name", "rules"), laws(), ids=[name for name, _ in laws()])
def test_every_rule_of_a_law_speaks_in_its_examples_and_is_silent_otherwise(name: str, rules: dict[str, Any]) -> None:
    law = read_law(name, "0", {"title": name}, rules)
    assert len(law.rules) == len(rules.get("rule", []))
    for raw in rules.get("rule", []):
        if "scope" not in raw:
            continue  # a rule of cases is shown by the cases of tests/policy/cases
        holds = compile_predicate(parse(raw["when"]))
        assert raw.get("examples"), f"{raw['id']} shows no example"
        for example in raw["examples"]:
            given = example["given"]
            concerned = not raw.get("states") or given.get("state") in raw["states"]
            assert (concerned and holds(given, NOON)) is example["speaks"], (raw["id"], given)


def test_the_case_of_the_page_can_be_read() -> None:
    case = read_case(msgspec.json.decode(only("json", "case").text))
    assert (case["vertical"], case["lead"]["city"]) == ("solar", "Sacramento")


def test_the_strangers_plug_in_is_shown_as_it_stands() -> None:
    code = (STRANGER / "__init__.py").read_text()
    assert code.partition("\n\n")[2] == only("python", "pigeon").text
    assert tomllib.loads((STRANGER / "card.toml").read_text()) == tomllib.loads(only("toml", "card").text)
    assert tomllib.loads((STRANGER / "golden/flight.toml").read_text()) == tomllib.loads(only("toml", "golden").text)
