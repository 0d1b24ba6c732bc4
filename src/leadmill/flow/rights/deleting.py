"""Deletes somebody who asked for it: everything under way stops, the least proof that the law has one keep is put
aside, who has their leads is told, and the key that all else is sealed with is destroyed.

Called by the job that carries requests out, which may die at any moment and begin again. Stopping comes first and by
itself, as an opt-out: it is durable before anything is let go of, and again changes nothing. All the rest is one
transaction.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from leadmill.consent import Proof
from leadmill.core.faults import BadInput
from leadmill.flow.enforcing import enforce_now, tell_recipients
from leadmill.flow.forgetting import forget
from leadmill.flow.kit import Kit
from leadmill.flow.memory import Recalled, recall
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.rights.deciding import check_holds
from leadmill.flow.store import leads_of_persons, lock_leads
from leadmill.followup import messages_of
from leadmill.identity import read_prospect
from leadmill.identity.store.contacts import contacts_held
from leadmill.market import LegState, sales_of
from leadmill.optouts import Contact, find_opt_outs
from leadmill.policy import find_suppressed
from leadmill.policy.calendars import add_months
from leadmill.privacy import (
    Answer,
    Certificate,
    PrivacyRequest,
    RequestCarriedOut,
    Retained,
    keep_retained,
    lock_request,
    retain,
    settle,
    sign,
)
from leadmill.runtime.db import Tx

SIGNED_AS = "deletion certificate"
"""What the installation's key for certificates is derived for."""

DEFENCE = "legal_claims"
"""The ground on which proof of consent is kept: 16 CFR 310.5(a)(8), five years; 28 USC 1658; Cal. Civ. Code
1798.105(d)(8)."""

_YEARS = 5
KEPT = {
    DEFENCE: "Proof that you agreed to be contacted, sealed under a key of its own, for five years after it was last"
    " used (16 CFR 310.5; Cal. Civ. Code 1798.105(d)(8)).",
    "suppression": "Keyed hashes of your e-mail address and phone number, so that nobody contacts you again.",
    "ledger": "What was decided and paid, under numbers that lead to nobody (Cal. Civ. Code 1798.105(d)(8)).",
    "request": "This request and what was done about it, for two years (11 CCR 7101).",
}
"""What stays after a deletion, as the person reads it."""


class Shelved(Struct, frozen=True, kw_only=True):
    """The least proof of consent that the telemarketing rules have one keep (16 CFR 310.5(a)(8)): whose number, what
    was shown and agreed to, when, where and for whom."""

    lead_id: str
    name: str
    phone: str
    email: str
    vertical: str
    proof: Proof


async def stop_everything(kit: Kit, request: PrivacyRequest, persons: tuple[str, ...]) -> None:
    """Opt the person out of everything, for good: what is under way ends, whoever has them is told."""
    async with kit.db.begin() as tx:
        held = {one.hash: one for each in persons for one in await contacts_held(tx, each)}
        contacts = [Contact("email" if one.kind == "email" else "phone", one.hash) for one in held.values()]
        contacts += [Contact("email", request.email)] if request.email else []
        contacts += [Contact("phone", request.phone)] if request.phone else []
        wish = Wish(channel="web", by=f"request {request.id}", hashes=tuple(dict.fromkeys(contacts)))
        try:
            heard = await take_opt_outs(tx, kit, [wish], kit.clock())
        except BadInput:
            return  # nobody left a way to be contacted
    # One that was heard before this job died may not have been carried out yet.
    ids = [one.id for one in heard if one.id]
    async with kit.db.begin() as tx:
        found = await find_opt_outs(tx, ids)
    await enforce_now(kit, [one.id for one in found.values() if one.enforced_at is None])


async def delete_person(kit: Kit, request_id: str, person_id: str) -> None:
    """Let go of a human being, and certify it. Raises Conflict ``privacy.person.held``."""
    async with kit.db.begin() as tx:
        request = await lock_request(tx, request_id)
        if request is None or request.state != "carrying":
            return
        now = kit.clock()
        await check_holds(tx, person_id)
        persons = (await read_prospect(tx, person_id)).persons
        ids = await leads_of_persons(tx, persons)
        await lock_leads(tx, ids)
        recalled = await recall(tx, kit.pen, ids)
        kept = [one for lead_id in ids if (one := await _shelved(tx, kit, request, recalled[lead_id], now)) is not None]
        await keep_retained(tx, kept)
        told = [
            notice
            for lead_id in ids
            if not recalled[lead_id].row.test
            for notice in await tell_recipients(tx, kit, request.id, lead_id, now, "deleted")
        ]
        hashes = {one.hash for each in persons for one in await contacts_held(tx, each)}
        suppressed = await find_suppressed(tx, hashes)
        gone = await forget(tx, kit, person_id, f"request {request.id}", now)
        certificate = sign(
            Certificate(
                request_id=request.id,
                at=now,
                persons=len(gone.persons),
                leads=gone.leads,
                marks=gone.marks,
                answers=gone.answers,
                suppressed=len(suppressed),
                told=tuple(sorted({notice.recipient for notice in told})),
                retained={DEFENCE: len(kept)} if kept else {},
            ),
            kit.pen.vault.signer(SIGNED_AS),
        )
        for lead_id in gone.leads:
            event = RequestCarriedOut(at=now, request_id=request.id, kind="delete", digest=certificate.digest)
            await kit.pen.append(tx, lead_id, [event], now)
        stays = [name for name in KEPT if name != DEFENCE or kept]
        answer = Answer(request_id=request.id, kind="delete", at=now, held=True, kept=[KEPT[name] for name in stays])
        moved = await settle(
            tx, kit.pen.vault, kit.mint, request, now, answer=msgspec.json.encode(answer), certificate=certificate
        )
        await kit.pen.append(tx, request.id, [moved.event], now)


async def _shelved(tx: Tx, kit: Kit, request: PrivacyRequest, one: Recalled, now: datetime) -> Retained | None:
    """Proof of a lead's consent where somebody may have used it: who was sold, or written to. Of others nothing need be
    proven, and nothing stays."""
    proof = one.case_before().get(Proof)
    if one.lead is None or one.row.test or proof is None or proof.kind == "none":
        return None
    used = [leg.ended_at or leg.at for leg in await sales_of(tx, one.row.id) if leg.state is not LegState.CANCELLED]
    used += [each.done_at for each in await messages_of(tx, one.row.id) if each.done_at is not None]
    if not used:
        return None
    until = add_months(max(used).date(), 12 * _YEARS)
    lead = one.lead
    shelved = Shelved(
        lead_id=lead.id,
        name=" ".join(part for part in (lead.text("first_name"), lead.text("last_name")) if part),
        phone=lead.text("phone") or "",
        email=lead.text("email") or "",
        vertical=lead.vertical,
        proof=proof,
    )
    ends = now.replace(year=until.year, month=until.month, day=until.day)
    plain = msgspec.json.encode(shelved)
    return retain(kit.pen.vault, kit.mint, request.id, lead.id, DEFENCE, plain, now, ends)
