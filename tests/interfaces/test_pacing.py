"""How much one address may send to doors that ask for no key, and that recordings without a lead have their room."""

from datetime import timedelta
from typing import Any

import pytest

from leadmill.consent.service import forget_visits
from leadmill.interfaces.portals import pacing
from leadmill.interfaces.portals.pacing import paced
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage
from tests.interfaces.test_certificates import PAGE, carried
from tests.interfaces.test_hosted_form import GOOD

SOMEWHERE, ELSEWHERE = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("93.184.216.34", "93.184.216.34"),
        ("::ffff:93.184.216.34", "93.184.216.34"),
        ("2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220:1::/64"),
        ("127.0.0.1", ""),
        ("10.1.2.3", ""),
        ("fd00::1", ""),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_addresses_of_the_open_network_are_counted_ipv6_by_its_site(host: str, counted: str) -> None:
    assert paced(host) == counted


def piece(page: dict[str, str], number: int) -> dict[str, Any]:
    events = [{"type": 3, "timestamp": 1000 + number, "data": {"source": 5, "text": "•" * 400}}]
    return {"visit": page["_visit"], "seq": number, "events": events}


async def test_one_address_fills_neither_the_book_nor_the_disk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "ANSWERS", (1, timedelta(minutes=15)))
    monkeypatch.setattr(pacing, "RECORDED", (6, timedelta(hours=2)))
    here, there, inside = (Client(stage.app, address) for address in (SOMEWHERE, ELSEWHERE, "10.0.0.1"))
    pages = [await carried(here) for _ in range(3)]
    said = [(await here.post(PAGE, {**page, **GOOD, "email": f"p{no}@example.com"})).status for no, page in
            enumerate(pages)]  # fmt: skip
    assert said == [303, 429, 429]
    assert (await there.post(PAGE, {**pages[1], **GOOD, "email": "other@example.com"})).status == 303
    for no in range(2):  # behind a proxy that nobody named, nobody is kept out for the others
        assert (await inside.post(PAGE, {**pages[2], **GOOD, "email": f"in{no}@example.com"})).status == 303
    replies = [await here.post_json(f"{PAGE}/visit", piece(await carried(here), no)) for no in range(4)]
    assert [reply.status for reply in replies] == [204, 204, 429, 429]  # whatever visit they are of
    assert int(replies[-1].headers["retry-after"]) > 0


async def test_recordings_without_a_lead_go_the_oldest_first_where_they_need_more_room(stage: Stage) -> None:
    client = stage.client()
    for _ in range(3):
        page = await carried(client)
        for part in range(2):
            assert (await client.post_json(f"{PAGE}/visit", piece(page, part))).status == 204
        async with stage.house.db.begin() as tx:
            await tx.conn.execute("UPDATE consent_visit SET began_at = began_at - interval '1 minute'")
    now = stage.house.clock()
    async with stage.house.db.begin() as tx:
        sessions = [row[0] for row in await tx.conn.fetch("SELECT session FROM consent_visit ORDER BY began_at DESC")]
        size = await tx.conn.fetchval("SELECT max(size) FROM consent_visit")
        await forget_visits(tx, now)
        assert await tx.conn.fetchval("SELECT count(*) FROM consent_visit") == 3
        await forget_visits(tx, now, room=2 * size)
        kept = [row[0] for row in await tx.conn.fetch("SELECT session FROM consent_visit ORDER BY began_at DESC")]
        assert kept == sessions[:2]
        assert await tx.conn.fetchval("SELECT count(DISTINCT session) FROM consent_chunk") == 2
