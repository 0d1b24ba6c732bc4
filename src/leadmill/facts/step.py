"""The station at which a lead is looked at: ``Verify``; a ping gets a ``Glance``.

Run by the runner right after ``consent``, for each lead alone. Nobody else is asked here: providers are heard by the
station ``enrich``.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.facts.model import BOT, UNUSABLE, Dossier, Fact
from leadmill.facts.reference import Reference
from leadmill.facts.rules import find_facts

_NONE: tuple[Ask, ...] = ()


_PRESUMED = [
    Fact("phone", "to come", "unknown", "presumed", 0),
    Fact("phone.valid", True, "pass", "presumed", 0),
    Fact("email", "to come", "unknown", "presumed", 0),
    Fact("email.syntax", True, "pass", "presumed", 0),
]
"""What a ping keeps back is presumed to be in order: its post is looked at."""


class Verify:
    """Finds out what can be found out and stops leads that nobody can reach or that a program sent."""

    name = "facts"

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing."""
        return _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the dossier; Stop where no contact detail can be used or a program names itself."""
        lead = case[Lead]
        dossier = Dossier(find_facts(lead.fields, lead.context, self._reference, now), now, self._reference.digest)
        why = stop_of(lead, dossier)
        return Pass((dossier,)) if why is None else Stop(why, (dossier,))


def stop_of(lead: Lead, dossier: Dossier) -> Because | None:
    """Why a lead of which this is known goes no further; None where it may go on."""
    if dossier.value("agent.bot") is True:
        return because(BOT)
    if dossier.value("email.syntax") is not True and dossier.value("phone.valid") is not True:
        return because(UNUSABLE, detail=_unusable(lead))
    return None


class Glance:
    """Finds out what can be found out about a ping, which has no contact details yet. No provider is asked: a ping
    costs nothing."""

    name = "facts"

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing."""
        return _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the dossier; Stop where a program names itself."""
        lead = case[Lead]
        facts = find_facts(lead.fields, lead.context, self._reference, now) + _PRESUMED
        dossier = Dossier(facts, now, self._reference.digest)
        return Stop(because(BOT), (dossier,)) if dossier.value("agent.bot") is True else Pass((dossier,))


def _unusable(lead: Lead) -> str:
    email = "malformed" if lead.text("email") else "missing"
    phone = "no such number" if lead.text("phone") else "missing"
    return f"e-mail: {email}, phone: {phone}"
