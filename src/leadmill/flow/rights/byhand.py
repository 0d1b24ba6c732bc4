"""Somebody is forgotten because one of ours says so, without a request of theirs.

Called by the command, the API and the person's page in the console. What is under way is stopped first, in a
transaction of its own; the rest is one.
"""

from datetime import datetime

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.forgetting import check_holds
from leadmill.flow.kit import Kit
from leadmill.flow.retaining.store import seen_of
from leadmill.flow.rights.parting import part_with, stop_all
from leadmill.flow.store import read_lead
from leadmill.identity import read_prospect
from leadmill.privacy import DeletionCertificate, PersonPartedWith
from leadmill.runtime.db import Tx

MOST_WHY = 500


async def person_of(tx: Tx, subject: str) -> str:
    """The person that is meant: by their id, or by that of a lead of theirs. Raises NotFound ``flow.lead.unknown``."""
    if not looks_like(subject, "lead"):
        return subject
    row = await read_lead(tx, subject)
    if row is None:
        raise NotFound("flow.lead.unknown", "no such lead")
    return row.person_id


async def stop_for(kit: Kit, person_id: str, by: str, opt_out: bool) -> None:
    """Stop what is under way for somebody who is about to be forgotten: they are opted out, or, where they are not to
    be, nothing may be under way.

    Raises NotFound ``identity.person.unknown``, Conflict ``privacy.person.held`` and ``privacy.person.busy``.
    """
    async with kit.db.begin() as tx:
        await check_holds(tx, person_id)
        persons = (await read_prospect(tx, person_id)).persons
        busy = any(one.busy for one in await seen_of(tx, persons))
    if opt_out:
        await stop_all(kit, persons, by, "agent")
    elif busy:
        says = "a lead of theirs is being sold or handed over: wait, or opt them out with it"
        raise Conflict("privacy.person.busy", says)


async def forget_by_hand(tx: Tx, kit: Kit, person_id: str, by: str, why: str, now: datetime) -> DeletionCertificate:
    """Let go of a human being; the signed certificate, which names no leads where they were forgotten before.

    Raises BadInput ``privacy.forget.why``, and as :func:`~leadmill.flow.rights.parting.part_with`.
    """
    said = check_why(why)
    record_id = kit.mint("fgt", now)
    certificate = await part_with(tx, kit, person_id, record_id, by, now)
    if certificate.persons:
        event = PersonPartedWith(at=now, by=by, why=said, digest=certificate.digest)
        await kit.pen.append(tx, record_id, [event], now)
    return certificate


def check_why(why: str) -> str:
    """Why somebody is forgotten, as it is written down. Raises BadInput ``privacy.forget.why``."""
    said = why.strip()
    if not said or len(said) > MOST_WHY:
        says = f"say why, in at most {MOST_WHY} characters and without naming anybody: it is kept"
        raise BadInput("privacy.forget.why", says)
    return said
