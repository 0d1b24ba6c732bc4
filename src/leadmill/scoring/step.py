"""The station at which a lead is rated: ``Rate``, and what predicates see of it.

Run by the runner in the shared stretch, though it asks nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Evidence, Heard
from leadmill.core.reasons import because
from leadmill.core.verdicts import Hold, Pass, Rule, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.fraud import Suspicion
from leadmill.scoring.model import NURTURE, REJECT, REVIEW, Opinions, Score, Scorecard, Seen
from leadmill.scoring.models import Panel
from leadmill.scoring.rules import Values, compile_card, compile_paths, see

_NONE: tuple[Ask, ...] = ()
NO_PANELS: Mapping[str, Panel] = {}
"""No vertical has a model."""


def seen(case: Case) -> Seen:
    """The one mapping of names to values that predicates are asked of, here and downstream: as the step learned it, or
    made again from the lead, its dossier and its score."""
    held = case.get(Seen)
    if held is not None:
        return held
    values = see(case[Lead], case[Dossier], case.get(Suspicion))
    score = case.get(Score)
    if score is not None:
        values["score"], values["tier"] = score.points, score.band
    return Seen(values)


class Tried(Struct, frozen=True):
    """What a lead would score."""

    score: Score
    opinions: Opinions | None


class Rate:
    """Rates a lead by its vertical's scorecard or by a model that decides about it; either way the card's thresholds
    and reviews say where it goes. Without either every lead has the same middling score and is sold."""

    name = "scoring"

    def __init__(self, cards: Mapping[str, Scorecard], panels: Mapping[str, Panel] = NO_PANELS) -> None:
        self._cards = {name: _Ready(card) for name, card in cards.items()}
        self._neutral = _Ready(Scorecard(vertical=""))
        self._panels = panels

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing."""
        return _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the score for a lead to sell; Stop for one to nurture or to drop; Hold for one to look at."""
        lead = case[Lead]
        ready = self._cards.get(lead.vertical, self._neutral)
        card = ready.card
        values = see(lead, case[Dossier], case.get(Suspicion), ready.ages)
        score, opinions = self._score(lead.vertical, lead.id, values, now)
        learned: tuple[Evidence, ...] = (score, Seen(values))
        if opinions is not None:
            learned = (score, opinions, Seen(values))
        if score.path in _SOLD:
            return Pass(learned)
        if score.path == "review":
            rules = tuple(
                Rule(rule.id, f"scorecard {card.vertical} version {card.version}", rule.says)
                for rule in card.review
                if rule.id in score.review
            )
            return Hold(because(REVIEW, says=" ".join(rule.says for rule in rules)), learned=learned, rules=rules)
        if score.path == "nurture":
            return Stop(because(NURTURE, points=score.points, sell_from=card.sell_from), learned)
        return Stop(because(REJECT, points=score.points, nurture_from=card.nurture_from), learned)

    def _score(self, vertical: str, lead_id: str, values: Values, now: datetime) -> tuple[Score, Opinions | None]:
        ready, panel = self._cards.get(vertical, self._neutral), self._panels.get(vertical)
        if panel is None:
            return ready.rate(values, now), None
        decided, opinions = panel.rate(lead_id, values, now, ready.finish)
        return decided if decided is not None else ready.rate(values, now), opinions

    def seen_of(self, case: Case) -> Values:
        """What is seen of a lead to rate it by."""
        lead = case[Lead]
        ages = self._cards.get(lead.vertical, self._neutral).ages
        return see(lead, case[Dossier], case.get(Suspicion), ages)

    def try_on(self, vertical: str, lead_id: str, values: Values, now: datetime) -> Tried:
        """What a lead would score of which this is seen; nothing is kept."""
        return Tried(*self._score(vertical, lead_id, {**values}, now))


class _Ready:
    """A card ready to rate."""

    __slots__ = ("ages", "card", "finish", "rate")

    def __init__(self, card: Scorecard) -> None:
        self.card = card
        self.ages = card.ages
        self.rate = compile_card(card)
        self.finish = compile_paths(card)


_SOLD = frozenset({"sell", "sales"})
