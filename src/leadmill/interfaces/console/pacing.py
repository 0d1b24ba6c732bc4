"""A buyer's page: its account, its orders, and how each order's day goes beside an even use of its limit."""

from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup
from msgspec import Struct

from leadmill.core.faults import NotFound
from leadmill.core.money import Money
from leadmill.interfaces.charts import stairs
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import vertical_title
from leadmill.interfaces.console.market import Meter, meter, prices, standing
from leadmill.interfaces.pages import money
from leadmill.ledger import balances, buyer_account, guards
from leadmill.market import CapUse, Pace, cap_use, pace_of_orders


class Day(Struct, frozen=True):
    """An order of the buyer and its day: ``says`` the chart in words, ``rows`` the same as a table."""

    id: str
    vertical: str
    price: str
    state: str
    why: str
    caps: list[Meter]
    says: str
    chart: Markup
    rows: list[tuple[str, str]]
    tz: str


@get("/buyers/{buyer_id:str}", include_in_schema=False)
async def buyer_page(desk: NamedDependency[Desk], buyer_id: FromPath[str]) -> Page:
    """One buyer: who it is, what it has left, and today's pace of each of its orders."""
    rules = desk.wiring.rules
    buyer = rules.roster.buyers.get(buyer_id)
    if buyer is None:
        raise NotFound("console.buyer.unknown", "no such buyer, or one that takes no part any more")
    orders = [each for each in rules.orders.values() if each.buyer == buyer_id and not each.retired]
    orders.sort(key=lambda each: (each.vertical, each.id))
    account = buyer_account(buyer_id)
    async with desk.wiring.db.begin() as tx:
        used = await cap_use(tx, orders, desk.now)
        days = await pace_of_orders(tx, orders, desk.now)
        balance = (await balances(tx)).get(account, [Money(0, buyer.currency)])
        guard = (await guards(tx)).get(account)
    shown = []
    for order in orders:
        mine: list[CapUse] = [use for use in used if use.order_id == order.id]
        state, why = standing(order, mine, guard, desk.now)
        pace = days[order.id]
        says = pace_words(pace)
        zone = ZoneInfo(order.tz)
        shown.append(
            Day(
                id=order.id,
                vertical=vertical_title(rules, order.vertical),
                price=prices(order),
                state=state,
                why=why,
                caps=[meter(use) for use in mine],
                says=says,
                chart=stairs(
                    f"{order.id}: {says}", (pace.starts, pace.ends), pace.points, pace.corners, pace.limit, zone
                ),
                rows=[(at.astimezone(zone).strftime("%H:%M"), _amount(pace, value)) for at, value in _hourly(pace)],
                tz=order.tz,
            )
        )
    return desk.show(
        "buyer.html",
        "buyers",
        buyer=buyer,
        balance=balance,
        available=Money(guard.available, guard.currency) if guard else None,
        orders=shown,
    )


def pace_words(pace: Pace) -> str:
    """A day's pace as a sentence."""
    used = _amount(pace, pace.used)
    if pace.limit is None or pace.even is None:
        return f"{used} today, no limit a day"
    ahead = pace.used - pace.even
    if pace.used >= pace.limit:
        pace_says = "the day's limit is reached"
    elif abs(ahead) <= max(1, pace.limit // 50):
        pace_says = "on an even pace"
    else:
        pace_says = f"{_amount(pace, abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} an even pace"
    return f"{used} of {_amount(pace, pace.limit)} today, {pace_says}"


def _amount(pace: Pace, value: float) -> str:
    return money(round(value), pace.currency) if pace.kind == "spend" else f"{round(value):,}"


def _hourly(pace: Pace) -> list[tuple[datetime, int]]:
    """The last point of each hour."""
    found: dict[datetime, tuple[datetime, int]] = {}
    for at, value in pace.points[1:]:
        found[at.replace(minute=0, second=0, microsecond=0)] = (at, value)
    return list(found.values())


ROUTES = [buyer_page]
