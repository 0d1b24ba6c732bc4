"""Billing's station on the walk: what the sale moved.

Runs after the verdict, whatever it was; without a sale there is nothing to post.
"""

from collections.abc import Sequence
from datetime import datetime

from leadmill.billing.model import Postings
from leadmill.billing.rules import postings_of
from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.money import Money
from leadmill.core.verdicts import Pass, Verdict
from leadmill.market import OfferedAgain, Quoted, Sale
from leadmill.parties import Roster

_NOTHING = Pass()


class Post:
    """Turns a sale into postings by the roster's terms."""

    name = "billing"

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the terms are on the roster."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, with the postings of the sale if there was one."""
        sale = case.get(Sale)
        if sale is None:
            return _NOTHING
        source = self._roster.sources.get(case[Lead].source_id)
        quoted = case.get(Quoted)
        promised = quoted.quote.price if quoted is not None and quoted.quote.owed else None
        again = case.get(OfferedAgain)
        if again is not None and again.held and source is not None and source.payout and source.payout.model == "fixed":
            promised = Money(0, source.currency)  # what is fixed for the lead was earned with its first leg
        items = postings_of(sale, case.lead_id, source, now, promised)
        return Pass((Postings(items),)) if items else _NOTHING
