"""Carries opt-outs out: everything under way for whoever opted out is stopped, and those who have them are told.

``enforce`` is what the job does that an opt-out owes and, where somebody waits for the answer, what is done at once
after the commit. Being a transaction after the one that made the suppression durable, it sees every attempt that could
still go out: whoever claims one later asks for suppressions first (see ``suppressed``). It is carried out once on each
lead, however often it is tried.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from leadmill.core.events import Event
from leadmill.core.reasons import State, because
from leadmill.delivery import Receipt, attempts_of, receipts_of
from leadmill.delivery import find as find_delivery
from leadmill.flow.answering import owe_answer
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_row
from leadmill.flow.model import LeadRow, LeadSettled
from leadmill.flow.reactions import take_back
from leadmill.flow.store import leads_of_persons, update_leads
from leadmill.followup import stop_messages
from leadmill.identity.store.contacts import owners_of
from leadmill.market import LegState, SaleRecord, sales_of
from leadmill.optouts import (
    OPTED_OUT,
    Matter,
    Notice,
    OptOut,
    OptOutDecided,
    PersonOptedOut,
    Way,
    claim_lead,
    contacts_of,
    decide_doubt,
    find_opt_outs,
    leads_of_opt_out,
    note_enforced,
    notices_of,
    owe_notices,
)
from leadmill.parties import Buyer
from leadmill.policy import sale_key, suppressed_by
from leadmill.runtime.db import Tx
from leadmill.runtime.jobs import Handler, Job

_WAITING = (State.REVIEW, State.NURTURE, State.BIDDING)
_CHUNK = 1_000
PATIENCE = 5.0
"""Seconds that an answer waits for attempts that were in flight when the opt-out came."""


def enforce_opt_out(kit: Kit) -> Handler:
    """The handler of ``optout.enforce`` jobs."""

    async def handle(job: Job) -> None:
        await enforce(kit, job.read(dict[str, str])["opt_out_id"])

    return handle


async def enforce(kit: Kit, opt_out_id: str, tell: bool = True) -> list[str]:
    """Stop what is under way for whoever opted out, and owe telling those who have the person, unless they are about to
    be told more than that (``tell``); the deliveries that were being attempted at that moment, which finish. One lead a
    transaction."""
    async with kit.db.begin() as tx:
        opt_out = (await find_opt_outs(tx, [opt_out_id])).get(opt_out_id)
        leads = set(await leads_of_opt_out(tx, opt_out_id))
    if opt_out is None or opt_out.state == "lifted":
        return []
    in_flight: list[str] = []
    after = b""
    while True:
        async with kit.db.begin() as tx:
            hashes = [one.hash for one in await suppressed_by(tx, opt_out_id, after, _CHUNK)]
            # An opt-out of sale is kept under keys that lead to nobody: it bears on the one person it is known of.
            owners = await owners_of(tx, hashes) if opt_out.scope != "sale" else {"": [opt_out.person_id or ""]}
            found = await leads_of_persons(tx, sorted({person for each in owners.values() for person in each}))
        closed = frozenset(hashes)
        for lead_id in sorted({*found, *leads}):
            async with kit.db.begin() as tx:
                in_flight += await _enforce_on(tx, kit, opt_out, lead_id, closed, lead_id in leads, tell)
        if len(hashes) < _CHUNK:
            break
        after = hashes[-1]
    async with kit.db.begin() as tx:
        await note_enforced(tx, opt_out_id, kit.clock())
    return in_flight


async def _enforce_on(
    tx: Tx, kit: Kit, opt_out: OptOut, lead_id: str, closed: frozenset[bytes], done: bool, tell: bool
) -> list[str]:
    row = await kit.pen.lock(tx, lead_id)
    now = kit.clock()
    if row.test:
        return []
    in_flight: list[str] = []
    if not done:
        lead = await open_row(tx, kit.pen, row)
        hashed = kit.pen.vault.keyed_hash
        mine = [one.hash for one in contacts_of(hashed, lead.fields)] if lead is not None else []
        if opt_out.scope == "sale":
            mine = [sale_key(hashed, one) for one in mine]
        if closed.isdisjoint(mine) or not await claim_lead(tx, opt_out.id, lead_id):
            return []
        stop = _stop_sales if opt_out.scope == "sale" else _stop
        in_flight = await stop(tx, kit, opt_out, row, now)
    # Whoever bought the person before an opt-out of sale did so in order; who is being handed the lead is told.
    if tell and opt_out.state == "stands" and (opt_out.scope != "sale" or in_flight):
        await tell_recipients(tx, kit, opt_out.id, lead_id, now)
    return in_flight


async def _stop(tx: Tx, kit: Kit, opt_out: OptOut, row: LeadRow, now: datetime) -> list[str]:
    """Stop a lead: messages that wait, deliveries that nobody is attempting, the walk itself where it waits."""
    news: list[Event] = [_heard(opt_out, now)]
    news += await stop_messages(tx, row.id, OPTED_OUT.code, now)
    legs = {leg.id for leg in await sales_of(tx, row.id) if leg.state in (LegState.SOLD, LegState.ASSIGNED)}
    in_flight, stopped = [], []
    for receipt in await receipts_of(tx, row.id):
        if receipt.state in ("queued", "retrying"):
            if await _in_flight(tx, receipt):
                in_flight.append(receipt.delivery_id)
            elif receipt.sale_id in legs:
                stopped.append(receipt.sale_id)
    if stopped:
        await take_back(tx, kit, row, stopped, because(OPTED_OUT), news, now)
        return in_flight
    if row.state in _WAITING:
        why = because(OPTED_OUT)
        news.append(LeadSettled(at=now, state=State.REJECTED, because=why))
        await update_leads(tx, [msgspec.structs.replace(row, state=State.REJECTED, reason=why.code)])
        owe_answer(tx, row.id, now, kit.mint)
    await kit.pen.append(tx, row.id, news, now)
    return in_flight


async def _stop_sales(tx: Tx, kit: Kit, opt_out: OptOut, row: LeadRow, now: datetime) -> list[str]:
    """Take back what was sold and is not handed over. Messages go on, and so does the lead: whatever waits comes by the
    law again, which sells it to nobody and leaves it to our own people."""
    news: list[Event] = [_heard(opt_out, now)]
    legs = {leg.id for leg in await sales_of(tx, row.id) if leg.state is LegState.SOLD and leg.buyer_id is not None}
    in_flight, stopped = [], []
    for receipt in await receipts_of(tx, row.id):
        if receipt.state in ("queued", "retrying") and receipt.sale_id in legs:
            if await _in_flight(tx, receipt):
                in_flight.append(receipt.delivery_id)
            else:
                stopped.append(receipt.sale_id)
    if stopped:
        await take_back(tx, kit, row, stopped, because(OPTED_OUT), news, now)
    else:
        await kit.pen.append(tx, row.id, news, now)
    return in_flight


def _heard(opt_out: OptOut, now: datetime) -> PersonOptedOut:
    return PersonOptedOut(
        at=now,
        opt_out_id=opt_out.id,
        scope=opt_out.scope,
        channel=opt_out.channel,
        said_at=opt_out.at,
        doubtful=opt_out.state == "review",
    )


async def _in_flight(tx: Tx, receipt: Receipt) -> bool:
    """Whether somebody is attempting it now: an attempt was claimed whose end is not written down."""
    return receipt.attempts > len(await attempts_of(tx, receipt.delivery_id))


async def tell_recipients(
    tx: Tx,
    kit: Kit,
    cause_id: str,
    lead_id: str,
    now: datetime,
    matter: Matter = "opted_out",
    fields: Sequence[str] = (),
) -> list[Notice]:
    """Owe telling everybody who has a locked lead, or may: who was sent it, and gave no answer, as well; the notices
    that are new. ``cause_id`` is the opt-out or the request they are told of, ``fields`` what was corrected. Whoever is
    told of a deletion is not told of the opt-out that it began with."""
    before = await notices_of(tx, lead_id) if matter == "opted_out" else []
    deleted = {one.sale_id for one in before if one.matter == "deleted"}
    tried = {one.sale_id for one in await receipts_of(tx, lead_id) if one.attempts}
    owed = [
        (leg.id, recipient, _way(kit, recipient))
        for leg in await sales_of(tx, lead_id)
        if leg.id not in deleted and (recipient := leg.buyer_id or leg.team_id) and _may_have_it(leg, tried)
    ]
    return await owe_notices(tx, kit.mint, cause_id, lead_id, owed, now, matter, fields)


def _may_have_it(leg: SaleRecord, tried: set[str]) -> bool:
    return leg.state is not LegState.CANCELLED or leg.id in tried


def _way(kit: Kit, recipient_id: str) -> Way:
    """How a recipient is reached: at the address it declared for opt-outs, by e-mail where it has its alerts, else it
    asks for its notices."""
    rules = kit.walk().rules
    recipient = rules.roster.recipient(recipient_id)
    if isinstance(recipient, Buyer) and recipient.optouts is not None:
        return "webhook"
    if recipient is not None and recipient.alert is not None and rules.mail:
        return "email"
    return "portal"


async def enforce_now(kit: Kit, opt_out_ids: Iterable[str], patience: float = PATIENCE, tell: bool = True) -> None:
    """Carry opt-outs out before somebody is answered, and wait a little for attempts that were in flight: what is not
    over then counts as handed over, and its recipient is told. ``tell`` as in :func:`enforce`."""
    in_flight: list[str] = []
    for opt_out_id in opt_out_ids:
        in_flight += await enforce(kit, opt_out_id, tell)
    ends = asyncio.get_running_loop().time() + patience
    while in_flight and asyncio.get_running_loop().time() < ends:
        await asyncio.sleep(0.05)
        async with kit.db.begin() as tx:
            receipts = [await find_delivery(tx, each) for each in in_flight]
            in_flight = [one.delivery_id for one in receipts if one is not None and await _in_flight(tx, one)]


async def settle_doubt(tx: Tx, kit: Kit, opt_out_id: str, stands: bool, who: str, now: datetime) -> OptOutDecided:
    """What a person says of a doubtful reply. Raises NotFound ``optouts.doubt.unknown``."""
    decided = await decide_doubt(tx, kit.mint, opt_out_id, stands, who, now)
    for lead_id in await leads_of_opt_out(tx, opt_out_id):
        await kit.pen.lock(tx, lead_id)
        await kit.pen.append(tx, lead_id, [decided], now)
    return decided
