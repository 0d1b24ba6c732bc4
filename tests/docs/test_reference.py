"""The tables of the reference pages name every key, name and word that the code knows, and no other."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadmill.capture import read_dialects, read_form, read_verticals
from leadmill.capture.dialects import OUTCOMES
from leadmill.core import reading
from leadmill.core.reasons import State
from leadmill.delivery import read_delivery
from leadmill.enrich import read_chain, read_provider
from leadmill.facts import KEYS
from leadmill.flow.configure import read_text
from leadmill.flow.model import Settled
from leadmill.interfaces.api.intake import answer_of
from leadmill.interfaces.api.openapi import describe
from leadmill.market import read_market, read_order, read_ping
from leadmill.market.tenders.tender import NUMBERED
from leadmill.outcomes import Disposition
from leadmill.parties import read_buyer, read_source, read_team
from leadmill.policy import read_law
from leadmill.runtime import telemetry
from leadmill.runtime.dialect import STYLES, read_profiles
from leadmill.runtime.packs import load_packs
from leadmill.runtime.plugins import FAMILIES, find_plugins
from leadmill.runtime.settings import SECRETS, Settings
from leadmill_plugins.providers import demography
from scripts.facts import page as facts_page
from tests.docs.pages import ROOT, blocks, pages, prose_of
from tests.house.sources import project_files

DOCS = ROOT / "docs"
VERTICALS = read_verticals(load_packs())


def part_of(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or a higher one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}[^\n]*\n(.*?)(?=^#{{1,6}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no part {heading}"
    rest = text[found.start() :]
    level = len(found[1])
    ends = re.search(rf"\n#{{1,{level}}} ", rest[level:])
    return rest[: ends.start() + level] if ends else rest


def first_column(text: str) -> set[str]:
    """The code words in the first column of all tables of a text."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def example_of(kind: str) -> dict[str, Any]:
    """A declaration of this kind from the configuration page."""
    for block in blocks("toml", "business"):
        if block.page == DOCS / "configuration.md":
            for table in read_text(block.text.encode(), block.name):
                if table.kind == kind:
                    return table.raw
    raise AssertionError(f"the page shows no {kind}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Which keys the readers asked for, by the place that messages name."""
    found: dict[str, set[str]] = {}
    close = reading.Table.close

    def watched(table: reading.Table) -> None:
        found.setdefault(table.where, set()).update(table._read)
        close(table)

    monkeypatch.setattr(reading.Table, "close", watched)
    return found


READERS: dict[str, Callable[[Any], Any]] = {
    "source": read_source,
    "buyer": read_buyer,
    "team": read_team,
    "order": read_order,
    "market": read_market,
}


@pytest.mark.parametrize("kind", READERS)
def test_every_key_of_a_table_is_described(kind: str, asked: dict[str, set[str]]) -> None:
    raw = example_of(kind)
    READERS[kind](raw)
    named = raw.get("id") or raw["vertical"]
    assert first_column(part_of("configuration.md", f"`[[{kind}]]`")) == asked[f"{kind} {named}"]


def test_every_key_of_a_form_is_described(asked: dict[str, set[str]]) -> None:
    raw = example_of("form")
    read_form(raw, VERTICALS)
    where = f"form {raw['id']}"
    described = first_column(part_of("configuration.md", "`[[form]]`"))
    assert described == asked[where] | {f"consent.{key}" for key in asked[f"{where}, consent"]}


def test_every_key_of_providers_and_chains_is_described(asked: dict[str, set[str]]) -> None:
    (block,) = blocks("toml", "providers")
    for kind, reader in (("provider", read_provider), ("chain", read_chain)):
        raw = next(table.raw for table in read_text(block.text.encode(), block.name) if table.kind == kind)
        reader(raw)
        assert first_column(part_of("enrichment.md", f"`[[{kind}]]`")) == asked[f"{kind} {raw['id']}"]


def test_every_column_of_a_demography_file_is_described() -> None:
    described = first_column(part_of("enrichment.md", "The built-in plug-ins"))
    assert described == set(demography.COLUMNS)


def test_every_key_of_a_delivery_is_described(asked: dict[str, set[str]]) -> None:
    read_delivery({"courier": "file"})
    text = part_of("configuration.md", "Delivery")
    couriers = set(find_plugins().of("leadmill.couriers"))
    assert {"http", "webhook", "email", "file"} <= couriers
    assert first_column(text) - {"http", "webhook", "email", "file"} == asked["delivery"]
    assert all(f"`{style}`" in text for style in STYLES)


def test_every_key_of_a_ping_is_described(asked: dict[str, set[str]]) -> None:
    read_ping(reading.Table({"ping": {"url": "https://buyer.example/ping"}}, "order"))
    assert first_column(part_of("configuration.md", "Bids")) == asked["order, ping"]


def test_every_number_of_a_reason_for_no_bid_is_listed() -> None:
    rows = re.findall(r"^\| (\d+) \| `([a-z_.]+)` \|", (DOCS / "ping-post.md").read_text(), re.MULTILINE)
    assert [(int(number), code) for number, code in rows] == [(no, one.code) for no, one in enumerate(NUMBERED, 1)]


def test_every_key_of_a_law_is_described(asked: dict[str, set[str]]) -> None:
    pack = load_packs().laws["us-licences"]
    rule = {"id": "X", "citation": "none", "scope": "lead", "says": "No.", "when": []}
    read_law("x", "0", {}, {"rule": [rule], "licence": pack.file("rules.toml")["licence"][:1]})
    text = part_of("packs.md", "A law")
    described = first_column(text.partition("### Names of evidence")[0])
    tables = {"window", "cap", "wait", "deadline", "sensitive", "term", "holiday"}
    assert tables <= described
    assert described - {"[[rule]]", *tables} == asked["law x, rule X"]
    for key in asked["law x"] - {"rule", "licence", "examples"}:
        assert f"`{key}`" in text


def test_every_name_of_evidence_that_laws_may_look_at_is_listed() -> None:
    step = (ROOT / "src/leadmill/policy/step.py").read_text()
    given = set(re.findall(r'^\s+"([a-z_.]+)": ', step, re.MULTILINE)) | set(
        re.findall(r'seen\["([a-z_.]+)"\] =', step)
    )
    assert len(given) > 15
    assert first_column(part_of("packs.md", "Names of evidence")) == given


def test_every_fact_is_listed_with_what_it_says() -> None:
    assert (DOCS / "facts.md").read_text("utf-8") == facts_page(), "run python scripts/facts.py"
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+?) \|$", facts_page(), re.MULTILINE)
    assert {row[0]: row[1:] for row in rows} == {k: (one.says, one.source, one.unknown) for k, one in KEYS.items()}


def test_every_vertical_and_law_is_named() -> None:
    packs = load_packs()
    text = (DOCS / "packs.md").read_text()
    assert all(f"`{name}`" in text for name in (*packs.verticals, *packs.laws))


def test_every_dialect_is_described_as_it_is(asked: dict[str, set[str]]) -> None:
    packs = load_packs()
    text = (DOCS / "dialects.md").read_text()
    listed = {}
    for name, row in re.findall(r"^\| `(\w+)` \|(.+)\|$", part_of("dialects.md", "Senders"), re.MULTILINE):
        listed[name] = [re.findall(r"`([^`]+)`", cell) for cell in row.split("|")]
    dialects = read_dialects(packs, VERTICALS)
    assert set(listed) == set(dialects)
    for name, dialect in dialects.items():
        doors, credentials, vertical, ping_id = listed[name]
        assert doors == [door.path for door in dialect.doors], name
        assert credentials == [one for one in dialect.credentials if not one.startswith("path.")], name
        assert (vertical, ping_id) == (list(dialect.vertical), list(dialect.ping_id)), name
    profiles = read_profiles(packs)
    assert all(f"`{name}`" in text for name in packs.dialects)
    pinged = part_of("dialects.md", "Buyers").partition("have a part for it")[0].rpartition("same way;")[2]
    assert set(re.findall(r"`(\w+)`", pinged)) == {name for name, one in profiles.items() if "ping" in one.parts}
    described = first_column(part_of("dialects.md", "`inbound.toml`"))
    assert described == {*asked["px/inbound.toml"], *OUTCOMES}


def test_every_family_of_plug_ins_is_described() -> None:
    assert first_column(part_of("plugins.md", "Families")) >= set(FAMILIES)


def test_every_status_and_disposition_is_described() -> None:
    told = {answer_of(Settled("lead_1", state)).status for state in State}
    assert first_column(part_of("api.md", "Sending a lead").partition("### Other bodies")[0]) == told | {"status"}
    outcomes = part_of("api.md", "Reporting outcomes")
    assert all(f"`{one.value}`" in outcomes for one in Disposition)


def test_every_route_and_filter_is_described() -> None:
    document = describe(VERTICALS, "0")
    text = (DOCS / "api.md").read_text()
    for path, verbs in document["paths"].items():
        assert path in text, path
        for verb in verbs.values():
            for parameter in verb.get("parameters", []):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in text, parameter["name"]
    for path in re.findall(r"`(?:GET|POST) (/[^`?]+)`", text):
        assert path in document["paths"], path


def test_every_setting_that_a_page_names_exists() -> None:
    known = {f"LEADMILL_{name.upper()}" for name in (*Settings.__struct_fields__, *SECRETS)}
    for page in pages():
        if page.is_relative_to(DOCS / "decisions"):
            continue
        unknown = set(re.findall(r"\bLEADMILL_[A-Z_]*[A-Z]\b", page.read_text())) - known
        assert not unknown, (page, unknown)


def test_every_metric_that_a_page_names_is_kept_and_counted() -> None:
    constants = {
        metric._name: name for name, metric in vars(telemetry).items() if hasattr(metric, "_name") and name.isupper()
    }
    used = "\n".join(
        path.read_text()
        for path in project_files()
        if path.is_relative_to(ROOT / "src/leadmill") and path.suffix == ".py" and path.name != "telemetry.py"
    )
    named = first_column(part_of("operations.md", "Logs and metrics"))
    assert len(named) > 5
    for name in named:
        assert re.search(rf"\b{constants[name]}\b", used), f"{name} is never counted"


def test_every_page_that_the_code_refers_to_exists() -> None:
    lost = []
    for path in project_files():
        if path.suffix == ".py" and path.is_relative_to(ROOT / "src"):
            for said in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text()):
                if not (ROOT / said).is_file():
                    lost.append(f"{path.relative_to(ROOT)}: {said}")
    assert not lost, lost


def test_sentences_name_files_that_exist() -> None:
    lost: list[tuple[Path, str]] = []
    for page in pages():
        for said in re.findall(
            r"`((?:src|tests|docs|examples|scripts|web|packs|interfaces|flow)/[\w./-]+)`", prose_of(page)
        ):
            if "NNNN" not in said and not any((root / said).exists() for root in (ROOT, ROOT / "src/leadmill")):
                lost.append((page, said))
    assert not lost, lost
