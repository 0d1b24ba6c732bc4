"""The posting instructions of a source: made from the packs, given away by a link, and true."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from leadmill.interfaces.links import posting_path
from leadmill.parties import Role
from tests.interfaces.stage import SOURCE_KEY, Stage
from tests.interfaces.test_dialects import declare

DIALECTS = (
    "boberdoo", "cake", "databowl", "leadbyte", "leadconduit", "leadexec", "leadprosper", "leadspedia", "phonexa", "px",
)  # fmt: skip
CREDENTIALS = {
    "databowl": '{ cid = "901", sid = "77" }',
    "leadconduit": '{ "path.1" = "flow1", "path.2" = { env = "OLD" } }',
    "leadbyte": '{ campid = "SOLAR", sid = "12" }',
}
OLD_KEY = "an-old-system-key"


def link(stage: Stage, source_id: str) -> str:
    house = stage.house
    return posting_path(house.vault.keyed_hash, house.book.walk().rules.roster.sources[source_id])


async def test_the_console_links_to_the_instructions_of_each_source(stage: Stage) -> None:
    client = await stage.signed_in(Role.ANALYST)
    page = await client.get("/sources")
    paths = re.findall(r'href="(/spec/[^"]+)"', page.text)
    assert [path.partition("?")[0] for path in paths] == ["/spec/acme-media", "/spec/own-site", "/spec/sunsearch"]
    shown = await stage.client().get(paths[0])
    assert shown.status == 200
    assert "Posting leads: Acme Media" in shown.text
    assert "Monthly electric bill" in shown.text
    assert "http://leadmill.test/v1/leads" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert SOURCE_KEY not in shown.text


async def test_without_the_link_there_is_nothing(stage: Stage, tmp_path: Path) -> None:
    good = link(stage, "acme-media")
    client = stage.client()
    other = link(stage, "sunsearch").partition("?")[2]
    for path in ("/spec/acme-media", "/spec/acme-media?t=", good[:-1], f"/spec/acme-media?{other}", "/spec/nobody?t=1"):
        refused = await client.get(path)
        assert (refused.status, "Monthly" in refused.text) == (404, False), path
    for name in ("posting.md", "posting.json"):
        assert (await client.get(f"/spec/acme-media/{name}?t=wrong")).status == 404
    await declare(
        stage, tmp_path, '[[source]]\nid = "acme-media"\nname = "A"\nverticals = ["solar"]\nkey = "another-key"\n', {}
    )
    assert (await client.get(good)).status == 404, "a link ends with the key it was made for"


async def test_the_instructions_can_be_taken_along(stage: Stage) -> None:
    path, _, query = link(stage, "acme-media").partition("?")
    client = stage.client()
    text = await client.get(f"{path}/posting.md?{query}")
    assert text.headers["content-type"].startswith("text/markdown")
    assert "attachment" in text.headers["content-disposition"]
    assert "| `POST` |" in text.text or "| POST |" in text.text
    assert "| `fields.monthly_bill` |" in text.text or "| `monthly_bill` |" in text.text
    found = (await client.get(f"{path}/posting.json?{query}")).json
    assert [group["title"] for group in found["groups"]] == ["Solar", "Mortgage", "Consent", "Circumstances"]
    lines = {line["field"]: line for line in found["groups"][0]["lines"]}
    assert lines["email"]["ping"] is False
    assert lines["zip"]["ping"] is True
    assert lines["state"]["choices"][:2] == ["AL", "AK"]
    assert "electric_bill" in lines["monthly_bill"]["aliases"]


async def test_the_examples_of_our_own_addresses_can_be_sent_as_they_stand(stage: Stage) -> None:
    path, _, query = link(stage, "acme-media").partition("?")
    client = stage.client()
    lead, ping = (await client.get(f"{path}/posting.json?{query}")).json["samples"]
    for sample, right in ((lead, "test"), (ping, "bid")):
        headers = {name: value.replace("YOUR-KEY", SOURCE_KEY) for name, value in sample["headers"].items()}
        reply = await client.send(sample["verb"], sample["path"], sample["body"].encode(), headers)
        assert reply.status == 201, reply.text
        assert reply.json["status"] == right, reply.text


@pytest.mark.parametrize("name", DIALECTS)
async def test_the_examples_of_every_dialect_can_be_sent_as_they_stand(stage: Stage, tmp_path: Path, name: str) -> None:
    credentials = CREDENTIALS.get(name)
    given = f'key = "{OLD_KEY}"\n[source.dialect]\nname = "{name}"\n'
    if credentials:
        given = f'[source.dialect]\nname = "{name}"\ncredentials = {credentials}\n'
    await declare(
        stage, tmp_path, f'[[source]]\nid = "pages"\nname = "Pages"\nverticals = ["solar"]\n{given}', {"OLD": OLD_KEY}
    )
    path, _, query = link(stage, "pages").partition("?")
    client = stage.client()
    page = await client.get(f"{path}?{query}")
    assert page.status == 200
    assert OLD_KEY not in page.text
    found = (await client.get(f"{path}/posting.json?{query}")).json
    assert found["speaks"]
    for sample in found["samples"]:
        headers = {key: value.replace("YOUR-KEY", OLD_KEY) for key, value in sample["headers"].items()}
        body = sample["body"].replace("YOUR-KEY", OLD_KEY).encode()
        reply = await client.send(sample["verb"], sample["path"].replace("YOUR-KEY", OLD_KEY), body, headers)
        wanted = sample["answers"][0][1].removeprefix("HTTP 201\n")
        assert shape(reply.text) == shape(wanted), reply.text
        assert said(reply.text) == said(wanted)


def shape(text: str) -> set[str]:
    """The names in an answer, but those of a price, which a test has none of."""
    names = set(json.loads(text)) if text.startswith("{") else {node.tag for node in ET.fromstring(text).iter()}
    return {name for name in names if name.lower() not in ("price", "payout", "bids", "bid")}


def said(text: str) -> str:
    """The first word of yes or no in an answer."""
    found = re.search(
        r"(?i)\b(matched|unmatched|success|failed|error|accepted|true|false|sold|reject|continue|created|OK)\b", text
    )
    assert found, text
    return found[0]
