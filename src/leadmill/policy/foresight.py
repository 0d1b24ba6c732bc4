"""The clearance a ping would get if its post brings what a post must bring.

Built by ``flow`` for pings. Nobody can have agreed yet to a company that is named only in the answer to the ping, so
recipients are judged on everything but consent and the person's opt-outs: licences, contracts, vetting, the law of
the lead's state. It clears nothing for sale: the post is judged by ``Clear`` like any other lead.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.verdicts import Verdict
from leadmill.policy.model import CHANNELS, SuppressionFound
from leadmill.policy.step import Clear

_PRESUMED = Proof(
    kind="written",
    text="Agreeing is not a condition of any purchase.",
    channels=list(CHANNELS),
    box_default="unchecked",
)
_NOBODY_OPTED_OUT = SuppressionFound()


class Foresee(Clear):
    """Judges a ping as ``Clear`` will judge its post, with consent in order and every recipient named in it."""

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: a ping names no person who could have opted out."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the clearance to expect; stop or hold where no consent would help."""
        return self.decide(case, _PRESUMED, _NOBODY_OPTED_OUT, now)

    def named(self, proof: Proof) -> frozenset[str]:
        """Every buyer: whoever is quoted is to be named."""
        return frozenset(self.names)
