"""A large order book: sorted out by its index as a small one is by asking, and told briefly without losing count."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.core.case import Heard
from leadmill.core.money import Money
from leadmill.core.predicates import encode
from leadmill.market import Auction, Order, Room
from leadmill.market.orderbook.board import NAMED, Boards
from leadmill.market.orderbook.lines import Line
from leadmill.market.orderbook.small import Board
from leadmill.market.orderbook.wide import NEAR, WideBoard
from tests.market import test_index
from tests.market.scene import NOW, Scene, buyer, order, prepaid, roster, told

BUYERS = [buyer(name) for name in ("helio", "volt", "sunny")]
EVERYONE = roster(*BUYERS)

some_orders = st.builds(
    lambda who, parts, least, price, retired: {
        "buyer": who,
        "where": tuple(encode(part) for part in parts),
        "min_score": least,
        "price": Money(price),
        "retired": retired,
    },
    st.sampled_from(["helio", "volt", "sunny", "nobody"]),
    st.lists(test_index.conditions(), max_size=3),
    st.one_of(st.none(), st.integers(min_value=0, max_value=100)),
    st.sampled_from([1500, 2000, 2001, 7500]),
    st.sampled_from([False, False, False, True]),
)


def _orders(tables: list[dict[str, Any]]) -> dict[str, Order]:
    return {f"order-{n:03}": Order(id=f"order-{n:03}", vertical="solar", **table) for n, table in enumerate(tables)}


def _left(board: Board | WideBoard, values: Any, points: int | None) -> list[Line]:
    return [
        line
        for line, conditions in board.sort(values, points).left
        if all(check(values, NOW) for check, _ in conditions) and line.below(points) is None
    ]


def _ids(lines: list[Line]) -> list[str]:
    return [line.order.id for line in lines]


@settings(max_examples=200, deadline=None)
@given(
    tables=st.lists(some_orders, min_size=1, max_size=10),
    swaps=st.lists(st.tuples(st.integers(min_value=0, max_value=12), st.one_of(st.none(), some_orders)), max_size=4),
    values=test_index.values,
    points=test_index.points,
)
def test_a_large_book_leaves_what_a_small_one_leaves_however_it_came_to_be(
    tables: list[Any], swaps: list[Any], values: Any, points: int | None
) -> None:
    orders = _orders(tables)
    boards = Boards(orders, EVERYONE, small=0)
    for place, table in swaps:
        orders = {name: each for name, each in orders.items() if name != f"order-{place:03}"}
        if table is not None:
            orders |= {f"order-{place:03}": Order(id=f"order-{place:03}", vertical="solar", **table)}
        boards = Boards(orders, EVERYONE, earlier=boards, small=0)
    small, fresh = Boards(orders, EVERYONE), Boards(orders, EVERYONE, small=0)
    if not orders:
        assert not boards and not small
        return
    wide, anew, asked = boards["solar"], fresh["solar"], small["solar"]
    names = _ids(_left(asked, values, points))
    assert sorted(_ids(_left(wide, values, points))) == names
    assert _ids(_left(wide, values, points)) == _ids(_left(anew, values, points))
    first, second = wide.sort(values, points), anew.sort(values, points)
    assert (first.refused, first.others) == (second.refused, second.others)
    assert [line.order.id for line, _ in first.left] == [line.order.id for line, _ in second.left]
    assert [line.wanted for line in wide.lines] == [line.wanted for line in anew.lines]
    assert [line.wanted for line in wide.lines] == [line.wanted for line in asked.lines]
    others = first.others
    assert others is not None and others.orders == len(orders)
    assert others.orders == len(first.left) + sum(others.required.values()) + sum(others.closed.values())


def test_a_changed_party_changes_its_orders_and_no_others() -> None:
    orders = {each.id: each for each in (order("helio-1", "70.00"), order("volt-1"), order("volt-2", "60.00"))}
    before = Boards(orders, EVERYONE, small=0)
    after = Boards(orders, roster(BUYERS[0], prepaid("volt", 90), BUYERS[2]), earlier=before, small=0)
    same = {line.order.id: line is before["solar"].find(line.order.id) for line in after["solar"].lines}
    assert same == {"helio-1": True, "volt-1": False, "volt-2": False}


def test_an_unchanged_vertical_keeps_its_board() -> None:
    orders = {each.id: each for each in (order("helio-1"), order("volt-1", vertical="education"))}
    before = Boards(orders, EVERYONE)
    after = Boards({**orders, "helio-2": order("helio-2")}, EVERYONE, earlier=before)
    assert after["education"] is before["education"]
    assert [line.order.id for line in after["solar"].lines] == ["helio-1", "helio-2"]


def _large() -> Scene:
    """Two hundred orders: 150 for Texas, 40 for California that want another bill, five that fit, and five others."""
    where = [{"field": "state", "eq": "CA"}, {"field": "monthly_bill", "gte": 300}]
    return Scene(
        [
            *(order(f"helio-{n:03}", where=[{"field": "state", "eq": "TX"}]) for n in range(150)),
            *(order(f"volt-{n:03}", f"{20 + n}.00", where=where) for n in range(40)),
            *(order(f"sunny-{n}", f"{30 + n}.00", where=where[:1]) for n in range(5)),
            *(order(f"aero-{n}", retired=True) for n in range(3)),
            order("aero-3", min_score=90),
            order("aero-4", where=[{"any": [{"field": "zip", "prefix": "1"}, {"field": "roof", "eq": "new"}]}]),
        ]
    )


def test_a_large_auction_names_what_matters_and_counts_the_rest() -> None:
    scene = _large()
    case = scene.walk()
    auction = case[Auction]
    codes = told(case)
    assert auction.winners == ("sunny-4",)
    assert [name for name, code in codes.items() if code == "market.order.outbid"] == [
        f"sunny-{n}" for n in (3, 2, 1, 0)
    ]
    # Named besides are those that lacked one thing and pay most.
    near = [name for name, code in codes.items() if code in ("market.order.predicate", "market.order.min_score")]
    assert len(near) == NEAR
    assert near[:2] == ["volt-039", "volt-038"]
    assert (auction.orders, auction.size) == (200, 200)
    assert auction.required == {"state": 150, "monthly_bill": 40, "score": 1}
    assert auction.unnamed == {"market.order.retired": 3, "market.order.predicate": 1}
    assert "191 orders require something else: state 150, monthly_bill 40, score 1." in list(auction.tell())
    assert "15 of 200 orders are named." in list(auction.tell())


def test_any_order_of_a_large_book_can_still_be_asked_after() -> None:
    scene = _large()
    case = scene.case()
    heard = Heard({ask: scene.book.answer(ask, NOW) for ask in scene.step.wants(case)})  # type: ignore[arg-type]
    scene.step.judge(case, heard, NOW)

    def why(order_id: str) -> str:
        found = scene.step.tell_of(order_id, case, heard, NOW)
        assert found is not None
        return found.refused.message if found.refused is not None else "won"

    assert why("helio-007") == "The order requires that state is TX."
    assert why("volt-000") == "The order requires that monthly_bill is at least 300."
    assert why("aero-1") == "The order is retired."
    assert why("aero-3") == "The order wants a score of 90 or more, the lead has 50."
    assert why("aero-4") == "The order requires that zip begins with 1 or roof is new."
    assert why("sunny-4") == "won"
    assert why("sunny-0").startswith("Sunny Inc got the lead at")
    assert scene.step.tell_of("nowhere-1", case, heard, NOW) is None


def test_where_very_many_could_take_a_lead_the_best_are_named_and_all_are_counted() -> None:
    scene = Scene([order(f"helio-{n:03}", f"{n + 10}.00") for n in range(300)])
    case = scene.walk()
    auction = case[Auction]
    assert auction.winners == ("helio-299",)
    assert [item.order_id for item in auction.considered[:3]] == ["helio-299", "helio-298", "helio-297"]
    assert len(auction.considered) == NAMED
    assert auction.unnamed == {"market.order.outbid": 200}
    assert auction.required == {}


def test_a_large_book_decides_as_a_small_one() -> None:
    scene = _large()
    few = Scene([each for name, each in scene.orders.items() if name.startswith(("sunny", "volt-03"))])
    assert few.walk()[Auction].winners == scene.walk()[Auction].winners
    # Declined by the best payer, a lead of either goes to nobody else than in the other.
    gone = ("sunny",)
    assert few.walk(declined=gone)[Auction].winners == scene.walk(declined=gone)[Auction].winners == ()


def test_a_room_that_knows_nothing_is_no_excuse() -> None:
    """Every limited order that was left to be judged is asked after."""
    scene = Scene([order(f"helio-{n:03}", caps=[{"per": "day", "leads": 1}]) for n in range(120)])
    case = scene.case()
    (ask,) = scene.step.wants(case)
    assert len(ask.wanted) == 120  # type: ignore[attr-defined]
    assert isinstance(scene.book.answer(ask, NOW), Room)  # type: ignore[arg-type]
