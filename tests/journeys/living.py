"""Plays a life: a business, what happens to it, and what must be true, all told in one TOML file.

A life names the records of ``business.toml`` it needs, adds or changes some, and lists events. An event does one thing
(send, work, wait, answers, …) or demands one (``expect``, ``balances``, …); its other keys are that thing's
particulars. Whatever was told, a life ends with the store verified, every decision replayed without a difference, and
every lead explained.
"""

import copy
import hashlib
import hmac
import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from leadmill.billing import open_account
from leadmill.core.faults import Fault
from leadmill.core.money import Money
from leadmill.delivery import receipts_of, resend
from leadmill.flow.configure import apply_declared, declare
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.noticing import take_notices
from leadmill.flow.posting import post_lead
from leadmill.flow.reactions import react
from leadmill.followup import messages_of
from leadmill.hygiene import read_message
from leadmill.interfaces.api.intake import Intake
from leadmill.interfaces.api.ping import PingDoor
from leadmill.interfaces.house import House
from leadmill.interfaces.worker import workers
from leadmill.outcomes import Disposition, find_reported, report_outcome
from leadmill.overlap.model import Kind
from leadmill.parties import Caller, KnownPeople
from leadmill.policy import take_registry
from leadmill.policy.model import Suppression
from leadmill.policy.store import suppress
from tests.conftest import FixedClock
from tests.journeys.bounces import delivery_report
from tests.journeys.breaking import breaking
from tests.journeys.house import Buyers, Mailbox
from tests.journeys.leaving import Leaving
from tests.journeys.truths import same

HERE = Path(__file__).parent
_CONTACT = ("first_name", "last_name", "email", "phone", "address", "date_of_birth")
KINDS = ("source", "buyer", "team", "order", "market", "form", "scorecard")


def _hashed(profile: str, key: bytes, value: str) -> str:
    """As a buyer's program does it, in the words of its manual rather than ours."""
    if profile == "hmac-sha256":
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
    return {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256}[profile](value.encode()).hexdigest()


@cache
def _common(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text("utf-8"))


def merged(under: Any, over: Any) -> Any:
    """A table over another, inner tables likewise."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {key: merged(under.get(key), over[key]) if key in over else under[key] for key in {**under, **over}}
    return copy.deepcopy(over)


class Life(Leaving):
    """One life under way."""

    def __init__(self, told: dict[str, Any], house: House, clock: FixedClock, buyers: Buyers, mailbox: Mailbox) -> None:
        super().__init__(house, clock, buyers, mailbox)
        self.told = told
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
        pings = PingDoor(intake, house.quoter.quote, partial(post_lead, house.kit, house.mill.take))
        doors: dict[str, Any] = {"/v1/leads": intake, "/v1/ping": pings.ping, "/v1/post": pings.post}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await doors[scope["path"]](scope, receive, send)

        self.pings: dict[str, str] = {}
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://mill")

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
                name = raw["vertical"] if kind == "scorecard" else raw["id"]
                records[name] = merged(records.get(name), raw)
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
        names, posted against the ping ``after`` where one is named; ``answer`` is what the caller must hear, ``status``
        of HTTP included under ``http``."""
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
        path = "/v1/leads"
        if "after" in event:
            path, body["ping_id"] = "/v1/post", self.pings[event["after"]]
        if event.get("form"):
            answer = await self._http.post(path, data=body, headers=headers)
        else:
            answer = await self._http.post(path, json=body, headers=headers)
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

    async def do_ping(self, event: dict[str, Any]) -> None:
        """``ping = LABEL``: what the person ``who`` (or of that label) would answer, without the person; ``answer`` as
        for ``send``."""
        person = _common("people.toml")[event.get("who", event["ping"])]
        fields = {name: value for name, value in person["fields"].items() if name not in _CONTACT}
        body = {"vertical": person["vertical"], "fields": fields, "context": person.get("context", {})}
        headers = {"authorization": f"Bearer key-of-{event.get('source', 'acme')}-0123456789"}
        answer = await self._http.post("/v1/ping", json=body | event.get("with", {}), headers=headers)
        got = answer.json()
        wants = {"http": 201} | event.get("answer", {})
        seen = {"http": answer.status_code} | got | {"reasons": [reason["code"] for reason in got.get("reasons", [])]}
        same({name: seen.get(name) for name in wants}, wants)
        self.pings[event["ping"]] = got.get("ping_id", "")

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

    async def do_refuses(self, event: dict[str, Any]) -> None:
        """``refuses = CODE``: the business may not ``change`` so, as told for that verb; ``says`` is in why."""
        with pytest.raises(Fault) as refused:
            await self.do_change(event)
        assert refused.value.code == event["refuses"]
        assert event.get("says", "") in refused.value.detail

    async def do_optout(self, event: dict[str, Any]) -> None:
        """``optout = { phone = … , email = … }``: the person is suppressed."""
        vault = self.house.vault
        entries = [
            Suppression(vault.keyed_hash(kind, value), kind, self.clock(), "test")
            for kind, value in event["optout"].items()
        ]
        async with self.house.db.begin() as tx:
            await suppress(tx, entries)

    async def do_registry(self, event: dict[str, Any]) -> None:
        """``registry = NAME``: a do-not-call registry is taken in, of ``days`` ago, with these ``numbers``."""
        as_of = (self.clock() - timedelta(days=event.get("days", 0))).date()
        lines = event.get("numbers", ())
        hashed = self.house.vault.keyed_hash
        await take_registry(self.house.db, hashed, event["registry"], as_of, lines, self.clock())

    async def do_known(self, event: dict[str, Any]) -> None:
        """``known = BUYER``: the buyer says whom it has, as its own program would hash them: ``phone`` or ``email``
        with the values in the list's form; ``change`` as the API's."""
        buyer = self.house.book.walk().rules.roster.buyers[event["known"]]
        kind = "phone" if "phone" in event else "email"
        spec = buyer.known or KnownPeople()
        key = self.house.environ.get(spec.key_env, "").encode()
        hashes = [_hashed(spec.profile, key, value) for value in event[kind]]
        async with self.house.db.begin() as tx:
            change = event.get("change", "add")
            await self.house.lists.change(tx, buyer, cast(Kind, kind), hashes, change, self.clock())

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
                lead_id, sale_id = await find_reported(tx, caller, lead_id=self.leads[event["outcome"]])
                row = await house.pen.lock(tx, lead_id)
                value = Money(round(float(event["value"]) * 100)) if "value" in event else None
                events = await report_outcome(
                    tx,
                    house.mint,
                    reporter=caller.owner,
                    disposition=Disposition(event["disposition"]),
                    at=event.get("at", now),
                    now=now,
                    lead_id=lead_id,
                    sale_id=sale_id,
                    value=value,
                )
                if events:
                    await react(tx, house.kit, row, events, now)
        except Fault as fault:
            code = fault.code
        assert code == event.get("fault")

    async def do_bounce(self, event: dict[str, Any]) -> None:
        """``bounce = LABEL``: a mail server reports that the message to the lead's person came back with ``status``;
        ``taken`` of it is news."""
        async with self.house.db.begin() as tx:
            (one,) = [item for item in await messages_of(tx, self.leads[event["bounce"]]) if item.kind == "ack"]
            notices = read_message(delivery_report(one.message_id, event["status"]))
            told = await take_notices(tx, self.house.kit, notices, "post", self.clock())
        assert told.taken == event["taken"]

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


def read_life(path: Path) -> dict[str, Any]:
    """A life as told."""
    return tomllib.loads(path.read_text("utf-8"))
