"""What recorded offers suggest for a reserve, and when they suggest nothing."""

from leadmill.core.money import Money
from leadmill.core.reasons import Because, because
from leadmill.market import Auction, Considered, Mode, Order, advise_reserve
from leadmill.market.model import CAP_REACHED, OUTBID
from leadmill.market.terms import BELOW_RESERVE

BEATEN = because(OUTBID, winner="x", price="$1.00")
LOW = because(BELOW_RESERVE, price="$1.00", reserve="$2.00")
FULL = because(CAP_REACHED, cap="1 leads a day", used=1, limit=1)


def order(ident: str, price: int, mode: Mode = Mode.EXCLUSIVE) -> Order:
    return Order(id=ident, vertical="solar", buyer=ident, mode=mode, price=Money(price), shared_price=Money(price))


def auction(*offers: tuple[str, int, Because | None]) -> Auction:
    return Auction(tuple(Considered(name, name, Money(amount), why) for name, amount, why in offers))


def test_evenly_spread_offers_suggest_about_half_of_the_highest() -> None:
    """Uniform on [0, 100]: the optimal reserve is 50 (Myerson 1981)."""
    held = [auction(("a", 100 + 100 * step, None), ("b", 10_000 - 90 * step, BEATEN)) for step in range(100)]
    told = advise_reserve(held, {"a": order("a", 10_000), "b": order("b", 10_000)})
    assert (told.leads, told.offers, told.orders) == (100, 200, 2)
    assert told.reserve is not None and 4_000 <= told.reserve.amount <= 6_000
    assert told.without is not None and told.then is not None and told.then.amount > told.without.amount


def test_only_those_who_could_have_had_the_lead_count() -> None:
    orders = {"a": order("a", 5_000), "b": order("b", 9_000), "c": order("c", 500, Mode.SHARED)}
    held = [auction(("a", 5_000, None), ("b", 9_000, FULL), ("c", 500, BEATEN), ("a2", 100, LOW))] * 40
    told = advise_reserve(held, orders)
    assert (told.offers, told.orders) == (80, 2)
    assert (told.lowest, told.highest) == (Money(100), Money(5_000))
    assert told.reserve is not None and told.reserve.amount <= 9_000


def test_what_the_present_reserve_brings_stands_beside_it() -> None:
    held = [auction(("a", 4_000, None), ("b", 1_000, BEATEN))] * 20 + [auction(("b", 1_000, LOW))] * 20
    told = advise_reserve(held, {"a": order("a", 4_000), "b": order("b", 1_000)}, present=Money(3_000))
    assert told.now == Money(20 * 3_000)
    assert told.without == Money(20 * 1_000), "alone, an offer pays nothing by second prices"


def test_few_offers_suggest_nothing() -> None:
    assert advise_reserve([auction(("a", 100, None))] * 29, {}).reserve is None
    assert advise_reserve([], {}).offers == 0
    assert advise_reserve([auction(("a", 100, None))] * 40, {}, currency="EUR").offers == 0
