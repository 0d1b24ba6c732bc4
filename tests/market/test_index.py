"""The index of a large book answers what asking every condition answers, however it came to be."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadmill.core.predicates import All, AnyOf, Not, Predicate, Test, compile_predicate
from leadmill.market.orderbook.index import SEVERAL, Index
from leadmill.market.orderbook.ways import MOST_ROWS, take_apart

NOW = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)

FIELDS = ("state", "zip", "bill", "since", "roof")
TEXTS = ("CA", "ca", "AZ", "94105", "941", "9", "straße", "STRASSE", "2026-01-05", "2026-01-05T12:00:00Z", "soon", "*")
NUMBERS = (-1, 0, 1, 1.0, 2, 2.5, 150, 150.0, 10**17)
MOMENTS = ("2026-01-05", "2026-01-05T12:00:00Z", "2020-02-29", "2026-01-05T12:00:00+02:00")

scalars = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans())
strange: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", [], (), ["", "CA"], [["CA"]], float("nan"), float("inf"), 10**400, b"CA", NOW, {}]
)
values = st.dictionaries(
    st.sampled_from(FIELDS), st.one_of(scalars, strange, st.lists(scalars, max_size=3)), max_size=len(FIELDS)
)


def _test(field: str, op: str, draw: st.DrawFn) -> Test:
    operand: Any
    if op == "exists":
        operand = draw(st.booleans())
    elif op == "in":
        operand = tuple(draw(st.lists(scalars, min_size=1, max_size=4)))
    elif op == "prefix":
        operand = tuple(draw(st.lists(st.sampled_from(("9", "94*", "941", "ca", "CA", "stras", "*")), min_size=1)))
    elif op in ("older_than", "within"):
        operand = draw(st.sampled_from(("90d", "12h", "18y")))
    elif op in ("eq", "ne"):
        operand = draw(scalars)
    else:
        operand = draw(st.one_of(st.sampled_from(NUMBERS), st.sampled_from(MOMENTS)))
    return Test(field, op, operand)  # type: ignore[arg-type]


OPS = ("eq", "ne", "in", "gte", "gt", "lte", "lt", "prefix", "exists")


@st.composite
def comparisons(draw: st.DrawFn, ops: tuple[str, ...] = OPS) -> Predicate:
    return _test(draw(st.sampled_from(FIELDS)), draw(st.sampled_from(ops)), draw)


def conditions(ops: tuple[str, ...] = OPS) -> st.SearchStrategy[Predicate]:
    return st.recursive(
        comparisons(ops),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=6,
    )


orders = st.tuples(
    st.lists(conditions(), max_size=4).map(tuple), st.one_of(st.none(), st.integers(min_value=0, max_value=100))
)
points = st.one_of(st.none(), st.integers(min_value=0, max_value=100))


class Book:
    """Conditions in an index, each with the rows it came apart into."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Any]] = {}
        self.asked: dict[int, list[Predicate]] = {}
        self.next = 0

    def take(self, order: Any) -> list[Any]:
        parts, least = order
        taken = take_apart(parts, least)
        owner = self.next
        base = owner * 100 + (SEVERAL if len(taken.rows) > 1 else 0)
        self.rows[owner] = [(base + place, row) for place, row in enumerate(taken.rows)]
        self.asked[owner] = taken.asked
        self.next += 1
        return self.rows[owner]

    def index(self) -> Index:
        return Index.of([row for rows in self.rows.values() for row in rows])

    def holding(self, index: Index, lead: Any, score: int | None) -> set[int]:
        owners = {number % SEVERAL // 100 for number in index.find(lead, score).rows}
        return {
            owner for owner in owners if all(compile_predicate(part)(lead, NOW) for part in self.asked.get(owner, ()))
        }


def naive(order: Any, lead: Any, score: int | None) -> bool:
    parts, least = order
    return compile_predicate(All(parts))(lead, NOW) and (least is None or (score is not None and score >= least))


@settings(max_examples=250, deadline=None)
@given(
    book=st.lists(orders, min_size=1, max_size=12), leads=st.lists(st.tuples(values, points), min_size=1, max_size=4)
)
def test_the_index_finds_what_asking_each_condition_finds(book: list[Any], leads: list[Any]) -> None:
    kept = Book()
    for order in book:
        kept.take(order)
    index = kept.index()
    for lead, score in leads:
        expected = {place for place, order in enumerate(book) if naive(order, lead, score)}
        assert kept.holding(index, lead, score) == expected


@settings(max_examples=150, deadline=None)
@given(
    first=st.lists(orders, min_size=1, max_size=8),
    swaps=st.lists(st.tuples(st.integers(min_value=0, max_value=7), orders), max_size=6),
    lead=values,
    score=points,
)
def test_a_changed_index_is_the_index_of_what_there_is_now(
    first: list[Any], swaps: list[Any], lead: Any, score: int | None
) -> None:
    kept, standing = Book(), {}
    for order in first:
        standing[kept.next] = order
        kept.take(order)
    index = kept.index()
    before = index, kept.holding(index, lead, score)
    old = dict(standing)
    for place, order in swaps:
        gone = kept.rows.pop(place, [])
        standing.pop(place, None)
        standing[kept.next] = order
        come = kept.take(order)
        index = index.changed(gone, come)
    fresh = kept.index()
    assert index.find(lead, score) == fresh.find(lead, score)
    assert index.near(lead, score) == fresh.near(lead, score)
    assert kept.holding(index, lead, score) == {n for n, order in standing.items() if naive(order, lead, score)}
    # The one it was made from answers as before.
    assert before[1] == {n for n, order in old.items() if naive(order, lead, score)}
    assert {n % SEVERAL // 100 for n in before[0].find(lead, score).rows} >= before[1]


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(conditions((*OPS, "within", "older_than")), max_size=4), lead=values)
def test_what_comes_apart_and_what_must_be_asked_are_the_condition_together(parts: list[Any], lead: Any) -> None:
    taken = take_apart(parts)
    assert len(taken.rows) <= MOST_ROWS
    index = Index.of(list(enumerate(taken.rows)))
    found = bool(index.find(lead, None).rows) and all(compile_predicate(part)(lead, NOW) for part in taken.asked)
    assert found is compile_predicate(All(tuple(parts)))(lead, NOW)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(min_value=0, max_value=10**6),
    value=st.one_of(st.integers(min_value=-1, max_value=401), st.floats(min_value=-1, max_value=401)),
    op=st.sampled_from(("gte", "gt", "lte", "lt")),
    wanted=st.booleans(),
)
def test_a_long_column_of_bounds_is_cut_where_it_should_be(seed: int, value: float, op: Any, wanted: bool) -> None:
    draw = Random(seed)
    bounds = [draw.randint(0, 400) for _ in range(draw.randint(300, 900))]
    every: list[Predicate] = [Test("bill", op, bound) if wanted else Not(Test("bill", op, bound)) for bound in bounds]
    index = Index.of([(n, row) for n, part in enumerate(every) for row in take_apart([part]).rows])
    expected = [n for n, part in enumerate(every) if compile_predicate(part)({"bill": value}, NOW)]
    assert list(index.find({"bill": value}, None).rows) == expected


def test_near_are_those_that_lack_one_thing() -> None:
    wish = [
        (Test("state", "eq", "CA"), Test("bill", "gte", 100)),
        (Test("state", "eq", "CA"), Test("bill", "gte", 200)),
        (Test("state", "eq", "AZ"), Test("bill", "gte", 200)),
        (Test("state", "eq", "AZ"), Test("bill", "gte", 100)),
    ]
    index = Index.of([(n, take_apart(parts).rows[0]) for n, parts in enumerate(wish)])
    found = index.find({"state": "CA", "bill": 150}, None)
    assert (list(found.rows), list(index.near({"state": "CA", "bill": 150}, None))) == ([0], [1, 3])
    assert sum(found.ruled_out.values()) == 3
