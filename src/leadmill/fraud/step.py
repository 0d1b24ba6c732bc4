"""The station at which a lead is looked at with suspicion: ``Suspect``.

Run by the runner right after the person is known, in the shared stretch, because its ask locks what the lead is counted
by. A test lead is counted by nothing and held for nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead, Submission
from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import because
from leadmill.core.verdicts import Hold, Pass, Rule, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.fraud.marks import KeyedHash, marks_of, name_mark
from leadmill.fraud.model import REJECTED, REVIEW, Card, Raised, SightAsk, Sighted, Suspicion
from leadmill.fraud.rules import build_detector, path_of, weigh
from leadmill.identity import Identity

_NONE: tuple[Ask, ...] = ()
_TOLD = 3
"""How many signals a reason quotes; all of them stand with the suspicion."""


class Suspect:
    """Says how likely a lead is a fraud, and holds or stops it where its vertical's thresholds say so."""

    name = "fraud"

    def __init__(self, cards: Mapping[str, Card], keyed_hash: KeyedHash) -> None:
        self.cards = dict(cards)
        self._detectors = {name: build_detector(card) for name, card in self.cards.items()}
        self._clean = {name: Pass((Suspicion(card=card.digest),)) for name, card in self.cards.items()}
        self._keyed_hash = keyed_hash

    def ask_of(self, case: Case) -> SightAsk | None:
        """What is to be heard of a lead whose person is known; None for a test and for a vertical without a card."""
        lead = case[Lead]
        card = self.cards.get(lead.vertical)
        if card is None or lead.test:
            return None
        dossier, identity, submission = case[Dossier], case[Identity], case.get(Submission)
        return SightAsk(
            lead_id=lead.id,
            source_id=lead.source_id,
            vertical=lead.vertical,
            at=lead.received_at,
            card=card,
            marks=marks_of(card, lead, dossier, identity, self._keyed_hash),
            person_id=identity.person_id,
            name=name_mark(lead, dossier, self._keyed_hash),
            paced=submission is None or submission.channel != "file",
        )

    def wants(self, case: Case) -> Sequence[Ask]:
        """How often the lead's marks were seen."""
        ask = self.ask_of(case)
        return (ask,) if ask is not None else _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the suspicion; Hold for a lead that a person should look at, Stop for one to reject."""
        lead = case[Lead]
        detect = self._detectors.get(lead.vertical)
        if detect is None:
            return Pass((Suspicion(),))
        sighted = next((answer for answer in heard.values() if isinstance(answer, Sighted)), None)
        identity = case.get(Identity)
        household = identity is not None and any(tie.kind == "household" for tie in identity.household)
        raised = detect(lead, case[Dossier], case.get(Proof), sighted, household)
        if not raised:
            return self._clean[lead.vertical]
        card = self.cards[lead.vertical]
        score = weigh(raised)
        path = "pass" if lead.test else path_of(card, score)
        learned = (Suspicion(score=score, path=path, raised=raised, card=card.digest),)
        if path == "pass":
            return Pass(learned)
        rules = tuple(Rule(item.code, f"fraud signals of {lead.vertical}", item.says) for item in raised)
        says = " ".join(item.says for item in raised[:_TOLD])
        if path == "reject":
            return Stop(because(REJECTED, score=score, says=says), learned, rules)
        return Hold(because(REVIEW, score=score, says=says), learned=learned, rules=rules)


def values_of(suspicion: Suspicion) -> dict[str, int | list[str]]:
    """What predicates see of a suspicion: ``fraud.score``, and ``fraud.signals`` where there are any."""
    if not suspicion.raised:
        return {"fraud.score": 0}
    return {"fraud.score": suspicion.score, "fraud.signals": _codes(suspicion.raised)}


def _codes(raised: Sequence[Raised]) -> list[str]:
    return [item.code for item in raised]
