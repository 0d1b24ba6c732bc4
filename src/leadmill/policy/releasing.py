"""What a person has looked at: rules that held a lead, and do not hold it a second time.

Learned by the walk where a person lets a lead go on; read by the step, which then asks the law anew and still stops
what has become unlawful. Pure.
"""

from typing import ClassVar

from leadmill.core.case import Evidence
from leadmill.core.verdicts import Hold, Pass, Verdict


class Released(Evidence, frozen=True):
    """The ids of the rules on which a person has decided. Told by the event that the lead walks on, so never stored."""

    rules: tuple[str, ...]

    personal: ClassVar[bool] = False
    kept: ClassVar[bool] = False


def let_go(verdict: Verdict, released: Released | None) -> Verdict:
    """The verdict on a lead that a person lets go on: it goes as far as it is cleared where the rule that would hold it
    is one they have looked at. A Stop stays a Stop, and another rule holds it again."""
    if released is None or not isinstance(verdict, Hold) or verdict.because.detail.get("rule") not in released.rules:
        return verdict
    return Pass(verdict.learned, verdict.rules)
