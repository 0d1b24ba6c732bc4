"""Whether a message may go out now, asked in the transaction that claims it.

Called by the job that sends messages. What is told to our own people and to recipients is no contact with the person,
and needs no leave.
"""

from datetime import datetime, timedelta

from leadmill.capture import Lead
from leadmill.consent import Proof
from leadmill.facts import read_phone
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall_one
from leadmill.flow.model import LeadRow
from leadmill.flow.pipeline import demands
from leadmill.flow.store import leads_of_persons
from leadmill.followup import Sending, sent_lately
from leadmill.policy import Message, Permit, SuppressionAsk, Way, hear_suppressions, may_message
from leadmill.runtime.db import Tx

_WAYS: dict[str, Way] = {"email": "email", "text": "text", "sms": "text", "call": "call", "voice": "call"}
"""Messengers by the way of contact that they are; any other is held to what an e-mail is."""

_DAY = timedelta(hours=24)


async def ask_leave(tx: Tx, kit: Kit, row: LeadRow, lead: Lead, sending: Sending, link: bool, now: datetime) -> Permit:
    """Leave for a message about a lead, or why not. ``link`` says that it carries a way to unsubscribe."""
    if sending.kind != "ack":
        return Permit("allow", "")
    rules = kit.walk().rules
    way = _WAYS.get(sending.messenger, "email")
    before = await sent_lately(tx, await leads_of_persons(tx, [row.person_id]), now - _DAY) if way != "email" else []
    message = Message(
        way=way,
        vertical=lead.vertical,
        state=lead.text("state"),
        zip_code=lead.text("zip"),
        phone=_phone(lead),
        proof=(await recall_one(tx, kit.pen, lead.id)).case_before().get(Proof) if way != "email" else None,
        before=tuple((at, _WAYS[name]) for at, name in before if name in _WAYS),
        link=link,
    )
    if message.phone is not None and way != "email":
        ask = SuppressionAsk(phone=kit.pen.vault.keyed_hash("phone", message.phone))
        found = (await hear_suppressions(tx, [ask]))(ask)
        message = Message(**{name: getattr(message, name) for name in message.__struct_fields__} | {"found": found})
    return may_message(rules.engine, message, now, frozenset(demands(rules).get(lead.vertical, ())))


def _phone(lead: Lead) -> str | None:
    number = lead.text("phone")
    found = read_phone(number, lead.text("country") or "US") if number is not None else None
    return found.e164 if found is not None else None
