"""Lets go of a human being, and certifies it: the least proof that the law has one keep is put aside, who has their
leads is told, and the key that all else is sealed with is destroyed. All of it is one transaction.

Called where a person asked to be deleted, where an operator says so, and where a deletion list names them. What is
under way is stopped before, by an opt-out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from leadmill.consent import Proof
from leadmill.core.faults import BadInput
from leadmill.core.spans import after
from leadmill.flow.enforcing import PATIENCE, enforce_now, tell_recipients
from leadmill.flow.forgetting import check_holds, forget
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import leads_of_persons, lock_leads
from leadmill.followup import messages_of
from leadmill.identity import read_prospect
from leadmill.identity.store.contacts import contacts_held
from leadmill.market import LegState, sales_of
from leadmill.optouts import Channel, Contact, find_opt_outs
from leadmill.policy import find_suppressed
from leadmill.privacy import DeletionCertificate, RequestCarriedOut, Retained, keep_retained, retain, sign
from leadmill.runtime.checkpoints import signing_key
from leadmill.runtime.db import Tx

DEFENCE = "legal_claims"
"""The ground on which proof of consent is kept: 16 CFR 310.5(a)(8), five years; 28 USC 1658; Cal. Civ. Code
1798.105(d)(8)."""

_TERM = "5y"

SETTLED = timedelta(minutes=5)
"""How long after somebody was stopped they are deleted at the latest, unless whoever does it dies."""


class Shelved(Struct, frozen=True, kw_only=True):
    """The least proof of consent that the telemarketing rules have one keep (16 CFR 310.5(a)(8)): whose number, what
    was shown and agreed to, when, where and for whom."""

    lead_id: str
    name: str
    phone: str
    email: str
    vertical: str
    proof: Proof


async def stop_all(
    kit: Kit,
    persons: Iterable[str],
    by: str,
    channel: Channel,
    also: Iterable[Contact] = (),
    patience: float = PATIENCE,
) -> None:
    """Opt a human being out of everything, for good: what is under way ends. Again changes nothing. ``also`` are
    contact details that nobody of ours may have shown.

    Whoever has their leads is told once, that they are deleted; where that does not come to pass within
    :data:`SETTLED`, the opt-out's own job tells them that they are opted out."""
    async with kit.db.begin() as tx:
        held = {one.hash: one for each in persons for one in await contacts_held(tx, each)}
        contacts = [Contact("email" if one.kind == "email" else "phone", one.hash) for one in held.values()]
        wish = Wish(channel=channel, by=by, hashes=tuple(dict.fromkeys([*contacts, *also])))
        try:
            heard = await take_opt_outs(tx, kit, [wish], kit.clock(), SETTLED)
        except BadInput:
            return  # nobody left a way to be contacted
    # One that was heard before whoever called this died may not have been carried out yet.
    async with kit.db.begin() as tx:
        found = await find_opt_outs(tx, [one.id for one in heard if one.id])
    await enforce_now(kit, [one.id for one in found.values() if one.enforced_at is None], patience, tell=False)


async def part_with(tx: Tx, kit: Kit, person_id: str, record_id: str, by: str, now: datetime) -> DeletionCertificate:
    """Let go of a human being under a record's id; the signed certificate. Of somebody who was forgotten before it
    names no leads. Raises NotFound ``identity.person.unknown``, Conflict ``privacy.person.held``, and Transient
    ``identity.person.changed``."""
    await check_holds(tx, person_id)
    persons = (await read_prospect(tx, person_id)).persons
    ids = await leads_of_persons(tx, persons)
    await lock_leads(tx, ids)
    recalled = await recall(tx, kit.pen, ids)
    kept = [one for lead_id in ids if (one := await _shelved(tx, kit, record_id, recalled[lead_id], now)) is not None]
    await keep_retained(tx, kept)
    told = [
        notice
        for lead_id in ids
        if not recalled[lead_id].row.test
        for notice in await tell_recipients(tx, kit, record_id, lead_id, now, "deleted")
    ]
    hashes = {one.hash for each in persons for one in await contacts_held(tx, each)}
    suppressed = await find_suppressed(tx, hashes)
    gone = await forget(tx, kit, person_id, by, now)
    certificate = sign(
        DeletionCertificate(
            request_id=record_id,
            at=now,
            persons=len(gone.persons),
            leads=gone.leads,
            marks=gone.marks,
            answers=gone.answers,
            suppressed=len(suppressed),
            told=tuple(sorted({notice.recipient for notice in told})),
            retained={DEFENCE: len(kept)} if kept else {},
        ),
        await signing_key(tx, kit.pen.vault, now),
    )
    for lead_id in gone.leads:
        event = RequestCarriedOut(at=now, request_id=record_id, kind="delete", digest=certificate.digest)
        await kit.pen.append(tx, lead_id, [event], now)
    return certificate


async def _shelved(tx: Tx, kit: Kit, record_id: str, one: Recalled, now: datetime) -> Retained | None:
    """Proof of a lead's consent where somebody may have used it: who was sold, or written to. Of others nothing need be
    proven, and nothing stays."""
    proof = one.case_before().get(Proof)
    if one.lead is None or one.row.test or proof is None or proof.kind == "none":
        return None
    used = [leg.ended_at or leg.at for leg in await sales_of(tx, one.row.id) if leg.state is not LegState.CANCELLED]
    used += [each.done_at for each in await messages_of(tx, one.row.id) if each.done_at is not None]
    if not used:
        return None
    lead = one.lead
    shelved = Shelved(
        lead_id=lead.id,
        name=" ".join(part for part in (lead.text("first_name"), lead.text("last_name")) if part),
        phone=lead.text("phone") or "",
        email=lead.text("email") or "",
        vertical=lead.vertical,
        proof=proof,
    )
    plain = msgspec.json.encode(shelved)
    return retain(kit.pen.vault, kit.mint, record_id, lead.id, DEFENCE, plain, now, after(max(used), _TERM))
