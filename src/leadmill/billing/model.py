"""What billing knows: the postings a sale causes, and the events of taking one back.

Evidence of the step ``Post`` and events of the verbs; the accounts have their names in ``ledger``.
"""

from collections.abc import Iterable
from typing import ClassVar

from leadmill.core.case import Evidence
from leadmill.core.events import Event
from leadmill.core.money import Money
from leadmill.ledger.model import CASH, PAYOUTS, REVENUE, Posting, buyer_account, payable_account

__all__ = [
    "CASH",
    "PAYOUTS",
    "REVENUE",
    "Postings",
    "SaleReversed",
    "buyer_account",
    "payable_account",
]


class Postings(Evidence, frozen=True):
    """What a sale moved: each buyer's price to revenue, and the source's share of it to what the source is owed."""

    personal: ClassVar[bool] = False
    items: tuple[Posting, ...]

    def tell(self) -> Iterable[str]:
        """One sentence a posting."""
        for item in self.items:
            yield f"{item.amount} from {item.debit} to {item.credit} ({item.kind})."


class SaleReversed(Event, tag="billing.sale_reversed", frozen=True):
    """A cancelled or returned leg's money went back: ``amount`` to the buyer, ``payout`` from the source's payable."""

    sale_id: str
    buyer_id: str
    amount: Money
    payout: Money

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"{self.amount} went back to {self.buyer_id}; the source's {self.payout} was taken back."
