"""A person after one of their leads was put right: known by what it says now.

Called by ``aside`` in the transaction of the correction.
"""

from datetime import datetime

from leadmill.capture import Lead, Matching
from leadmill.core.case import Case
from leadmill.facts import Dossier
from leadmill.flow.kit import Kit
from leadmill.flow.memory import recall
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.identity import Identity, Move, Traits, move_person, traits_of
from leadmill.runtime.db import Tx

_MOST_LEADS = 50
"""Leads of one person that are looked through for what they are known by."""


async def known_anew(tx: Tx, kit: Kit, case: Case, before: Traits, now: datetime) -> list[str]:
    """Let the person of a corrected lead be known by what it shows now instead of ``before``; who else has what is new
    of it. A lead whose person nobody has looked for yet is left alone: it brings what it says when it walks on."""
    identity, lead = case.get(Identity), case[Lead]
    after = traits_of(lead, case[Dossier])
    if identity is None or after == before:
        return []
    vertical = kit.walk().rules.verticals.get(lead.vertical)
    rows, _ = await list_leads(tx, LeadFilter(person_id=identity.person_id), limit=_MOST_LEADS)
    others = await recall(tx, kit.pen, [row.id for row in rows if row.id != lead.id])
    shown = [_traits(each.case_before()) for each in others.values() if each.lead is not None]
    move = Move(
        person_id=identity.person_id,
        lead_id=lead.id,
        before=before,
        after=after,
        others=tuple(each for each in shown if each is not None),
        matching=vertical.matching if vertical is not None else Matching(),
    )
    return await move_person(tx, kit.pen.vault, kit.pen.keys, move, now)


def _traits(case: Case) -> Traits | None:
    lead, dossier = case.get(Lead), case.get(Dossier)
    return traits_of(lead, dossier) if lead is not None and dossier is not None else None
