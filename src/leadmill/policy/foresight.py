"""The clearance a ping would get if its post brings what a post must bring.

Built by ``flow`` for pings. Nobody can have agreed yet to a company that is named only in the answer to the ping, so
recipients are judged on everything but consent and the person's opt-outs: licences, contracts, vetting, the law of
the lead's state. It clears nothing for sale: the post is judged by ``Clear`` like any other lead. What the ping itself
carries is judged here: there are fields that may move no price, and data that may not be shared.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import structs

from leadmill.capture import Lead
from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.reasons import because
from leadmill.core.verdicts import Hold, Stop, Verdict
from leadmill.policy.leave import cited
from leadmill.policy.model import CHANNELS, DENIED, REVIEW, SuppressionFound
from leadmill.policy.step import Clear
from leadmill.policy.traits import Traits

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
        """Pass with the clearance to expect; stop or hold where the ping may not be shared, or no consent would
        help."""
        return self.decide(case, _PRESUMED, _NOBODY_OPTED_OUT, now)

    def look(self, case: Case, proof: Proof, found: SuppressionFound, now: datetime) -> Traits:
        """The traits of the post to come: whatever a person can agree to is agreed to."""
        traits = super().look(case, proof, found, now)
        fields = tuple(sorted(name for name, value in case[Lead].fields.items() if value not in (None, "", [])))
        return structs.replace(
            traits, fields=fields, agreed=traits.sensitive, noticed=True, permitted=True, certified=None
        )

    def _decide(self, traits: Traits) -> Verdict:
        finding = self._counsel.ping(traits, traits.fields or ())
        if finding is None:
            return super()._decide(traits)
        if finding.decision == "deny":
            return Stop(because(DENIED, says=finding.says, rule=finding.ids[0]), rules=cited([finding]))
        return Hold(because(REVIEW, says=finding.says, rule=finding.ids[0]), rules=cited([finding]))

    def named(self, proof: Proof) -> frozenset[str]:
        """Every buyer: whoever is quoted is to be named."""
        return frozenset(self.names)
