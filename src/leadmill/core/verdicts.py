"""What a step may answer: go on, wait, or stop.

Given by every pipeline step, acted on by the runner alone.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.reasons import Because


class Rule(Struct, frozen=True):
    """A rule that spoke for a verdict: its id, where it is written (a citation), and what it said."""

    id: str
    citation: str = ""
    says: str = ""


class Pass(Struct, frozen=True, tag="pass"):
    """Go on, having learned this."""

    learned: tuple[Evidence, ...] = ()
    rules: tuple[Rule, ...] = ()


ASIDE = Pass()
"""Given by a station that has no part in a lead and asked nothing of it: it leaves no trace on the lead's page."""


class Hold(Struct, frozen=True, tag="hold"):
    """Wait: for a moment (``until``) or, where that is None, for a person. ``learned`` is kept."""

    because: Because
    until: datetime | None = None
    learned: tuple[Evidence, ...] = ()
    rules: tuple[Rule, ...] = ()


class Stop(Struct, frozen=True, tag="stop"):
    """The walk ends here; the reason's state is the lead's. ``learned`` is kept."""

    because: Because
    learned: tuple[Evidence, ...] = ()
    rules: tuple[Rule, ...] = ()


Verdict = Pass | Hold | Stop


def named(verdict: Verdict) -> str:
    """``pass``, ``hold`` or ``stop``."""
    config: Any = verdict.__struct_config__
    return str(config.tag)
