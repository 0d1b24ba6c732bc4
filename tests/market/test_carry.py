"""A day does not begin without shadow prices: the last ones of the day before say what it begins with."""

from datetime import UTC, datetime, timedelta

from leadmill.market.allocation.learned import Learned
from leadmill.market.allocation.repricing import Known, new_prices
from leadmill.market.allocation.seen import Seen
from leadmill.market.allocation.shadow import Price, Prices, Standing, followed
from leadmill.market.model import Per
from tests.market.scene import Scene, order

ORIGIN = datetime(2026, 11, 16, tzinfo=UTC)
MIDNIGHT = ORIGIN + timedelta(days=1)


def leads(days: int, a_day: int) -> list[Seen]:
    """Each wanted by a dear order that takes anything and, every other one, by a cheaper one too."""
    return [
        Seen(
            ORIGIN + timedelta(days=day, minutes=number * 1440 / a_day),
            "acme",
            "solar",
            "CA",
            50,
            [("helio-ca", 8000, None), *([("volt-ca", 5500, None)] if number % 2 else [])],
        )
        for day in range(-days, 1)
        for number in range(a_day)
    ]


def lines():
    caps = [{"per": "day", "leads": 20}, {"per": "month", "leads": 9000}]
    return Scene([order("helio-ca", "80.00", caps=caps), order("volt-ca", "55.00")]).step.lines


def priced(at: datetime, days: int = 3, before: Prices | None = None) -> Prices:
    found = new_prices(Known(leads(days, 80), {}, {}, Learned(), before), lines(), ORIGIN, at, seed=1)
    assert found is not None
    return found


def test_prices_solved_late_in_a_day_hold_for_the_next_mornings_first_leads():
    standing = Standing(priced(MIDNIGHT - timedelta(minutes=10)))
    morning, _ = standing.at(MIDNIGHT + timedelta(minutes=5)).of("helio-ca", "")
    assert morning > 2000
    # The rest of the evening has room for whoever still comes.
    evening, _ = standing.at(MIDNIGHT - timedelta(minutes=5)).of("helio-ca", "")
    assert evening < morning


def test_a_first_day_carries_over_as_well():
    known = Known(leads(0, 240), {}, {}, Learned(), None)
    found = new_prices(known, lines(), ORIGIN, MIDNIGHT - timedelta(minutes=10), seed=1)
    assert found is not None
    assert Standing(found).at(MIDNIGHT + timedelta(minutes=5)).of("helio-ca", "")[0] > 2000


def test_at_noon_nothing_is_said_of_tomorrow():
    noon = priced(ORIGIN + timedelta(hours=12))
    assert all(
        price.ends <= MIDNIGHT.timestamp()
        for prices in noon.orders.values()
        for price in prices
        if price.per is Per.DAY
    )


def test_a_window_that_both_days_share_is_never_priced_twice():
    day, month = int(MIDNIGHT.timestamp()), 86_400 * 30
    today = Prices(ORIGIN, {"a": [Price(Per.MONTH, day - month, day + month, 500.0, 0.0)]})
    tomorrow = Prices(MIDNIGHT, {"a": [Price(Per.MONTH, day - month, day + month, 700.0, 0.0)]})
    standing = Standing(followed(today, tomorrow, MIDNIGHT))
    assert standing.at(MIDNIGHT - timedelta(seconds=1)).of("a", "") == (500, 0)
    assert standing.at(MIDNIGHT + timedelta(hours=1)).of("a", "") == (700, 0)


def test_the_next_days_first_solution_begins_from_what_was_carried_over():
    late = priced(MIDNIGHT - timedelta(minutes=10))
    known = Known(leads(3, 80), {}, {}, Learned(), late)
    found = new_prices(known, lines(), MIDNIGHT, MIDNIGHT + timedelta(minutes=5), seed=2)
    assert found is not None
    carried = Standing(late).at(MIDNIGHT + timedelta(minutes=5)).of("helio-ca", "")[0]
    assert abs(Standing(found).at(MIDNIGHT + timedelta(minutes=5)).of("helio-ca", "")[0] - carried) < 1500
