"""Scoring: what a lead is worth pursuing, with the reasons.

Decides whether a lead is sold, nurtured, looked at by a person or dropped. Takes the ``Lead`` with its ``Dossier``;
gives a ``Score`` through the step ``Rate``, by the scorecard of the vertical's pack.
"""

from leadmill.scoring.model import Contribution, Path, Score, Seen

__all__ = ["Contribution", "Path", "Score", "Seen"]
