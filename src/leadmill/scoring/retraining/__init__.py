"""Training again by schedule: how often a house wants it, and what came of each time.

Decides when a model is due to be trained from our own leads. Takes the ``[[retrain]]`` records and what came before;
gives whether it is time. What is trained so is a candidate or a shadow, never more: a person places it.
"""

from leadmill.scoring.retraining.model import KIND, Retrain, Run, Standing
from leadmill.scoring.retraining.rules import due, model_id, new_from, outlived, read_retrain
from leadmill.scoring.retraining.store import keep_run, last_run, runs_by, runs_of

__all__ = [
    "KIND",
    "Retrain",
    "Run",
    "Standing",
    "due",
    "keep_run",
    "last_run",
    "model_id",
    "new_from",
    "outlived",
    "read_retrain",
    "runs_by",
    "runs_of",
]
