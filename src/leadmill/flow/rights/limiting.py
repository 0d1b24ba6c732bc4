"""Limiting: what is sensitive about somebody is used for nothing but what they asked for (Cal. Civ. Code 1798.121).

Called when such a request comes in. A limit is a suppression of its own kind: it closes no way of contact, outlives the
person's data as a keyed hash, and is looked up with the opt-outs in the same question (see ``policy``).
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.flow.enforcing import tell_recipients
from leadmill.flow.kit import Kit
from leadmill.flow.store import leads_of_persons
from leadmill.identity import read_prospect
from leadmill.identity.store.contacts import contacts_held, owners_of
from leadmill.optouts import Contact
from leadmill.policy import Suppression, limit_key, suppress
from leadmill.privacy import PrivacyRequest, RequestCarriedOut
from leadmill.runtime.db import Tx

_MOST_LEADS = 500


async def limit_contacts(
    tx: Tx, kit: Kit, request: PrivacyRequest, contacts: Sequence[Contact], now: datetime
) -> None:  # fmt: skip
    """Limit what is sensitive about whoever has these contact details, from the commit on; who has their leads is told.
    Where only one person has them, all of theirs count, as with opt-outs."""
    owners = await owners_of(tx, [one.hash for one in contacts])
    persons = {person for each in owners.values() for person in each}
    hashes = {one.hash for one in contacts}
    mine: Sequence[str] = ()
    if len(persons) == 1:
        mine = (await read_prospect(tx, persons.pop())).persons
        hashes |= {held.hash for each in mine for held in await contacts_held(tx, each)}
    hashed = kit.pen.vault.keyed_hash
    entries = [Suppression(limit_key(hashed, one), "limit", now, request.channel, request.id) for one in hashes]
    await suppress(tx, entries)
    for lead_id in (await leads_of_persons(tx, mine))[:_MOST_LEADS]:
        row = await kit.pen.lock(tx, lead_id)
        if row.test:
            continue
        await tell_recipients(tx, kit, request.id, lead_id, now, "limited")
        event = RequestCarriedOut(at=now, request_id=request.id, kind="limit")
        await kit.pen.append(tx, lead_id, [event], now)
