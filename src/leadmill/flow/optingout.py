"""Somebody opts out: whose it is, and what is closed by it.

``take_opt_outs`` is called by every door an opt-out comes through, and by the reactions where a recipient reports one.
It makes the suppression durable and owes a job; ``enforcing`` carries it out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from leadmill.core.events import Event
from leadmill.core.faults import BadInput, NotFound
from leadmill.flow.kit import Kit
from leadmill.flow.memory import open_row
from leadmill.flow.model import LeadRow
from leadmill.flow.store import read_lead
from leadmill.identity.service import load_keys
from leadmill.identity.store.contacts import contacts_held, owners_of
from leadmill.optouts import (
    KINDS,
    Channel,
    Contact,
    Heard,
    OptOut,
    Saying,
    Scope,
    contact_or_fault,
    contacts_of,
    hear_opt_outs,
    within,
)
from leadmill.outcomes import Disposition, OutcomeCorrected, OutcomeReported
from leadmill.policy import sale_key
from leadmill.runtime.db import Tx


class Wish(Struct, frozen=True, kw_only=True):
    """An opt-out as somebody brings it: contact details or a lead of the person. ``words`` are the person's own,
    ``verdict`` how they were read; ``hashes`` stand for contact details that are known as hashes alone. ``place`` is
    where it stands in a body, for what is said of mistakes in it."""

    channel: Channel
    by: str
    scope: Scope = "all"
    email: str | None = None
    phone: str | None = None
    lead_id: str | None = None
    hashes: tuple[Contact, ...] = ()
    at: datetime | None = None
    words: str | None = None
    verdict: str | None = None
    doubtful: bool = False
    place: str = ""


async def take_opt_outs(
    tx: Tx, kit: Kit, wishes: Sequence[Wish], now: datetime, waits: timedelta = timedelta()
) -> list[Heard]:
    """Hear opt-outs; they count from the commit on. Where it is certain who opts out, all their contact details within
    the scope are closed: a phone that several persons share closes itself alone. An opt-out of sale is kept under keys
    of its own, and closes no way of contact. The job that stops what is under way ``waits`` where whoever calls does it
    at once.

    Raises BadInput ``optouts.contact.malformed`` and ``optouts.contact.missing``, NotFound ``flow.lead.unknown``.
    """
    return await hear_opt_outs(tx, kit.mint, [await _saying(tx, kit, wish, now) for wish in wishes], now, waits)


async def _saying(tx: Tx, kit: Kit, wish: Wish, now: datetime) -> Saying:
    hashed = kit.pen.vault.keyed_hash
    given = [
        contact_or_fault(hashed, text, f"{wish.place}/{name}")
        for name, text in (("email", wish.email), ("phone", wish.phone))
        if text
    ]
    given += wish.hashes
    person_id: str | None = None
    if wish.lead_id is not None:
        row = await read_lead(tx, wish.lead_id)
        if row is None:
            raise NotFound("flow.lead.unknown", "no such lead")
        lead = await open_row(tx, kit.pen, row)
        person_id = row.person_id
        given += contacts_of(hashed, lead.fields) if lead is not None else []
    elif given:
        person_id = await _only_owner(tx, given)
    if person_id is not None:
        given += [
            Contact("email" if one.kind == "email" else "phone", one.hash) for one in await contacts_held(tx, person_id)
        ]
    contacts = within(wish.scope, given)
    if not contacts:
        kinds = " or ".join(_NAMED[kind] for kind in KINDS[wish.scope])
        raise BadInput("optouts.contact.missing", f"name {kinds}, or a lead that has one")
    if wish.scope == "sale":
        contacts = [Contact("sale", sale_key(hashed, one.hash)) for one in contacts]
    opt_out_id = kit.mint("opt", now)
    return Saying(
        opt_out_id=opt_out_id,
        contacts=tuple(contacts),
        scope=wish.scope,
        channel=wish.channel,
        by=wish.by,
        at=min(wish.at, now) if wish.at is not None else now,
        person_id=person_id,
        lead_id=wish.lead_id,
        words=await _sealed(tx, kit, opt_out_id, person_id, wish.words),
        verdict=wish.verdict,
        doubtful=wish.doubtful,
    )


_NAMED = {"email": "an e-mail address", "phone": "a phone number"}


async def _only_owner(tx: Tx, contacts: Sequence[Contact]) -> str | None:
    """The one person whose all of these are; None where nobody's, or shared, since nobody can tell who spoke."""
    owners = await owners_of(tx, [one.hash for one in contacts])
    persons = {person for each in owners.values() for person in each}
    return persons.pop() if len(persons) == 1 else None


async def _sealed(tx: Tx, kit: Kit, opt_out_id: str, person_id: str | None, words: str | None) -> bytes | None:
    """Somebody's words under their key; nothing where nobody is known whose key it would be."""
    if not words or person_id is None:
        return None
    await load_keys(tx, kit.pen.vault, kit.pen.keys, [person_id])
    if not kit.pen.keys.has(person_id):
        return None
    return kit.pen.vault.seal(kit.pen.keys.of(person_id), words.encode("utf-8", "replace"), opt_out_id)


async def open_words(tx: Tx, kit: Kit, one: OptOut) -> str | None:
    """The person's own words; None where there are none, or the person was forgotten."""
    if one.words is None or one.person_id is None:
        return None
    await load_keys(tx, kit.pen.vault, kit.pen.keys, [one.person_id])
    if not kit.pen.keys.has(one.person_id):
        return None
    return kit.pen.vault.open(kit.pen.keys.of(one.person_id), one.words, one.id).decode()


async def heed_wishes(tx: Tx, kit: Kit, row: LeadRow, events: Sequence[Event], now: datetime) -> None:
    """Take a recipient's report that the person wants no contact for what it is: an opt-out, told to an agent. A lead
    without contact details, and a test, has nobody to opt out."""
    for event in events:
        if not isinstance(event, OutcomeReported | OutcomeCorrected) or row.test:
            continue
        if event.disposition != Disposition.DO_NOT_CONTACT.value or not kit.pen.keys.has(row.person_id):
            continue
        wish = Wish(channel="agent", by=f"report of {event.reporter}", lead_id=row.id, at=event.happened_at)
        try:
            await take_opt_outs(tx, kit, [wish], now)
        except BadInput:
            continue
