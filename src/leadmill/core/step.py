"""The shape of a station on a lead's walk.

Implemented by the ``step`` module of each package, run by ``flow``, replayed by ``flow``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Verdict


class Step(Protocol):
    """One station of the walk. Both methods are pure: the same case, answers and moment give the same verdict."""

    @property
    def name(self) -> str:
        """The station's name in the biography: the package's, with a verb where it has several."""
        ...

    def wants(self, case: Case) -> Sequence[Ask]:
        """What the step must hear before it can judge; often nothing."""
        ...

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """The verdict on what was heard, ``now`` being the moment of the decision (UTC)."""
        ...
