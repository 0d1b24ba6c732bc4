"""Shares of limits: what one process may sell of a cap or of a buyer's money without asking the others.

Kept by ``Counters``, one pool a process, used by the cap book. A share is taken from the shared counter while a group
holds its lock anyway, counted there as if it were used, and consumed from memory; each group's transaction writes what
it consumed to the process's own row, which refuses more than was granted. So nothing is ever exceeded, whatever is
remembered here: memory only saves the wait. Pure.
"""

from collections.abc import Iterable
from datetime import datetime

from leadmill.core.faults import Transient
from leadmill.market.limits.tally import Key


class LeaseSpent(Transient):
    """A share has run out within a group, or another process took it back: the group is decided again with the limits
    themselves locked."""


def share(left: int, mine: int, holders: int) -> int:
    """How much more of a limit a process takes that has ``mine`` unused: half of an equal part of what is left, ⌈left /
    2N⌉, so that shares shrink as the limit nears and the others always find some."""
    return max(0, -(-(left + mine) // (2 * max(1, holders))) - mine)


class Lease:
    """An unused share: leads and minor units, None where the limit has no such side.

    ``base`` is what the counter says is used by everybody else, unused shares of others included; ``limits`` are those
    it was granted under.
    """

    __slots__ = ("_peak", "base", "currency", "ends", "leads", "limits", "spend")

    def __init__(self, limits: tuple[int | None, int | None], ends: datetime | None = None, currency: str = "") -> None:
        self.limits = limits
        self.ends = ends
        self.currency = currency
        self.leads: int | None = None if limits[0] is None else 0
        self.spend: int | None = None if limits[1] is None else 0
        self.base = (0, 0)
        self._peak = (0, 0)

    def grant(self, leads: int, spend: int, base: tuple[int, int]) -> None:
        """Add to the share; ``base`` is what the counter says now, the share of this process left out."""
        self.leads = None if self.leads is None else self.leads + leads
        self.spend = None if self.spend is None else self.spend + spend
        self.base = base

    def fits(self, asks: int) -> bool:
        """Whether a group of so many leads may rely on it, as far as the groups before tell."""
        leads, spend = self._peak
        return (self.leads is None or self.leads >= min(asks, max(2, 2 * leads))) and (
            self.spend is None or self.spend > 2 * spend
        )

    def take(self, leads: int, spend: int) -> bool:
        """Consume; False, and nothing consumed, where too little is left."""
        if (self.leads is not None and self.leads < leads) or (self.spend is not None and self.spend < spend):
            return False
        self.leads = None if self.leads is None else self.leads - leads
        self.spend = None if self.spend is None else self.spend - spend
        self.base = self.base[0] + leads, self.base[1] + spend
        return True

    def give_back(self, leads: int, spend: int) -> None:
        """Undo what a transaction consumed that failed. Should it have gone through after all, the share's own row
        knows better, and refuses the difference."""
        self.leads = None if self.leads is None else self.leads + leads
        self.spend = None if self.spend is None else self.spend + spend
        self.base = self.base[0] - leads, self.base[1] - spend

    def note(self, leads: int, spend: int) -> None:
        """Learn what one group consumed: the most that any of the last ones did, slowly forgotten."""
        old = self._peak
        self._peak = max(leads, old[0] * 9 // 10), max(spend, old[1] * 9 // 10)


class Pool:
    """The shares of one process. ``holder`` names it, ``holders`` is how many processes share; it takes no shares
    before it is ``active``."""

    __slots__ = ("accounts", "active", "barred", "dear", "full", "holder", "holders", "limits")

    _MOST = 50_000

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self.holders = 1
        self.active = False
        self.limits: dict[Key, Lease] = {}
        self.accounts: dict[str, Lease] = {}
        self.barred: set[Key | str] = set()
        """Limits that were refused by while shares of them were unused: next time the shares are called in first."""
        self.full: dict[Key, None] = {}
        """Windows that had no lead left when last looked at."""
        self.dear = 0
        """The highest price counted so far, in minor units: what one more lead may cost."""

    def is_tight(self, left_leads: int | None, left_spend: int | None, asks: int) -> bool:
        """Whether a group of so many leads might need all that is left of a limit."""
        return (left_leads is not None and left_leads < asks) or (
            left_spend is not None and (not self.dear or left_spend < asks * self.dear)
        )

    def is_ample(self, left_leads: int | None, left_spend: int | None, asks: int) -> bool:
        """Whether each process could have a share that lasts a whole group."""
        times = 2 * max(1, self.holders)
        return self.active and not self.is_tight(
            None if left_leads is None else left_leads // times,
            None if left_spend is None else left_spend // times,
            asks,
        )

    def drop(self, keys: Iterable[Key | str]) -> None:
        """Forget shares, because they were called in or nobody knows what is left of them."""
        for key in keys:
            if isinstance(key, str):
                self.accounts.pop(key, None)
            else:
                self.limits.pop(key, None)

    def mark_full(self, key: Key) -> None:
        """Remember that a window had no lead left."""
        if len(self.full) >= self._MOST:
            self.full.clear()
        self.full[key] = None
