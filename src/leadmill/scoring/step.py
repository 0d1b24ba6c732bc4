"""The station at which a lead is rated: ``Rate``, and what predicates see of it.

Run by the runner in the shared stretch, though it asks nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import because
from leadmill.core.verdicts import Hold, Pass, Rule, Stop, Verdict
from leadmill.facts import Dossier
from leadmill.fraud import Suspicion
from leadmill.scoring.model import NURTURE, REJECT, REVIEW, Score, Scorecard, Seen
from leadmill.scoring.rules import compile_card, see

_NONE: tuple[Ask, ...] = ()


def seen(case: Case) -> Seen:
    """The one mapping of names to values that predicates are asked of, here and downstream: as the step learned it, or
    made again from the lead, its dossier and its score."""
    held = case.get(Seen)
    if held is not None:
        return held
    values = see(case[Lead], case[Dossier], case.get(Suspicion))
    score = case.get(Score)
    if score is not None:
        values["score"] = score.points
    return Seen(values)


class Rate:
    """Rates a lead by its vertical's scorecard. Without one every lead has the same middling score and is sold."""

    name = "scoring"

    def __init__(self, cards: Mapping[str, Scorecard]) -> None:
        self._cards = {name: (card, compile_card(card)) for name, card in cards.items()}
        neutral = Scorecard(vertical="")
        self._neutral = neutral, compile_card(neutral)

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing."""
        return _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the score for a lead to sell; Stop for one to nurture or to drop; Hold for one to look at."""
        lead = case[Lead]
        card, rate = self._cards.get(lead.vertical, self._neutral)
        values = see(lead, case[Dossier], case.get(Suspicion))
        score = rate(values, now)
        learned = (score, Seen(values))
        if score.path == "sell":
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
