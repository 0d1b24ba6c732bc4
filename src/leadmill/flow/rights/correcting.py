"""Puts right what a person says is wrong, on every lead of theirs that says otherwise, and tells who has them.

Called by the job that carries requests out. One lead a transaction, with the notices to its recipients; a lead that
says it rightly already is left alone, so beginning again does nothing twice.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from leadmill.capture import Lead, read_value
from leadmill.core.faults import BadInput
from leadmill.flow.aside import correct_lead, look_up
from leadmill.flow.enforcing import tell_recipients
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.rules import Rules
from leadmill.flow.store import leads_of_persons
from leadmill.privacy import PrivacyAnswer, PrivacyRequest, RequestCarriedOut, lock_request, open_told, settle

_MOST = 200


class Wrong(Struct):
    """What is to be put right on one lead, and what of it cannot stand, with the reason."""

    given: dict[str, object]
    refused: dict[str, str]


def wrong_about(rules: Rules, lead: Lead, changes: Mapping[str, str]) -> Wrong:
    """Which of the changes bear on a lead: fields that it has and that say otherwise."""
    vertical = rules.verticals.get(lead.vertical)
    found = Wrong({}, {})
    for name, text in changes.items():
        spec = vertical.fields.get(name) if vertical else None
        if spec is None or (name not in lead.fields and not spec.required):
            continue
        try:
            value = read_value(spec, text)
        except BadInput as fault:
            found.refused[name] = fault.detail
            continue
        if value != lead.fields.get(name):
            found.given[name] = text
    return found


async def correct_person(kit: Kit, request: PrivacyRequest, persons: tuple[str, ...]) -> None:
    """Carry a correction out, and answer it."""
    told = open_told(kit.pen.vault, request)
    changes = {name: text.strip() for name, text in told.changes.items() if text.strip()}
    async with kit.db.begin() as tx:
        ids = (await leads_of_persons(tx, persons))[-_MOST:]
    refused: dict[str, str] = {}
    for lead_id in ids:
        refused |= await _correct(kit, request, lead_id, changes)
    async with kit.db.begin() as tx:
        held = await lock_request(tx, request.id)
        if held is None or held.state != "carrying":
            return
        now = kit.clock()
        corrected: dict[str, list[str]] = {}
        for lead_id in ids:
            lead = (await recall_one(tx, kit.pen, lead_id)).lead
            if lead is not None:
                right = [name for name in changes if _right(kit.walk().rules, lead, name, changes[name])]
                corrected |= {lead_id: right} if right else {}
        answer = PrivacyAnswer(
            request_id=held.id, kind="correct", at=now, held=bool(ids), corrected=corrected, refused=refused
        )
        moved = await settle(
            tx,
            kit.pen.vault,
            kit.mint,
            held,
            now,
            outcome="fulfilled" if corrected else "nothing_held",
            answer=msgspec.json.encode(answer),
        )
        await kit.pen.append(tx, held.id, [moved.event], now)


async def _correct(kit: Kit, request: PrivacyRequest, lead_id: str, changes: Mapping[str, str]) -> dict[str, str]:
    async with kit.db.begin() as tx:
        recalled = await recall_one(tx, kit.pen, lead_id)
    if recalled.lead is None or recalled.row.test:
        return {}
    wrong = wrong_about(kit.walk().rules, recalled.lead, changes)
    if not wrong.given:
        return wrong.refused
    looked = await look_up(kit, lead_id, wrong.given)
    by, why = f"request {request.id}", f"The person asked for it ({request.id})."
    async with kit.db.begin() as tx:
        now = kit.clock()
        await correct_lead(tx, kit, lead_id, wrong.given, by, why, now, looked)
        await tell_recipients(tx, kit, request.id, lead_id, now, "corrected", list(wrong.given))
        event = RequestCarriedOut(at=now, request_id=request.id, kind="correct")
        await kit.pen.append(tx, lead_id, [event], now)
    return wrong.refused


def _right(rules: Rules, lead: Lead, name: str, text: str) -> bool:
    vertical = rules.verticals.get(lead.vertical)
    spec = vertical.fields.get(name) if vertical else None
    if spec is None or name not in lead.fields:
        return False
    try:
        return read_value(spec, text) == lead.fields[name]
    except BadInput:
        return False
