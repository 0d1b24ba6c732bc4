"""The station at which a lead is looked at: ``Verify``; a ping gets a ``Glance``.

Run by the runner right after ``consent``, for each lead alone, because a mail domain may have to be asked about.
Providers are heard by the station ``enrich``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import Because, because
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts.checks import USUAL, Checks, checks_of, doubted_for, stopped_for
from leadmill.facts.model import BOT, UNUSABLE, Dossier, Fact, LookedUp
from leadmill.facts.reference import Reference
from leadmill.facts.rules import find_facts
from leadmill.facts.rules.network import looked_up_facts, to_look_up

_NONE: tuple[Ask, ...] = ()


_PRESUMED = [
    Fact("phone", "to come", "unknown", "presumed", 0),
    Fact("phone.valid", True, "pass", "presumed", 0),
    Fact("email", "to come", "unknown", "presumed", 0),
    Fact("email.syntax", True, "pass", "presumed", 0),
]
"""What a ping keeps back is presumed to be in order: its post is looked at."""


class Verify:
    """Finds out what can be found out, and stops leads that nobody can reach or that their vertical does not take.

    ``checks`` are those of the verticals that have some.
    """

    name = "facts"

    def __init__(self, reference: Reference, checks: Mapping[str, Checks] | None = None) -> None:
        self._reference = reference
        self._checks = checks or {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Whether the mail domain takes mail and where the IP address is, where the lead has them."""
        lead = case[Lead]
        ask = to_look_up(lead.fields, lead.context)
        return (ask,) if ask is not None else _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the dossier; Stop where no contact detail can be used or a fact failed that the vertical stops for;
        Hold where one failed that it has a person look at."""
        lead = case[Lead]
        facts = find_facts(lead.fields, lead.context, self._reference, now)
        for answer in heard.values():
            if isinstance(answer, LookedUp):
                facts += looked_up_facts(answer.mail, answer.ip, facts, self._reference)
        dossier = Dossier(facts, now, self._reference.digest)
        checks = checks_of(self._checks, lead.vertical)
        why = stop_of(lead, dossier, checks)
        if why is not None:
            return Stop(why, (dossier,))
        doubt = doubted_for(dossier, checks)
        return Pass((dossier,)) if doubt is None else Hold(doubt, learned=(dossier,))


def stop_of(lead: Lead, dossier: Dossier, checks: Checks = USUAL) -> Because | None:
    """Why a lead of which this is known goes no further; None where it may go on."""
    failed = stopped_for(dossier, checks)
    if failed is not None:
        return failed
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
