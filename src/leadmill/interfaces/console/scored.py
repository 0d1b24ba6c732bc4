"""A lead's score as its page tells it: the points and what gave them, what spoke against it, what other models said.

Pure. Called by :mod:`leadmill.interfaces.console.lead`; sentences are the score's own.
"""

from collections.abc import Mapping
from typing import Any

from leadmill.core.case import Evidence
from leadmill.scoring import Opinion, Opinions, Score

_SHOWN = 6
_GOES = {
    "sell": "sold",
    "sales": "to our own sales team at once",
    "nurture": "kept for later",
    "review": "looked at by a person",
    "reject": "rejected",
}
_FORESEES = {
    "conversion": "to convert",
    "bad": "to be bad",
    "acceptance": "to be taken",
    "review": "to be called bad by the desk",
}


def score_shown(evidence: Mapping[type[Evidence], Evidence], vertical: str) -> dict[str, Any] | None:
    """The latest score of a lead; None where it was never rated."""
    score, opinions = evidence.get(Score), evidence.get(Opinions)
    if not isinstance(score, Score):
        return None
    told = opinions if isinstance(opinions, Opinions) else Opinions([])
    ordered = sorted(score.contributions, key=lambda each: -abs(each.points))
    lines = [{"points": f"{each.points:+d}", "says": each.says, "for": each.points > 0} for each in ordered]
    decided = told.said[0] if told.decided and told.said else None
    return {
        "points": score.points,
        "tier": score.band,
        "goes": _GOES.get(score.path, score.path),
        "start": score.start,
        "lines": lines[:_SHOWN],
        "more": lines[_SHOWN:],
        "vertical": vertical,
        "model": decided.model if decided else "",
        "chance": f"{decided.probability:.1%}" if decided else "",
        "adverse": decided.adverse if decided else _against(score),
        "heard": [_heard(each, vertical) for each in told.said if each is not decided]
        + [
            {
                "model": each.model,
                "href": f"/scores/{vertical}/models/{each.model}",
                "state": each.state,
                "says": f"{each.probability:.1%} likely {_FORESEES.get(each.foresees, each.foresees)}",
            }
            for each in told.foreseen
        ],
    }


def _against(score: Score) -> list[str]:
    """Of a card: the rules that took points."""
    taken = sorted((each for each in score.contributions if each.points < 0), key=lambda each: each.points)
    return [each.says for each in taken[:4]]


def _heard(each: Opinion, vertical: str) -> dict[str, str]:
    return {
        "model": each.model,
        "href": f"/scores/{vertical}/models/{each.model}",
        "state": each.state,
        "says": f"{each.probability:.1%} likely, {each.points} points",
    }
