"""What a life demands: how a lead, the books, the buyers and the mail must stand; and what every life ends with."""

import json
from typing import Any

import msgspec

from leadmill.core.money import Money
from leadmill.delivery import receipts_of
from leadmill.flow.biography import Biography, read_biography
from leadmill.flow.memory import open_row
from leadmill.flow.model import LeadFilter
from leadmill.flow.replay import replay
from leadmill.flow.store import list_leads, read_lead
from leadmill.flow.verify import verify
from leadmill.followup import messages_of
from leadmill.interfaces.house import House
from leadmill.ledger import balances
from leadmill.market import cap_use, sales_of
from leadmill.outcomes import outcomes_of
from tests.conftest import FixedClock
from tests.journeys.house import HOOK_SECRET, Buyers, Mailbox
from tests.journeys.webhooks import verified


class Truths:
    """The demands of a life. ``leads`` are the ids by the labels that the file gives them."""

    def __init__(self, house: House, clock: FixedClock, buyers: Buyers, mailbox: Mailbox) -> None:
        self.house = house
        self.clock = clock
        self.buyers = buyers
        self.mailbox = mailbox
        self.leads: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self.forgotten: set[str] = set()

    async def do_expect(self, event: dict[str, Any]) -> None:
        """``expect = LABEL``: how the lead stands, in any of the keys below."""
        lead_id = self.leads[event["expect"]]
        async with self.house.db.begin() as tx:
            row = await read_lead(tx, lead_id)
            story = await read_biography(tx, self.house.pen, lead_id)
            seen: dict[str, Any] = {
                "deliveries": {item.recipient: item.state for item in await receipts_of(tx, lead_id)},
                "attempts": {item.recipient: item.attempts for item in await receipts_of(tx, lead_id)},
                "messages": {f"{item.kind} {item.addressee}": item.state for item in await messages_of(tx, lead_id)},
                "legs": {item.order_id: item.state.value for item in await sales_of(tx, lead_id)},
                "outcomes": [
                    f"{item.disposition.value}{'' if item.current else ' (corrected)'}"
                    for item in await outcomes_of(tx, lead_id)
                ],
            }
            if "extra" in event:
                opened = await open_row(tx, self.house.pen, row) if row is not None else None
                assert opened is not None
                seen["extra"] = {name: opened.extra.get(name) for name in event["extra"]}
        assert row is not None
        seen |= {
            "state": row.state.value,
            "reason": row.reason,
            "recipient": row.recipient,
            "price": Money(row.price, row.currency or "USD").decimal() if row.price is not None else None,
            "score": row.score,
            "test": row.test,
            "region": row.region,
            "orders": {item.order_id: item.code or "won" for item in story.candidates},
            "money": [f"{item.kind} {item.amount.decimal()} {item.debit} > {item.credit}" for item in story.money],
            "rules": sorted({rule.id for passage in story.passages for rule in passage.rules}),
        }
        wants = {name: value for name, value in event.items() if name not in ("expect", "tells", "hides", "shows")}
        wants = {name: None if value == "none" else value for name, value in wants.items()}
        if "rules" in wants:
            wants["rules"] = sorted(wants["rules"])
        if "money" in wants:
            wants["money"], seen["money"] = sorted(wants["money"]), sorted(seen["money"])
        same({name: seen[name] for name in wants}, wants)
        words = sentences(story)
        for fragment in event.get("tells", ()):
            assert any(fragment in line for line in words), f"{fragment!r} is not told in:\n" + "\n".join(words)
        codes = {passage.code for passage in story.passages}
        assert codes >= set(event.get("shows", ())), sorted(filter(None, codes))
        for fragment in event.get("hides", ()):
            assert not any(fragment in line for line in words), f"{fragment!r} is told"

    async def do_balances(self, event: dict[str, Any]) -> None:
        """``balances = { "buyer:helio" = "4935.00" }``."""
        async with self.house.db.begin() as tx:
            found = dict(await balances(tx))
        seen = {name: " ".join(money.decimal() for money in found.get(name, [Money(0)])) for name in event["balances"]}
        same(seen, event["balances"])

    async def do_used(self, event: dict[str, Any]) -> None:
        """``used = { helio-ca = [1] }``: how much of each cap of an order is used, in leads or minor units."""
        orders = self.house.book.walk().rules.orders
        async with self.house.db.begin() as tx:
            found = await cap_use(tx, [orders[name] for name in event["used"]], self.clock())
        seen: dict[str, list[int]] = {name: [] for name in event["used"]}
        for item in found:
            seen[item.order_id].append(item.used)
        same(seen, event["used"])

    async def do_received(self, event: dict[str, Any]) -> None:
        """``received = { helio = 1 }``: how many requests each buyer got; ``fields`` names what stands in the last of
        ``by``; ``signed`` demands that its signature verifies."""
        assert {name: len(self.buyers.of(name)) for name in event["received"]} == event["received"]
        if "by" in event:
            last = self.buyers.of(event["by"])[-1]
            if event.get("signed"):
                assert verified(HOOK_SECRET, last.headers, last.body)
                assert not verified(HOOK_SECRET, last.headers, last.body + b" ")
            for name, value in event.get("fields", {}).items():
                found = last.json
                for part in name.split("."):
                    found = found[part]
                assert found == value, name

    async def do_mailed(self, event: dict[str, Any]) -> None:
        """``mailed = [ [ADDRESS, PART OF SUBJECT], … ]``: every message that went out, in any order."""
        seen = sorted((str(item["To"]), str(item["Subject"])) for item in self.mailbox.messages)
        wants = sorted((to, part) for to, part in event["mailed"])
        assert [to for to, _ in seen] == [to for to, _ in wants], seen
        for (_, subject), (_, part) in zip(seen, wants, strict=True):
            assert part in subject

    async def do_dropped(self, event: dict[str, Any]) -> None:
        """``dropped = { "PATH" = { field = value } }``: every file in the drop folder."""
        folder = self.house.settings.home / "drop"
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        wants = {
            name.replace(f"{{{label}}}", lead_id): fields
            for name, fields in event["dropped"].items()
            for label, lead_id in self.leads.items()
            if f"{{{label}}}" in name
        }
        assert found.keys() == wants.keys()
        for name, fields in wants.items():
            body = json.loads(found[name].read_bytes())
            assert {key: body[key] for key in fields} == fields

    async def do_leads(self, event: dict[str, Any]) -> None:
        """``leads = N``: how many there are."""
        assert len(await self._every()) == event["leads"]

    async def _every(self) -> list[str]:
        async with self.house.db.begin() as tx:
            rows, more = await list_leads(tx, LeadFilter(), limit=500)
        assert more is None
        return [row.id for row in rows]

    async def end(self) -> None:
        """Nothing lost, everything in order, every decision the same again, every lead explained."""
        house = self.house
        assert set(await self._every()) == self.acknowledged
        report = await verify(house.db, house.pen)
        assert report.findings == []
        again = await replay(house.db, house.pen, house.book)
        assert again.differences == []
        assert (again.leads, again.skipped) == (len(self.acknowledged), len(self.forgotten))
        for lead_id in self.acknowledged:
            async with house.db.begin() as tx:
                story = await read_biography(tx, house.pen, lead_id)
            titles = [passage.title for passage in story.passages]
            assert titles[0] == "lead.received"
            assert "lead.settled" in titles
            assert all(passage.code is None or passage.message for passage in story.passages)
            assert msgspec.json.encode([sentences(story)])


def same(seen: dict[str, Any], wants: dict[str, Any]) -> None:
    """Everything wanted is as wanted; what differs is told."""
    odd = {name: (seen[name], wants[name]) for name in wants if seen[name] != wants[name]}
    assert not odd, "\n".join(f"{name} is {is_!r}, not {wanted!r}" for name, (is_, wanted) in odd.items())


def sentences(story: Biography) -> list[str]:
    """Everything a biography says, a line each."""
    lines = []
    for passage in story.passages:
        lines += [
            *passage.heard,
            *passage.learned,
            *(f"{rule.id} {rule.citation}: {rule.says}" for rule in passage.rules),
        ]
        if passage.message:
            lines.append(passage.message)
    lines += [f"{item.order_id}: {item.message}" for item in story.candidates if item.message]
    return lines
