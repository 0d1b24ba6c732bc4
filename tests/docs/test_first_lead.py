"""The first page's own lead, done as it says: declared, posted, sold, delivered as a file, explained."""

import asyncio
import json
import re
from pathlib import Path

import msgspec

from leadmill.billing import open_account
from leadmill.core.reasons import State
from leadmill.delivery import receipts_of
from leadmill.flow.biography import read_biography
from leadmill.flow.configure import apply_files
from leadmill.flow.replay import replay
from leadmill.flow.verify import verify
from leadmill.interfaces.api.intake import Answer
from leadmill.interfaces.house import House
from leadmill.interfaces.server import application
from leadmill.interfaces.worker import work
from leadmill.main import open_house
from leadmill.runtime.settings import Settings
from tests.docs.pages import ROOT, Block, blocks
from tests.interfaces.client import Client

FOLDER = ROOT / "examples" / "first_lead"
KEY = "any-secret-of-8-signs-or-more"


def shown() -> Block:
    """The answer that the first page shows."""
    return next(block for block in blocks("json", "answer") if block.page == ROOT / "README.md")


async def delivered(house: House, lead_id: str) -> None:
    """Work the jobs until the lead's delivery is settled."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(house, stop))
    try:
        async with asyncio.timeout(60):
            while True:
                async with house.db.begin() as tx:
                    receipts = await receipts_of(tx, lead_id)
                if receipts and receipts[0].state == "accepted":
                    return
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await working


async def test_the_first_lead_is_sold_delivered_and_explained_as_the_page_says(
    empty_database_url: str, tmp_path: Path
) -> None:
    assert f"MY_SITE_KEY={KEY}" in (ROOT / "README.md").read_text()
    async with open_house(
        Settings(home=tmp_path, database_url=empty_database_url, connections=6, mx_lookups=False)
    ) as house:
        await apply_files(
            house.db,
            [FOLDER / "business.toml"],
            author="the reader",
            now=house.clock(),
            mint=house.mint,
            keyed_hash=house.vault.keyed_hash,
            environ={"MY_SITE_KEY": KEY},
            verticals=house.book.walk().rules.verticals,
            on_buyer=open_account,
        )
        await house.book.refresh(house.db)
        client = Client(application(house))
        lead = (FOLDER / "lead.json").read_bytes()

        reply = await client.post_json("/v1/leads", lead, authorization=f"Bearer {KEY}", idempotency_key="first-1")
        answer = msgspec.json.decode(reply.body, type=Answer)
        promised = msgspec.json.decode(shown().text, type=Answer)
        assert reply.status == 201
        assert msgspec.structs.replace(answer, lead_id=promised.lead_id) == promised

        repeated = await client.post_json("/v1/leads", lead, authorization=f"Bearer {KEY}", idempotency_key="first-1")
        assert repeated.body == reply.body
        again = await client.post_json("/v1/leads", lead, authorization=f"Bearer {KEY}")
        assert again.json["status"] == "duplicate"

        await delivered(house, answer.lead_id)
        (file,) = (tmp_path / "drop" / "helio").rglob("*.json")
        assert json.loads(file.read_text())["lead_id"] == answer.lead_id

        async with house.db.begin() as tx:
            story = await read_biography(tx, house.pen, answer.lead_id)
        assert story.lead.state is State.SOLD
        assert [item.order_id for item in story.candidates] == ["helio-ca"]
        assert (await verify(house.db, house.pen)).findings == []
        assert (await replay(house.db, house.pen, house.book)).differences == []

        (form,) = re.findall(r"127\.0\.0\.1:8080(/f/[\w-]+)", (ROOT / "README.md").read_text())
        page = await client.get(form)
        assert page.status == 200
        assert "Helio Solar LLC may call" in page.text
        await house.mill.close()
