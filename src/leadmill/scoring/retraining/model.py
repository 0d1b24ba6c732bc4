"""When models are trained again by themselves, and what came of it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.scoring.labels import Target

KIND = "retrain"
"""The kind of the records."""

Standing = Literal["candidate", "shadow", "unfair", "refused"]
"""``candidate``, ``shadow``: a model was made and has this place. ``unfair``: one was made that does not treat groups
within the limits; it is a candidate that may not decide. ``refused``: none was made, for want of leads, say."""


class Retrain(Struct, frozen=True, kw_only=True):
    """How often a model of a vertical and a target is trained again: every ``every``, if there are ``least_new`` leads
    whose label has become known since; sooner, a day after the last time at the earliest, where an alert says that the
    leads drift (``after_drift``). Settings are tried for ``budget_s`` seconds, or ``tries`` of them. The model becomes
    what ``place`` says. ``exclude`` are columns that are not learned from, ``keep`` those that are although suspected,
    ``monotone`` those of which more never scores lower (``+``) or higher (``-``)."""

    id: str
    vertical: str
    target: Target = "converted"
    every: str = "30d"
    least_new: int = 200
    horizon: int = 60
    budget_s: int = 120
    tries: int | None = None
    place: Literal["candidate", "shadow"] = "candidate"
    after_drift: bool = True
    retired: bool = False
    why: str = ""
    exclude: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    monotone: dict[str, Literal["+", "-"]] = {}


class Run(Struct, frozen=True, kw_only=True):
    """One time that a model was trained by schedule. ``retrain`` is the record's id, ``model`` and ``digest`` what was
    made (nothing where it was refused), ``labelled`` the leads with a label, ``says`` how good it is beside the model
    in use, or why there is none."""

    id: str
    retrain: str
    vertical: str
    target: Target
    at: datetime
    standing: Standing
    says: str
    model: str = ""
    digest: str = ""
    labelled: int = 0
