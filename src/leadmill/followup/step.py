"""The station that plans whom to tell.

Runs after the market, whatever the verdict; replayed by ``flow``. Plans only: messages are written and sent by jobs.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Pass, Verdict
from leadmill.facts import Dossier
from leadmill.followup.model import Followups, Kind, PlannedMessage, Templates
from leadmill.followup.rules import message_id
from leadmill.market import Assignment, Sale
from leadmill.parties import Roster
from leadmill.policy import Clearance


class Plan:
    """Plans an acknowledgement to the person and a word to whoever got the lead, by e-mail.

    The person hears from us only once the lead is cleared with e-mail open, and at an address that can exist. The
    message is about the person's own request and advertises nothing, so it asks for no consent to marketing. A test
    lead makes nobody's mailbox ring.
    """

    name = "followup"

    def __init__(self, roster: Roster, templates: Templates) -> None:
        self._templates = templates.verticals
        self._alerted = {one.id for one in roster.buyers.values() if one.alert is not None}
        self._alerted |= {one.id for one in roster.teams.values() if one.alert is not None}
        self._reps = {f"{team.id}/{rep.id}" for team in roster.teams.values() for rep in team.reps if rep.email}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the case says it all."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, having learned the planned messages and, where the person is not written to, why."""
        lead = case.get(Lead)
        clearance = case.get(Clearance)
        if lead is None or clearance is None or lead.test:
            return Pass()
        kinds = self._templates.get(lead.vertical)
        if not kinds:
            return Pass()
        items: list[PlannedMessage] = []
        skipped: tuple[str, ...] = ()
        if "ack" in kinds:
            why = _silent(lead, case.get(Dossier), clearance)
            if why is None:
                items.append(_planned(case.lead_id, "ack", "person"))
            else:
                skipped = (f"No acknowledgement: {why}.",)
        items.extend(_planned(case.lead_id, kind, whom) for kind, whom in self._told(case) if kind in kinds)
        return Pass((Followups(tuple(items), skipped),)) if items or skipped else Pass()

    def _told(self, case: Case) -> Iterator[tuple[Kind, str]]:
        sale = case.get(Sale)
        if sale is not None:
            for leg in sale.legs:
                if leg.buyer_id in self._alerted:
                    yield "notice", leg.buyer_id
            return
        kept = case.get(Assignment)
        if kept is not None:
            rep = kept.rep if "/" in kept.rep else f"{kept.team}/{kept.rep}"
            if rep in self._reps:
                yield "alert", rep
            if kept.team in self._alerted:
                yield "notice", kept.team


def _silent(lead: Lead, dossier: Dossier | None, clearance: Clearance) -> str | None:
    """Why the person is not written to, None where it may be."""
    if not lead.fields.get("email"):
        return "there is no e-mail address"
    if dossier is not None and "fail" in (dossier.outcome("email.syntax"), dossier.outcome("email.disposable")):
        return "the e-mail address cannot be used"
    if "email" not in clearance.channels:
        return "e-mail was not cleared"
    shut = clearance.channels["email"]
    return None if shut is None else f"e-mail is closed ({shut.code})"


def _planned(lead_id: str, kind: Kind, addressee: str) -> PlannedMessage:
    digest = blake2b(f"{lead_id}\n{kind}\n{addressee}".encode(), digest_size=16).digest()
    return PlannedMessage(message_id(lead_id, int.from_bytes(digest)), kind, addressee, "email")
