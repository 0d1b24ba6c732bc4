"""What a source earns from what its leads bring: reading the terms, and the arithmetic.

Called by ``rules`` for the ``payout`` of a ``[[source]]`` table, by the market before a sale and by billing after it,
so that both count alike.
"""

from decimal import Decimal

from leadmill.core.money import Money
from leadmill.core.reading import Table
from leadmill.parties.model import Payout


def read_payout(table: Table, currency: str) -> Payout | None:
    """``payout``: a share of each sold leg, a fixed amount a sold lead, or each leg's price less our margin."""
    if not table.has("payout"):
        return None
    inner = Table(table.value("payout"), f"{table.where}, payout")
    model = inner.choice("model", ("share", "fixed", "margin"))
    if model == "share":
        payout = Payout("share", rate=inner.rate("rate"))
    elif model == "fixed":
        payout = Payout("fixed", amount=inner.money("amount", currency))
    else:
        if not inner.has("rate") and not inner.has("amount"):
            inner.refuse("say what stays here: a rate, an amount, or both")
        rate = inner.rate("rate") if inner.has("rate") else Decimal(0)
        payout = Payout("margin", rate=rate, amount=inner.money("amount", currency) if inner.has("amount") else None)
    inner.close()
    return payout


def earned(payout: Payout, price: Money) -> Money:
    """What one leg at this price earns its source; nothing under a payout that is fixed for the whole lead.

    Of a margin the larger of its rate and its amount stays here, and the source gets the rest, never less than
    nothing. Rates round half to even, once.
    """
    if payout.model == "share":
        return price.times(payout.rate) if payout.rate is not None else Money(0, price.currency)
    if payout.model == "fixed":
        return Money(0, price.currency)
    kept = price.times(payout.rate or Decimal(0)).amount
    least = payout.amount.amount if payout.amount is not None else 0
    return Money(max(0, price.amount - max(kept, least)), price.currency)
