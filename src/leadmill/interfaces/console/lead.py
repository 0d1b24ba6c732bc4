"""One lead: as a drawer beside the list and as a page of its own, and what one may do with it."""

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from leadmill.consent import Proof
from leadmill.core.case import Evidence
from leadmill.core.events import Event
from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.reasons import State
from leadmill.delivery import Attempt, Receipt
from leadmill.delivery.store import attempts_of, receipts_of
from leadmill.facts import Dossier
from leadmill.flow.biography import read_biography
from leadmill.flow.desk import approve, dismiss
from leadmill.flow.memory import Recalled, recall_one
from leadmill.flow.model import LeadRow, StepTaken
from leadmill.flow.overriding import hold_lead, mark_lead, override
from leadmill.flow.reactions import react
from leadmill.flow.store import read_lead
from leadmill.interfaces.console import telling
from leadmill.interfaces.console.correcting import correctable, with_wins
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import recipient_name, source_name
from leadmill.interfaces.console.optouts import shown_on_lead
from leadmill.interfaces.console.scored import score_shown
from leadmill.interfaces.console.trying import tried_on
from leadmill.interfaces.console.vouching import certificates_shown
from leadmill.interfaces.masks import name_of
from leadmill.interfaces.pages import words
from leadmill.market import Allocate
from leadmill.outcomes import REMARKS, Disposition, Remarks, Reported, read_remarks
from leadmill.outcomes.service import report_outcome
from leadmill.outcomes.store import outcomes_of
from leadmill.parties import Right, Role
from leadmill.parties.store import list_keys, list_operators, note_reads, reads_of
from leadmill.review import HOLDS, MARKS, OVERRIDES, may_hold, may_mark, may_override
from leadmill.review.service import Reviewer
from leadmill.review.store import cases_of
from leadmill.runtime import journal
from leadmill.runtime.db import Tx

_SUGGESTED = 500
"""The most orders whose names are offered to who asks after one."""

_TABS = ("why", "deliveries", "consent", "events", "raw")
_READS_RAW = (Role.ADMIN, Role.COMPLIANCE)


class Act(Struct, frozen=True):
    """A button over a lead."""

    to: str
    says: str
    tone: str = ""
    key: str = ""


@get("/leads/{lead_id:str}", include_in_schema=False)
async def lead_page(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """A lead's page."""
    tab, lead = await show_lead(desk, lead_id, "page")
    return desk.show("lead.html", "leads", lead=lead, tab=tab)


@get("/leads/{lead_id:str}/drawer", include_in_schema=False)
async def lead_drawer(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """A lead beside the list."""
    tab, lead = await show_lead(desk, lead_id, "drawer")
    return desk.show("lead_drawer.html", "leads", lead=lead, tab=tab)


async def show_lead(desk: Desk, lead_id: str, what: str) -> tuple[str, dict[str, Any]]:
    """All that a page tells of a lead, and which of its tabs is open; noted as read."""
    tab = desk.request.query_params.get("tab", "why")
    if tab not in _TABS:
        raise NotFound("console.tab.unknown", "a lead has no such page")
    async with desk.wiring.db.begin() as tx:
        recalled = await recall_one(tx, desk.wiring.kit.pen, lead_id)
        story = await read_biography(tx, desk.wiring.kit.pen, lead_id)
        receipts = await receipts_of(tx, lead_id)
        note_reads(tx, desk.who.id, [lead_id], f"{what} {tab}", desk.now)
        more = await _more(tx, desk, tab, recalled, receipts)
        more |= await shown_on_lead(tx, desk, lead_id)
        cases = await cases_of(tx, lead_id, 1) if recalled.row.state is State.REVIEW else []
        more["case"] = cases[0].id if cases and cases[0].closed_at is None else None
    row, rules = recalled.row, desk.wiring.rules
    evidence = _latest(recalled)
    events = sum(len(chapter.events) for chapter in recalled.chapters)
    dossier = evidence.get(Dossier)
    known = dossier if isinstance(dossier, Dossier) else None
    proof = evidence.get(Proof)
    return tab, {
        "id": row.id,
        "person": name_of(recalled.lead, desk.sees) if recalled.lead or recalled.submission is None else "Not mapped",
        "person_id": row.person_id,
        "state": row.state.value,
        "test": row.test,
        "summary": telling.summary(row, rules, story),
        "forgotten": story.forgotten,
        "received_at": row.received_at,
        "channel": row.channel,
        "source_id": row.source_id,
        "source": source_name(rules, row.source_id),
        "recipients": [recipient_name(rules, each) for each in (row.recipient or "").split()],
        "price": row.price,
        "currency": row.currency,
        "masked": not desk.sees,
        "scored": score_shown(evidence, row.vertical),
        "groups": with_wins(telling.groups(recalled.lead, known, rules, desk.sees), known),
        "actions": _actions(desk, row.id, row.state),
        **_supervised(desk, row),
        "may_correct": desk.may(Right.REVIEW) and recalled.lead is not None,
        "correctable": correctable(recalled.lead, known, rules),
        "tabs": [
            {"name": "why", "says": "Why", "count": None},
            {"name": "deliveries", "says": "Deliveries", "count": len(receipts) or None},
            {"name": "consent", "says": "Consent", "count": None},
            {"name": "events", "says": "Events", "count": events},
            {"name": "raw", "says": "Raw", "count": None},
        ],
        "chapters": telling.chapters(story, recalled.lead, rules),
        "money": story.money,
        "proof": telling.proof_shown(proof if isinstance(proof, Proof) else None, desk.sees),
        "certificates": certificates_shown(recalled, evidence, desk.now),
        "raw_allowed": desk.who.role in _READS_RAW,
        "raw": telling.raw_shown(recalled.submission) if desk.who.role in _READS_RAW and tab == "raw" else None,
        "events": [
            {"at": event.at, "tag": event.__struct_config__.tag, "says": _says(event)}
            for chapter in recalled.chapters
            for event in chapter.events
        ]
        if tab == "events"
        else [],
        "undelivered": telling.undelivered(row),
        "report": row.state in (State.SOLD, State.ASSIGNED),
        "may_report": desk.may(Right.REVIEW),
        "dispositions": [(each.value, each.value.replace("_", " ").capitalize()) for each in Disposition],
        **more,
    }


async def _more(tx: Tx, desk: Desk, tab: str, recalled: Recalled, receipts: list[Receipt]) -> dict[str, Any]:
    """What only one tab shows."""
    found: dict[str, Any] = {
        "deliveries": [],
        "outcomes": [],
        "reads": [],
        "pages": 0,
        "head": None,
        "asked": None,
        "tried": None,
    }
    lead_id = recalled.row.id
    if tab == "why":
        found["asked"] = await _asked(tx, desk, recalled)
        found["tried"] = tried_on(desk, recalled)
    elif tab == "deliveries":
        for receipt in receipts:
            found["deliveries"].append(_delivery(desk, receipt, await attempts_of(tx, receipt.delivery_id)))
        found["outcomes"] = [(each, _remarks(desk, recalled, each)) for each in await outcomes_of(tx, lead_id)]
    elif tab == "events":
        pages = await journal.pages(tx, lead_id)
        found["pages"] = len(pages)
        found["head"] = pages[-1].hash.hex()[:16] if pages else None
        if desk.who.role in _READS_RAW:
            names = {each.id: each.name for each in await list_operators(tx)}
            names |= {key.id: f"{key.owner} (key)" for key in await list_keys(tx)}
            found["reads"] = [
                {"at": read.at, "who": names.get(read.reader, read.reader), "what": read.what}
                for read in await reads_of(tx, lead_id, 20)
            ]
    return found


async def _asked(tx: Tx, desk: Desk, recalled: Recalled) -> dict[str, Any] | None:
    """The order that was asked after and why it did not get the lead; nothing before the market has had the lead."""
    held = any(each.event.step == Allocate.name for chapter in recalled.chapters for each in chapter.stations)
    if not held or recalled.submission is None:
        return None
    orders = desk.wiring.rules.orders
    known = sorted(name for name, order in orders.items() if order.vertical == recalled.row.vertical)
    order_id = desk.request.query_params.get("order", "").strip()[:64]
    asked: dict[str, Any] = {"order_id": order_id, "known": known[:_SUGGESTED], "told": None, "fault": None}
    if order_id:
        try:
            told = await desk.wiring.ask_after(tx, recalled.row.id, order_id)
            asked["told"] = msgspec.structs.replace(told, name=recipient_name(desk.wiring.rules, told.recipient))
        except NotFound:
            asked["fault"] = f"The rules of that time had no order {order_id} for such leads."
    return asked


def _remarks(desk: Desk, recalled: Recalled, report: Reported) -> list[tuple[str, str]]:
    """What a report says beside its fields, by name, for who may read what is personal."""
    if report.note is None or not desk.sees:
        return []
    plain = desk.wiring.kit.pen.open_sealed(recalled.row, report.note, REMARKS)
    remarks = read_remarks(plain) if plain is not None else Remarks()
    note = [("note", remarks.note)] if remarks.note else []
    return note + [(name, bytes(value).decode()) for name, value in remarks.more.items()]


def _delivery(desk: Desk, receipt: Receipt, attempts: list[Attempt]) -> dict[str, Any]:
    return {
        "delivery_id": receipt.delivery_id,
        "sale_id": receipt.sale_id,
        "recipient": recipient_name(desk.wiring.rules, receipt.recipient),
        "state": receipt.state,
        "courier": receipt.courier,
        "buyer_ref": receipt.buyer_ref,
        "next_at": receipt.next_at if receipt.state in ("queued", "retrying") else None,
        "may_resend": desk.may(Right.RESEND) and receipt.state in ("accepted", "dead"),
        "attempts": attempts,
    }


def _says(event: Event) -> str:
    if isinstance(event, StepTaken):
        return f"{words(event.step)}: {event.verdict}{'. ' + event.because.message if event.because else ''}"
    return " ".join(event.tell())


def _latest(recalled: Recalled) -> dict[type[Evidence], Evidence]:
    """The last evidence of each type that was learned."""
    return {
        type(item): item for chapter in recalled.chapters for station in chapter.stations for item in station.learned
    }


def _actions(desk: Desk, lead_id: str, state: State) -> list[Act]:
    if state is not State.NURTURE or not desk.may(Right.REVIEW):
        return []  # what waits for a person is decided on the desk
    return [
        Act(f"/leads/{lead_id}/approve", "Approve", "primary", "a"),
        Act(f"/leads/{lead_id}/reject", "Reject", "danger", "r"),
    ]


def _supervised(desk: Desk, row: LeadRow) -> dict[str, list[tuple[str, str]]]:
    """The grounds on which this operator may bring the lead back, hold it and mark it; none where nobody may."""
    state, able = row.state.value, may_supervise(desk)
    asked = {
        "overrides": (OVERRIDES, may_override(state, row.reason)),
        "holds": (HOLDS, may_hold(state) and not row.test),
        "marks": (MARKS, may_mark(state) and not row.test),
    }
    return {
        name: [(code, ground.says) for code, ground in grounds.items()] if able and fits else []
        for name, (grounds, fits) in asked.items()
    }


def may_supervise(desk: Desk) -> bool:
    """Whether the operator supervises the review desk: administrators and compliance do."""
    return desk.may(Right.REVIEW) and desk.may(Right.AUDIT)


@post("/leads/{lead_id:str}/approve", include_in_schema=False)
async def take_approval(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """Let a waiting lead walk on."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        await _leave_to_the_desk(tx, lead_id)
        await approve(tx, desk.wiring.kit, lead_id, desk.who.id, fields.get("why", "")[:500], desk.now)
    return desk.back(f"/leads/{lead_id}", "approved")


@post("/leads/{lead_id:str}/reject", include_in_schema=False)
async def take_rejection(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """End a waiting lead."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    async with desk.wiring.db.begin() as tx:
        await _leave_to_the_desk(tx, lead_id)
        await dismiss(tx, desk.wiring.kit, lead_id, desk.who.id, fields.get("why", "")[:500], desk.now)
    return desk.back(f"/leads/{lead_id}", "rejected")


async def _leave_to_the_desk(tx: Tx, lead_id: str) -> None:
    """Refuse to decide here what the desk decides: with a ground, and by two where its case is drawn for that."""
    row = await read_lead(tx, lead_id)
    if row is not None and row.state is State.REVIEW:
        raise Conflict("review.case.taken", "the lead waits on the review desk; decide its case there")


@post("/leads/{lead_id:str}/override", include_in_schema=False)
async def take_override(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """Bring a lead back that our own judgement let go, hold one that could be sold, or mark one."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    who, kit = Reviewer(desk.who.id, may_supervise(desk)), desk.wiring.kit
    act, ground, note = fields.get("act", "override"), fields.get("ground", ""), fields.get("why", "")[:500]
    async with desk.wiring.db.begin() as tx:
        if act == "hold":
            await hold_lead(tx, kit, lead_id, who, ground, note, desk.now)
        elif act == "mark":
            await mark_lead(tx, kit, lead_id, who, ground, note, desk.now)
        else:
            await override(tx, kit, lead_id, who, ground, note, desk.now)
    return desk.back(f"/leads/{lead_id}", {"hold": "lead_held", "mark": "marked"}.get(act, "overridden"))


@post("/leads/{lead_id:str}/outcome", include_in_schema=False)
async def take_outcome(desk: NamedDependency[Desk], lead_id: FromPath[str]) -> Page:
    """Record what became of a lead."""
    fields = await desk.form()
    desk.need(Right.REVIEW)
    word = fields.get("disposition", "")
    if word not in Disposition.__members__.values():
        raise BadInput("console.disposition.unknown", "choose one of the dispositions of the list")
    async with desk.wiring.db.begin() as tx:
        row = await desk.wiring.kit.pen.lock(tx, lead_id)
        events = await report_outcome(
            tx, desk.wiring.mint, lead_id=lead_id, reporter=desk.who.id, disposition=Disposition(word), at=desk.now,
            now=desk.now,
        )  # fmt: skip
        if events:
            await react(tx, desk.wiring.kit, row, events, desk.now)
    return desk.back(f"/leads/{lead_id}?tab=deliveries", "recorded")


ROUTES = [lead_page, lead_drawer, take_approval, take_rejection, take_override, take_outcome]
