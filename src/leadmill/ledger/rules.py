"""The arithmetic of the book: pure sums over postings.

Called by the verbs of this package and by tests.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from leadmill.core.money import Money
from leadmill.ledger.model import Entry, Posting


def changes_of(postings: Iterable[Posting]) -> dict[tuple[str, str], int]:
    """What postings change, by account and currency, in minor units; they add up to nothing in each currency."""
    found: dict[tuple[str, str], int] = {}
    for item in postings:
        amount, currency = item.amount.amount, item.amount.currency
        found[item.debit, currency] = found.get((item.debit, currency), 0) - amount
        found[item.credit, currency] = found.get((item.credit, currency), 0) + amount
    return found


def entries(account: str, postings: Sequence[Posting], since: datetime | None = None) -> list[Entry]:
    """The lines of an account's statement from ``since`` on, with running balances a currency."""
    running: dict[str, int] = {}
    lines: list[Entry] = []
    for item in postings:
        currency = item.amount.currency
        change = item.amount if item.credit == account else -item.amount
        running[currency] = running.get(currency, 0) + change.amount
        if since is None or item.at >= since:
            lines.append(Entry(item, change, Money(running[currency], currency)))
    return lines
