"""The stations at which others are asked about a lead: ``Enrich``; ``Correct`` and ``EnrichAgain`` stand aside of the
walk.

``Enrich`` is run by the runner right after ``facts``, for each lead alone, because the answers come over the network.
The other two are taken by a lead when a person corrects it or has it looked at once more, whatever became of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from leadmill.capture import Lead, Vertical
from leadmill.core.case import NOTHING, Answer, Ask, Case, Evidence, Heard
from leadmill.core.faults import Permanent
from leadmill.core.verdicts import ASIDE, Hold, Pass, Stop, Verdict
from leadmill.enrich.declared import NO_ENRICHMENT, Enrichment
from leadmill.enrich.model import (
    AskedAgain,
    ChainAnswer,
    Consulted,
    CorrectAsk,
    Correction,
    Corrections,
    CorrectionsMade,
    ProviderAnswer,
    ProviderAsk,
)
from leadmill.enrich.rules import consulted, gather, plan, put_right, still_true, weigh
from leadmill.facts import (
    Checks,
    Dossier,
    LookedUp,
    LookUp,
    Reference,
    Verify,
    checks_of,
    doubted_for,
    mail_fact,
    still_seen,
    stop_of,
    to_look_up,
)

_NONE: tuple[Ask, ...] = ()


class Enrich:
    """Adds to the dossier what providers know, weighs whose word counts, and stops the lead that by what they say
    nobody can reach. Without a chain for a lead it leaves no trace."""

    name = "enrich"

    def __init__(
        self,
        enrichment: Enrichment = NO_ENRICHMENT,
        verticals: Mapping[str, Vertical] | None = None,
        reference: Reference | None = None,
        checks: Mapping[str, Checks] | None = None,
    ) -> None:
        self._enrichment = enrichment
        self._verticals = verticals or {}
        self._reference = reference
        self._checks = checks or {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """One question a chain that bears on the lead."""
        if not self._enrichment.chains:
            return _NONE
        lead = case[Lead]
        vertical = self._verticals.get(lead.vertical)
        return plan(self._enrichment, lead, case[Dossier], vertical, self._reference)

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the fuller dossier; Stop where by it no contact detail can be used or a fact failed that the
        vertical stops for; Hold where one failed anew that it has a person look at."""
        corrections = case.get(Corrections)
        if not heard and corrections is None and not self._enrichment.authority:
            return ASIDE
        answers = [answer for answer in heard.values() if isinstance(answer, ChainAnswer)]
        dossier = case[Dossier]
        fuller = weigh(gather(dossier, answers), dossier, self._enrichment, corrections)
        if not heard and fuller == dossier:
            return ASIDE
        told = consulted(answers)
        learned: tuple[Evidence, ...] = (fuller,) if told is None else (fuller, told)
        lead = case[Lead]
        checks = checks_of(self._checks, lead.vertical)
        why = stop_of(lead, fuller, checks)
        if why is not None:
            return Stop(why, learned)
        doubt = doubted_for(fuller, checks, dossier)
        return Pass(learned) if doubt is None else Hold(doubt, learned=learned)


MAIL_DOMAIN = "mail_domain"
"""The topic of a look that asks the domain name system whether the mail domain still takes mail: no provider's."""


class EnrichAgain:
    """Looks at a lead once more: asks the chains on the topics of :class:`~leadmill.enrich.model.AskedAgain`, and lets
    their answers take the place of what the same providers had said. On the topic ``mail_domain``, which must be named,
    the domain is looked up as on the walk. It decides nothing about the lead."""

    name = "enrich_again"

    def __init__(
        self, enrichment: Enrichment, verticals: Mapping[str, Vertical], reference: Reference | None = None
    ) -> None:
        self._enrichment = enrichment
        self._verticals = verticals
        self._reference = reference

    def wants(self, case: Case) -> Sequence[Ask]:
        """One question a chain that bears on the lead, on the topics asked for."""
        lead, dossier = case.get(Lead), case.get(Dossier)
        if lead is None or dossier is None:
            return _NONE
        again = case.get(AskedAgain)
        topics = again.topics if again is not None else ()
        asks: list[Ask] = list(
            plan(self._enrichment, lead, dossier, self._verticals.get(lead.vertical), self._reference, topics)
        )
        found = to_look_up(lead.fields, {}) if MAIL_DOMAIN in topics else None
        if found is not None and found.domain:
            asks.append(LookUp(found.domain))
        return asks

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the newer dossier."""
        if not heard:
            return ASIDE
        answers = [answer for answer in heard.values() if isinstance(answer, ChainAnswer)]
        dossier = case[Dossier]
        facts = gather(dossier, answers)
        for looked in heard.values():
            if isinstance(looked, LookedUp) and looked.mail is not None and looked.mail.takes is not None:
                said = mail_fact(looked.mail)
                facts = [fact for fact in facts if (fact.key, fact.source) != (said.key, said.source)] + [said]
        newer = weigh(facts, dossier, self._enrichment, case.get(Corrections))
        return Pass((newer, consulted(answers) or Consulted()))


class Correct:
    """Puts right what a person says is wrong. Where that is a field, what we find out ourselves is found out anew, and
    what providers said of the old value is gone. It decides nothing about the lead."""

    name = "correct"

    def __init__(self, verify: Verify, enrichment: Enrichment = NO_ENRICHMENT) -> None:
        self._verify = verify
        self._enrichment = enrichment

    def wants(self, case: Case) -> Sequence[Ask]:
        """What the person says."""
        return (CorrectAsk(),)

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the corrections, the corrected lead and its dossier."""
        told = heard.to(CorrectAsk(), CorrectionsMade)
        made = told.items
        lead, corrections = put_right(case[Lead], case.get(Corrections), made)
        dossier = case.get(Dossier)
        changed = [item.name for item in made if item.of == "field"]
        if changed:
            own = self._own(case, lead, told.looked, now)
            facts = [*own.facts, *still_true(dossier.facts if dossier else (), changed, self._enrichment.providers)]
            fuller = weigh(facts, own, self._enrichment, corrections)
        elif dossier is not None:
            fuller = weigh(dossier.facts, dossier, self._enrichment, corrections)
        else:
            raise Permanent("enrich.dossier.missing", "nothing was found out about this lead that could be corrected")
        return Pass((corrections, lead, fuller))

    def to_look_up(self, case: Case, made: Sequence[Correction]) -> LookUp | None:
        """What must be looked up about the lead once this is put right; None where that is nothing."""
        lead = case.get(Lead)
        if lead is None or not any(item.of == "field" for item in made):
            return None
        right, _ = put_right(lead, case.get(Corrections), made)
        asks = self._verify.wants(Case(case.lead_id, [*case.evidence(), right]))
        return next((ask for ask in asks if isinstance(ask, LookUp)), None)

    def remembered(self, case: Case, made: Sequence[Correction]) -> LookedUp | None:
        """What was looked up about the lead before and holds once this is put right; None where nothing does."""
        after, dossier = self.to_look_up(case, made), case.get(Dossier)
        if after is None or dossier is None:
            return None
        before = next((ask for ask in self._verify.wants(case) if isinstance(ask, LookUp)), None)
        return still_seen(dossier.facts, before, after)

    def _own(self, case: Case, lead: Lead, looked: LookedUp | None, now: datetime) -> Dossier:
        other = Case(case.lead_id, [*case.evidence(), lead])
        heard = NOTHING if looked is None else Heard({LookUp(): looked})
        return _dossier(self._verify.judge(other, heard, now))


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
        own = _dossier(self._verify.judge(case, NOTHING, now))
        said = [fact for answer in heard.values() if isinstance(answer, ProviderAnswer) for fact in answer.facts]
        fuller = msgspec.structs.replace(own, facts=own.facts + said)
        why = stop_of(case[Lead], fuller)
        return Stop(why, (fuller,)) if why else Pass((fuller,))


def _dossier(verdict: Verdict) -> Dossier:
    return next(item for item in verdict.learned if isinstance(item, Dossier))
