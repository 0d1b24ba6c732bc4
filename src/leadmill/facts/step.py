"""The station at which a lead is looked at: ``Verify``; a ping gets a ``Glance``.

Run by the runner right after mapping, for each lead alone, because providers may have to be asked over the network.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass, Stop, Verdict
from leadmill.facts.model import BOT, UNUSABLE, Consult, Dossier, Fact, ProviderAnswer, ProviderAsk
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
    """Finds out what can be found out and stops leads that nobody can reach or that a program sent.

    ``providers`` are those in use by name; there are none unless the configuration names some.
    """

    name = "facts"

    def __init__(self, reference: Reference, providers: Mapping[str, Consult] | None = None) -> None:
        self._reference = reference
        self._consults = [(name, *_wanted(consult)) for name, consult in sorted((providers or {}).items())]

    def wants(self, case: Case) -> Sequence[Ask]:
        """A question to each provider for each of its topics whose fields the lead has."""
        if not self._consults:
            return _NONE
        lead = case[Lead]
        asks: list[Ask] = []
        for name, consult, topics in self._consults:
            if consult.verticals and lead.vertical not in consult.verticals:
                continue
            if consult.sources and lead.source_id not in consult.sources:
                continue
            for topic, needs in topics:
                params = tuple((field, text) for field in needs if (text := lead.text(field)))
                if len(params) == len(needs):
                    asks.append(ProviderAsk(name, topic, params))
        return asks

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the dossier; Stop where no contact detail can be used or a program names itself."""
        lead = case[Lead]
        facts = find_facts(lead.fields, lead.context, self._reference, now)
        for answer in heard.values():
            if isinstance(answer, ProviderAnswer):
                facts += answer.facts
        dossier = Dossier(facts, now, self._reference.digest)
        if dossier.value("agent.bot") is True:
            return Stop(because(BOT), (dossier,))
        if dossier.value("email.syntax") is not True and dossier.value("phone.valid") is not True:
            return Stop(because(UNUSABLE, detail=_unusable(lead)), (dossier,))
        return Pass((dossier,))


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


def _wanted(consult: Consult) -> tuple[Consult, list[tuple[str, tuple[str, ...]]]]:
    topics = sorted(consult.provider.topics.items())
    return consult, [
        (topic, tuple(sorted(needs))) for topic, needs in topics if not consult.topics or topic in consult.topics
    ]


def _unusable(lead: Lead) -> str:
    email = "malformed" if lead.text("email") else "missing"
    phone = "no such number" if lead.text("phone") else "missing"
    return f"e-mail: {email}, phone: {phone}"
