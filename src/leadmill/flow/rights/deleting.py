"""Deletes somebody who asked for it: everything under way stops, then they are parted with, and it is certified.

Called by the job that carries requests out, which may die at any moment and begin again. Stopping comes first and by
itself, as an opt-out: it is durable before anything is let go of, and again changes nothing. All the rest is one
transaction.
"""

import msgspec

from leadmill.flow.kit import Kit
from leadmill.flow.rights.parting import DEFENCE, part_with, stop_all
from leadmill.optouts import Contact
from leadmill.privacy import PrivacyAnswer, PrivacyRequest, lock_request, settle

KEPT = {
    DEFENCE: "Proof that you agreed to be contacted, sealed under a key of its own, for five years after it was last"
    " used (16 CFR 310.5; Cal. Civ. Code 1798.105(d)(8)).",
    "suppression": "Keyed hashes of your e-mail address and phone number, so that nobody contacts you again.",
    "ledger": "What was decided and paid, under numbers that lead to nobody (Cal. Civ. Code 1798.105(d)(8)).",
    "request": "This request and what was done about it, for two years (11 CCR 7101).",
}
"""What stays after a deletion, as the person reads it."""


async def stop_everything(kit: Kit, request: PrivacyRequest, persons: tuple[str, ...]) -> None:
    """Opt the person out of everything, for good: what is under way ends, whoever has them is told."""
    also = [Contact("email", request.email)] if request.email else []
    also += [Contact("phone", request.phone)] if request.phone else []
    await stop_all(kit, persons, f"request {request.id}", "web", also)


async def delete_person(kit: Kit, request_id: str, person_id: str) -> None:
    """Let go of a human being, and certify it. Raises Conflict ``privacy.person.held``."""
    async with kit.db.begin() as tx:
        request = await lock_request(tx, request_id)
        if request is None or request.state != "carrying":
            return
        now = kit.clock()
        certificate = await part_with(tx, kit, person_id, request.id, f"request {request.id}", now)
        stays = [name for name in KEPT if name != DEFENCE or certificate.retained]
        answer = PrivacyAnswer(
            request_id=request.id, kind="delete", at=now, held=True, kept=[KEPT[name] for name in stays]
        )
        moved = await settle(
            tx, kit.pen.vault, kit.mint, request, now, answer=msgspec.json.encode(answer), certificate=certificate
        )
        await kit.pen.append(tx, request.id, [moved.event], now)
