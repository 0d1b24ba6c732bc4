"""What the market's tests are made of: a small roster, orders in one line, leads that are cleared."""

from datetime import UTC, datetime
from typing import Any

from leadmill.capture import Lead
from leadmill.core.case import Answer, Ask, Case, Heard
from leadmill.core.money import Money
from leadmill.core.reasons import Because
from leadmill.core.verdicts import Verdict
from leadmill.facts import Dossier
from leadmill.market import (
    Allocate,
    Assignment,
    Auction,
    Declined,
    Headroom,
    House,
    Order,
    Room,
    Sale,
    SimulatedBook,
    read_order,
)
from leadmill.parties import Buyer, Credit, Rep, Roster, Source, Team
from leadmill.policy import Clearance
from leadmill.scoring import Score

NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Los Angeles."""


def buyer(name: str, **more: Any) -> Buyer:
    return Buyer(id=name, name=f"{name.title()} Inc", **more)


def prepaid(name: str, balance: int) -> Buyer:
    return buyer(name, credit=Credit("prepay", balance=Money(balance)))


def roster(*parties: Buyer | Team | Source) -> Roster:
    return Roster(
        sources={item.id: item for item in parties if isinstance(item, Source)},
        buyers={item.id: item for item in parties if isinstance(item, Buyer)},
        teams={item.id: item for item in parties if isinstance(item, Team)},
    )


def order(name: str, price: str | None = "50.00", **more: Any) -> Order:
    """An order of the buyer whose name comes before the first dash."""
    raw = {"id": name, "vertical": "solar", **({"price": price} if price is not None else {}), **more}
    if "team" not in more:
        raw["buyer"] = name.partition("-")[0]
    return read_order(raw)


def rep(name: str, *zips: str, capacity: int | None = None, products: tuple[str, ...] = ()) -> Rep:
    return Rep(id=name, email=f"{name}@example.com", zips=zips, capacity=capacity, products=products)


class Scene:
    """Orders and a roster, a simulated book between them, and leads to put through."""

    def __init__(
        self,
        orders: list[Order],
        *parties: Buyer | Team | Source,
        funds: dict[str, int] | None = None,
        house: House | None = None,
    ) -> None:
        known = {item.id for item in parties}
        others = {item.buyer: buyer(item.buyer) for item in orders if item.buyer and item.buyer not in known}
        self.roster = roster(*parties, *others.values())
        self.orders = {item.id: item for item in orders}
        self.step = Allocate(self.orders, self.roster, house=house)
        money = {name: Money(amount) for name, amount in funds.items()} if funds is not None else None
        self.book = SimulatedBook(self.orders, self.roster, money)
        self.count = 0

    def case(
        self,
        fields: dict[str, Any] | None = None,
        barred: dict[str, Because] | None = None,
        points: int | None = 50,
        declined: tuple[str, ...] = (),
        test: bool = False,
        vertical: str = "solar",
    ) -> Case:
        self.count += 1
        lead_id = f"lead_{self.count:04}"
        values = {"state": "CA", "zip": "94105", "monthly_bill": 150, **(fields or {})}
        lead = Lead(id=lead_id, vertical=vertical, source_id="acme", received_at=NOW, fields=values, test=test)
        refused = barred or {}
        everyone = [*self.roster.buyers, *self.roster.teams]
        clearance = Clearance(channels={}, cleared=[name for name in everyone if name not in refused], refused=refused)
        case = Case(lead_id, [lead, Dossier(), clearance])
        if points is not None:
            case.learn([Score(points=points, band="C", path="sell")])
        if declined:
            case.learn([Declined(declined)])
        return case

    def judge(self, case: Case, now: datetime = NOW, answer: Room | None = None) -> Verdict:
        asks = self.step.wants(case)
        heard: dict[Ask, Answer] = {}
        for ask in asks:
            assert isinstance(ask, Headroom)
            heard[ask] = answer or self.book.answer(ask, now)
        verdict = self.step.judge(case, Heard(heard), now)
        case.learn(verdict.learned)
        return verdict

    def walk(self, now: datetime = NOW, **how: Any) -> Case:
        """A lead judged and, where it was sold or assigned, counted."""
        case = self.case(**how)
        self.judge(case, now)
        sale, assignment = case.get(Sale), case.get(Assignment)
        if sale is not None:
            self.book.sold(sale, now)
        if assignment is not None:
            self.book.assigned(assignment, now)
        return case


def told(case: Case) -> dict[str, str]:
    """Why each order did not get the lead, by its id; empty text for a winner."""
    return {item.order_id: item.refused.code if item.refused else "" for item in case[Auction].considered}


def words(case: Case, order_id: str) -> str:
    """The refusal of one order in words."""
    found = next(item for item in case[Auction].considered if item.order_id == order_id)
    return found.refused.message if found.refused else ""
