"""The station at which others are asked about a lead: ``Enrich``.

Run by the runner right after ``facts``, for each lead alone, because the answers come over the network.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Answer, Ask, Case, Heard
from leadmill.core.verdicts import ASIDE, Pass, Stop, Verdict
from leadmill.enrich.model import Consult, ProviderAnswer, ProviderAsk
from leadmill.facts import Dossier, Verify, stop_of

_NONE: tuple[Ask, ...] = ()


class Enrich:
    """Adds to the dossier what providers know, and stops the lead that nobody can reach by what they say.

    ``providers`` are those in use by name; there are none unless the configuration names some.
    """

    name = "enrich"

    def __init__(self, providers: Mapping[str, Consult] | None = None) -> None:
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
        """Pass with the fuller dossier; Stop where by it no contact detail can be used."""
        if not heard:
            return ASIDE
        return _fuller(case[Lead], case[Dossier], heard.values())


class VerifyOfOld:
    """The station ``facts`` as it was when it heard the providers itself, for pages written then."""

    name = Verify.name

    def __init__(self, verify: Verify, heard: Sequence[Answer]) -> None:
        self._verify = verify
        self._asks = [
            ProviderAsk(answer.provider, answer.topic, ()) for answer in heard if isinstance(answer, ProviderAnswer)
        ]

    def wants(self, case: Case) -> Sequence[Ask]:
        """What was asked then."""
        return self._asks

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """One verdict on our own facts and the providers' together."""
        own = self._verify.judge(case, Heard({}), now).learned
        dossier = next(item for item in own if isinstance(item, Dossier))
        return _fuller(case[Lead], dossier, heard.values())


def _fuller(lead: Lead, dossier: Dossier, answers: Iterable[Answer]) -> Verdict:
    found = list(dossier.facts)
    for answer in answers:
        if isinstance(answer, ProviderAnswer):
            found += answer.facts
    fuller = Dossier(found, dossier.at, dossier.reference)
    because = stop_of(lead, fuller)
    return Stop(because, (fuller,)) if because else Pass((fuller,))


def _wanted(consult: Consult) -> tuple[Consult, list[tuple[str, tuple[str, ...]]]]:
    topics = sorted(consult.provider.topics.items())
    return consult, [
        (topic, tuple(sorted(needs))) for topic, needs in topics if not consult.topics or topic in consult.topics
    ]
