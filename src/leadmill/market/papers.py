"""What recipients require of a lead beside its fields: a certificate of consent that its vendor stands by.

Asked by the auction and, before anybody bids, by the station that asks for bids. A ping has no certificate yet: it is
quoted as if it had, and its post is held to it. Pure.
"""

from datetime import datetime

from leadmill.certificates import certificates_of, lacking, wanted_of
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.core.reasons import Because, because, declare
from leadmill.market.orderbook.lines import Line

UNCERTIFIED = declare("market.order.uncertified", "It wants {wanted}: {lacks}.")


class Papers:
    """A lead's certificates, looked at once for all who require one."""

    __slots__ = ("_certificates", "_now")

    def __init__(self, case: Case, now: datetime) -> None:
        self._now = now
        self._certificates = certificates_of(case) if Proof in case else None

    def lacks(self, line: Line) -> Because | None:
        """Why the lead is not what this order, or its buyer, requires; None where it is."""
        if self._certificates is None:
            return None
        for required in line.requires:
            why = lacking(required, self._certificates, self._now)
            if why is not None:
                return because(UNCERTIFIED, wanted=wanted_of(required), lacks=why)
        return None
