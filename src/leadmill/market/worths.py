"""What an auction hears and tells of shadow prices: plain values, and the reasons they give.

Heard with the headroom (``model.Room``), told with the auction. Amounts are minor units in whole numbers, shares are
in thousandths: a lead's page carries them for each order that wanted it.
"""

from collections.abc import Iterable

from msgspec import Struct

from leadmill.core.money import Money
from leadmill.core.reasons import declare

WORTH_LESS = declare(
    "market.order.worth_less", "It pays {price}, which is worth {worth} now; {winner} is worth {best}: {why}."
)
KEPT_BACK = declare(
    "market.order.kept_back",
    "It pays {price}, but {left} are worth {later} each later, so the lead is not spent on it.",
)
BETTER_IN_HOUSE = declare(
    "market.order.better_in_house",
    "{winner}, our own team, is expected to make {worth} of it: {chance} of such leads are won there and a won one is "
    "worth {each}. Its sale is worth {best}.",
)
BETTER_SOLD = declare(
    "market.order.better_sold",
    "{chance} of such leads are won here and a won one is worth {each}, so {worth} is expected; its sale is worth "
    "{best}.",
)


class Scarcity(Struct, frozen=True):
    """What are these orders' limits worth, and how likely do they take this lead? ``accounts`` stand beside
    ``orders``, empty where an account is not limited."""

    orders: tuple[str, ...]
    accounts: tuple[str, ...]
    source: str
    score: float | None = None
    recipients: tuple[str, ...] = ()
    """Who each order is of."""
    vertical: str = ""
    tier: str | None = None
    suspicion: int | None = None
    """How much of 100 speaks against the lead."""
    hoped: tuple[tuple[str, str], ...] = ()
    """Orders that pay only for a win, and teams that have said what one is worth, each with the recipient: for these it
    matters how likely the lead is won."""
    accepted: float | None = None
    """The chances that models have foreseen for this very lead: accepted, not coming back, won."""
    bad: float | None = None
    won: float | None = None


class Scarce(Struct, frozen=True, array_like=True):
    """Of one order: what a lead of its caps is worth (minor units), what a million minor units of its budgets are
    worth (minor units), how often in a thousand it accepts a usual bid for this lead, and how much in a thousand of
    such a sale stays, where that is not what stays of all."""

    lead: int
    money: int
    odds: int
    stays: int | None = None


class Worths(Struct, frozen=True):
    """The answer to :class:`Scarcity`. ``kept`` is how much in a thousand of sales of such a lead stays, ``hedge`` how
    much in a thousand the prices are mistrusted, ``funds`` what limited accounts had when the day began. An order that
    is missing is not scarce and accepts with ``odds``; where a bid is twice the order's usual one its odds change by
    ``lift``. ``wins`` says for an order paid by wins, or for a team, how many in ten thousand of such leads are won.
    Without ``priced`` there are no shadow prices in it, only chances."""

    orders: dict[str, Scarce] = {}
    funds: dict[str, int] = {}
    kept: int = 1000
    hedge: int = 0
    odds: int = 1000
    lift: int = 0
    wins: dict[str, int] = {}
    priced: bool = True


class Weighed(Struct, frozen=True, array_like=True):
    """How one bid was weighed: what it pays, what the room it would use up is worth later, how many leads are left of
    its tightest cap (None where it has none), and what is left of the bid after that, returns and odds considered."""

    name: str
    bid: Money
    later: Money
    left: int | None
    worth: Money

    @property
    def says(self) -> str:
        """The weighing in words."""
        if not self.later.amount:
            return f"{self.name} bid {self.bid}, none of its cap is scarce, so {self.worth}"
        later = f"{left_words(self.left)} are worth {self.later} each later"
        return f"{self.name} bid {self.bid}, but {later}, so {self.worth}"


def weighing(weighed: Iterable[Weighed], outcome: str) -> str:
    """All of it as a sentence; ``outcome`` is who got the lead, or what became of it."""
    return f"{'; '.join(one.says for one in weighed)}: {outcome}."


def left_words(left: int | None) -> str:
    """What is left of an order's limits: ``its 12 left``."""
    return f"its {left} left" if left is not None else "its remaining leads"
