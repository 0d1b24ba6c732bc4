"""Billing's station on the walk: what the sale moved.

Runs after the verdict, whatever it was; without a sale there is nothing to post. Each charge has leave from the law
first. An order whose price is for what may not be charged is refused when it is applied, so what comes this far
without leave is a fault: the lead waits for a person, and nothing is posted.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from leadmill.billing.model import Postings
from leadmill.billing.rules import postings_of
from leadmill.capture import Lead
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.faults import Permanent
from leadmill.core.money import Money
from leadmill.core.verdicts import Pass, Verdict
from leadmill.market import OfferedAgain, Order, Quoted, Sale
from leadmill.parties import Roster
from leadmill.policy import Engine, Permit, may_charge

_NOTHING = Pass()
_KEPT = 1_000


class Post:
    """Turns a sale into postings by the roster's terms."""

    name = "billing"

    def __init__(self, roster: Roster, orders: Mapping[str, Order] | None = None, engine: Engine | None = None) -> None:
        self._roster = roster
        self._units = {order.id: (order.vertical, order.unit) for order in (orders or {}).values()}
        self._engine = engine
        self._permits: dict[tuple[str, str, date], Permit] = {}

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the terms are on the roster."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, with the postings of the sale if there was one."""
        sale = case.get(Sale)
        if sale is None:
            return _NOTHING
        for leg in sale.legs:
            permit = self._permit(leg.order_id, now)
            if permit is not None and not permit.given:
                raise Permanent("billing.charge.unlawful", f"order {leg.order_id}: {permit.says}")
        source = self._roster.sources.get(case[Lead].source_id)
        quoted = case.get(Quoted)
        promised = quoted.quote.price if quoted is not None and quoted.quote.owed else None
        again = case.get(OfferedAgain)
        if again is not None and again.held and source is not None and source.payout and source.payout.model == "fixed":
            promised = Money(0, source.currency)  # what is fixed for the lead was earned with its first leg
        items = postings_of(sale, case.lead_id, source, now, promised)
        return Pass((Postings(items),)) if items else _NOTHING

    def _permit(self, order_id: str, now: datetime) -> Permit | None:
        """Leave to charge by what an order's price is for; the same few are asked for all day long."""
        found = self._units.get(order_id)
        if found is None or self._engine is None:
            return None
        key = (*found, now.date())
        if key not in self._permits:
            if len(self._permits) > _KEPT:
                self._permits.clear()
            self._permits[key] = may_charge(self._engine, *found, now)
        return self._permits[key]
