"""Training on our own leads: from the journal to a model, once or by schedule.

Takes a vertical and a target; gives a model made by another process, with what its rows were, compared with the model
in use. Decides nothing about leads: a model that was made so is a candidate or a shadow until a person places it.
"""

from leadmill.flow.training.apart import apart
from leadmill.flow.training.model import Learned, Task, Trained, Trainer, Wanted
from leadmill.flow.training.own import learned, sweep_rooms
from leadmill.flow.training.scheduled import PATIENT, RETRAIN, make_retraining, plan_retraining

__all__ = [
    "PATIENT",
    "RETRAIN",
    "Learned",
    "Task",
    "Trained",
    "Trainer",
    "Wanted",
    "apart",
    "learned",
    "make_retraining",
    "plan_retraining",
    "sweep_rooms",
]
