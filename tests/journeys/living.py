"""Plays a life: a business, what happens to it, and what must be true, all told in one TOML file.

A life names the records of ``business.toml`` it needs, adds or changes some, and lists events. An event does one thing
(send, work, wait, answers, …) or demands one (``expect``, ``balances``, …); its other keys are that thing's
particulars. Whatever was told, a life ends with the store verified, every decision replayed without a difference, and
every lead explained.
"""

import copy
import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgspec

from leadmill.billing import open_account
from leadmill.core.faults import Fault
from leadmill.core.money import Money
from leadmill.delivery import receipts_of, resend
from leadmill.flow.biography import Biography, read_biography
from leadmill.flow.configure import apply_declared, declare
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.memory import open_row
from leadmill.flow.model import LeadFilter
from leadmill.flow.reactions import react
from leadmill.flow.replay import replay
from leadmill.flow.store import list_leads, read_lead
from leadmill.flow.verify import verify
from leadmill.followup import messages_of
from leadmill.interfaces.api.intake import Intake
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.ledger import balances
from leadmill.market import cap_use, sales_of
from leadmill.outcomes import Disposition, find_reported, outcomes_of, report_as
from leadmill.parties import Caller
from leadmill.policy.model import Suppression
from leadmill.policy.store import suppress
from tests.conftest import FixedClock
from tests.journeys.breaking import breaking
from tests.journeys.house import HOOK_SECRET, Buyers, Mailbox
from tests.journeys.webhooks import verified

HERE = Path(__file__).parent
KINDS = ("source", "buyer", "team", "order", "form")


@cache
def _common(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text("utf-8"))


def merged(under: Any, over: Any) -> Any:
    """A table over another, inner tables likewise."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {key: merged(under.get(key), over[key]) if key in over else under[key] for key in {**under, **over}}
    return copy.deepcopy(over)


class Life:
    """One life under way. ``leads`` are the ids by the labels that the file gives them."""

    def __init__(self, told: dict[str, Any], house: House, clock: FixedClock, buyers: Buyers, mailbox: Mailbox) -> None:
        self.told = told
        self.house = house
        self.clock = clock
        self.buyers = buyers
        self.mailbox = mailbox
        self.leads: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self._mend: Callable[[], None] | None = None
        intake = Intake(
            house.mill.take,
            lambda: house.book.ring.callers,
            house.vault.keyed_hash,
            lambda: house.book.walk().rules,
            house.clock,
            house.mint,
            self._alarm,
        )
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=intake), base_url="http://mill")

    def _alarm(self, broken: BaseException) -> None:
        raise AssertionError("the intake broke") from broken

    async def play(self) -> None:
        """Everything told, then what holds for every life."""
        await self.apply(self._business())
        for number, event in enumerate(self.told["event"], start=1):
            verb = next(iter(event))
            try:
                await getattr(self, f"do_{verb}")(event)
            except Exception as fault:
                fault.add_note(f"event {number}: {verb} = {event[verb]!r}")
                raise
        await self._http.aclose()
        await self.end()

    def _business(self) -> dict[str, list[dict[str, Any]]]:
        wanted = dict.fromkeys(self.told.get("business", ()))
        found: dict[str, list[dict[str, Any]]] = {}
        for kind in KINDS:
            records = {raw["id"]: raw for raw in _common("business.toml").get(kind, []) if raw["id"] in wanted}
            for raw in self.told.get(kind, []):
                records[raw["id"]] = merged(records.get(raw["id"]), raw)
            found[kind] = list(records.values())
        return found

    async def apply(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        """Make the business so."""
        text = json.dumps(tables, default=str).replace("{url}", self.buyers.url)
        house = self.house
        declared = [
            declare(kind, raw, f"{kind} {place}")
            for kind, records in json.loads(text).items()
            for place, raw in enumerate(records)
        ]
        async with house.db.begin() as tx:
            await apply_declared(
                tx,
                declared,
                author="test",
                now=self.clock(),
                mint=house.mint,
                keyed_hash=house.vault.keyed_hash,
                environ=house.environ,
                verticals=house.book.walk().rules.verticals,
                on_buyer=open_account,
            )
        await house.book.refresh(house.db)

    # ---- what happens -----------------------------------------------------------------------------------------------

    async def do_send(self, event: dict[str, Any]) -> None:
        """``send = LABEL``: a submission of the person ``who`` (or of that label), with ``set`` and ``drop`` as dotted
        names; ``answer`` is what the caller must hear, ``status`` of HTTP included under ``http``."""
        label = event["send"]
        body = copy.deepcopy(_common("people.toml")[event.get("who", label)])
        for name, value in event.get("set", {}).items():
            *way, last = name.split(".")
            place = body
            for part in way:
                place = place.setdefault(part, {})
            place[last] = value
        for name in event.get("drop", ()):
            *way, last = name.split(".")
            place = body
            for part in way:
                place = place[part]
            del place[last]
        headers = {"authorization": f"Bearer key-of-{event.get('source', 'acme')}-0123456789"}
        if "key" in event:
            headers["idempotency-key"] = event["key"]
        if event.get("form"):
            answer = await self._http.post("/v1/leads", data=body, headers=headers)
        else:
            answer = await self._http.post("/v1/leads", json=body, headers=headers)
        got = answer.json()
        wants = {"http": 201} | event.get("answer", {})
        seen = {"http": answer.status_code, "reasons": []} | got
        seen["reasons"] = [reason["code"] for reason in seen["reasons"]]
        same({name: seen.get(name) for name in wants}, wants)
        if answer.status_code == 201:
            if "same_as" in event:
                assert got["lead_id"] == self.leads[event["same_as"]]
            self.leads[label] = got["lead_id"]
            self.acknowledged.add(got["lead_id"])

    async def do_work(self, event: dict[str, Any]) -> None:
        """``work = N``: everything due is done, and again after what was waited for, N times in all."""
        for round_no in range(int(event["work"])):
            if round_no:
                self.clock.advance(hours=8)
            staff = workers(self.house)
            while sum([await one.drain() for one in staff]):
                continue

    async def do_wait(self, event: dict[str, Any]) -> None:
        """``wait = { hours = 3 }``: time passes."""
        self.clock.advance(timedelta(**event["wait"]))

    async def do_clock(self, event: dict[str, Any]) -> None:
        """``clock = 2026-03-07T15:00:00Z``: it is that moment."""
        self.clock.set(event["clock"])

    async def do_answers(self, event: dict[str, Any]) -> None:
        """``answers = BUYER``: from now on it answers ``with``."""
        self.buyers.script(event["answers"], event["with"])

    async def do_change(self, event: dict[str, Any]) -> None:
        """``change = { order = [ … ] }``: the business changes; records named before are merged over."""
        standing = self._business()
        tables = {}
        for kind, records in event["change"].items():
            known = {raw["id"]: raw for raw in standing[kind]}
            tables[kind] = [merged(known.get(raw["id"]), raw) for raw in records]
        await self.apply(tables)

    async def do_optout(self, event: dict[str, Any]) -> None:
        """``optout = { phone = … , email = … }``: the person is suppressed."""
        vault = self.house.vault
        entries = [
            Suppression(vault.keyed_hash(kind, value), kind, self.clock(), "test")
            for kind, value in event["optout"].items()
        ]
        async with self.house.db.begin() as tx:
            await suppress(tx, entries)

    async def do_approve(self, event: dict[str, Any]) -> None:
        """``approve = LABEL``: a person lets the waiting lead go on; ``fault`` is the code of a refusal."""
        await self._decide(event, event["approve"], approve)

    async def do_dismiss(self, event: dict[str, Any]) -> None:
        """``dismiss = LABEL``: a person lets the waiting lead go; ``fault`` is the code of a refusal."""
        await self._decide(event, event["dismiss"], dismiss)

    async def _decide(self, event: dict[str, Any], label: str, verb: Callable[..., Any]) -> None:
        code = None
        try:
            async with self.house.db.begin() as tx:
                await verb(tx, self.house.kit, self.leads[label], "op_ana", event.get("why", ""), self.clock())
        except Fault as fault:
            code = fault.code
        assert code == event.get("fault")

    async def do_outcome(self, event: dict[str, Any]) -> None:
        """``outcome = LABEL``: the buyer ``by`` reports ``disposition`` at ``at``; ``fault`` is the code of a
        refusal."""
        house, now = self.house, self.clock()
        caller = Caller(kind="buyer", owner=event["by"], key_id="key_test")
        code = None
        try:
            async with house.db.begin() as tx:
                lead_id, _ = await find_reported(tx, caller, lead_id=self.leads[event["outcome"]])
                row = await house.pen.lock(tx, lead_id)
                value = Money(round(float(event["value"]) * 100)) if "value" in event else None
                events = await report_as(
                    tx,
                    house.mint,
                    caller,
                    disposition=Disposition(event["disposition"]),
                    at=event.get("at", now),
                    now=now,
                    lead_id=lead_id,
                    value=value,
                )
                if events:
                    await react(tx, house.kit, row, events, now)
        except Fault as fault:
            code = fault.code
        assert code == event.get("fault")

    async def do_resend(self, event: dict[str, Any]) -> None:
        """``resend = LABEL``: an operator sends the delivery ``to`` a recipient again; ``fault`` is the code of a
        refusal."""
        house, code = self.house, None
        try:
            async with house.db.begin() as tx:
                row = await house.pen.lock(tx, self.leads[event["resend"]])
                (one,) = [item for item in await receipts_of(tx, row.id) if item.recipient == event["to"]]
                events = await resend(tx, one.delivery_id, "op_ana", self.clock())
                await react(tx, house.kit, row, events, self.clock())
        except Fault as fault:
            code = fault.code
        assert code == event.get("fault")

    async def do_break(self, event: dict[str, Any]) -> None:
        """``break = STEP``: from now on that station breaks on leads whose last name is ``on``."""
        self._mend = breaking(self.house.book, event["break"], event["on"])

    async def do_mend(self, event: dict[str, Any]) -> None:
        """``mend = true``: it works again."""
        assert self._mend is not None
        self._mend()

    # ---- what must be true ------------------------------------------------------------------------------------------

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
        wants = {name: value for name, value in event.items() if name not in ("expect", "tells", "hides")}
        wants = {name: None if value == "none" else value for name, value in wants.items()}
        if "rules" in wants:
            wants["rules"] = sorted(wants["rules"])
        if "money" in wants:
            wants["money"], seen["money"] = sorted(wants["money"]), sorted(seen["money"])
        same({name: seen[name] for name in wants}, wants)
        words = sentences(story)
        for fragment in event.get("tells", ()):
            assert any(fragment in line for line in words), f"{fragment!r} is not told in:\n" + "\n".join(words)
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
        assert (again.leads, again.skipped) == (len(self.acknowledged), 0)
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


def read_life(path: Path) -> dict[str, Any]:
    """A life as told."""
    return tomllib.loads(path.read_text("utf-8"))
