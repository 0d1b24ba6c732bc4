"""How other scorecards or models would have rated recorded leads: which paths, bands and rules change.

Called by ``whatif`` for each lead that it decides anew. What comes of it in money is the what-if's own sums.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from leadmill.core.case import Answer, Ask
from leadmill.flow.kit import Ears
from leadmill.flow.memory import Chapter
from leadmill.overlap import KnownAsk
from leadmill.policy import SuppressionAsk
from leadmill.runtime.db import Tx
from leadmill.scoring import Score

_ASKED = (SuppressionAsk, KnownAsk)
"""What may be asked again of a lead that comes farther than it did: who must not have it, as it stands today."""


class Moved(Struct):
    """What one rule does otherwise: for how many leads, and how many points in all."""

    leads: int = 0
    points: int = 0


class Rerated(Struct):
    """How scores would change. ``rated`` leads were rated then and now, ``changed`` of them have other points;
    ``paths`` and ``bands`` count leads by ``from→to``, ``rules`` say what moved them. ``farther`` counts leads that
    would come farther than they did: what they meet there is as it stands today."""

    rated: int = 0
    changed: int = 0
    farther: int = 0
    paths: dict[str, int] = {}
    bands: dict[str, int] = {}
    rules: dict[str, Moved] = {}

    def note(self, was: Score | None, now: Score | None) -> None:
        """Count one lead."""
        if was is None or now is None:
            return
        self.rated += 1
        if was.path != now.path:
            _count(self.paths, f"{was.path}→{now.path}")
        if was.band != now.band:
            _count(self.bands, f"{was.band}→{now.band}")
        before, after = _by_rule(was), _by_rule(now)
        for rule in before.keys() | after.keys():
            more = after.get(rule, 0) - before.get(rule, 0)
            if more:
                moved = self.rules.setdefault(rule, Moved())
                moved.leads += 1
                moved.points += more
        self.changed += was.points != now.points


def _count(counts: dict[str, int], what: str) -> None:
    counts[what] = counts.get(what, 0) + 1


def _by_rule(score: Score) -> dict[str, int]:
    found = {"start": score.start}
    for item in score.contributions:
        found[item.rule] = found.get(item.rule, 0) + item.points
    return found


def score_of(chapters: Sequence[Chapter]) -> Score | None:
    """The score that a lead got in these chapters, the last where it got several."""
    found = None
    for chapter in chapters:
        for station in chapter.stations:
            found = next((item for item in station.learned if isinstance(item, Score)), found)
    return found


async def hear_today(tx: Tx, ears: Ears, asks: Sequence[Ask]) -> Mapping[Ask, Answer]:
    """Today's answers to questions that were never asked of a lead, since it did not come so far; none where one of
    them is of a kind that only its own time could answer."""
    if not asks or not all(isinstance(ask, _ASKED) for ask in asks):
        return {}
    answers: dict[Ask, Answer] = {}
    for kind in dict.fromkeys(type(ask) for ask in asks):
        same = [ask for ask in asks if type(ask) is kind]
        answer = await ears.listeners[kind](tx, same)
        answers |= {ask: answer(ask) for ask in same}
    return answers
