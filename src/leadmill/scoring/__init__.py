"""Scoring: what a lead is worth pursuing, with the reasons.

Decides whether a lead is sold, nurtured, looked at by a person or dropped. Takes the ``Lead`` with its ``Dossier``;
gives a ``Score`` through the step ``Rate``, by the scorecard of the vertical's pack (``read_scorecards``). ``seen`` is
the one mapping of names to values that predicates are asked of.
"""

from leadmill.scoring.model import Contribution, Path, PointsRule, ReviewRule, Score, Scorecard, Seen
from leadmill.scoring.rules import read_card, read_scorecards
from leadmill.scoring.step import Rate, seen

__all__ = [
    "Contribution",
    "Path",
    "PointsRule",
    "Rate",
    "ReviewRule",
    "Score",
    "Scorecard",
    "Seen",
    "read_card",
    "read_scorecards",
    "seen",
]
