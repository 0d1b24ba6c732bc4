"""How much of what repeats in a column is strangers'."""

import numpy as np
import pytest

from leadmill.linkage import Field, Kind
from leadmill.linkage.repeats import Repeats, Row, usual_shares
from leadmill.linkage.table import Table, read_table


def pairs_of_two(kind: Kind, pairs: int = 200) -> Table:
    """A column in which every value stands twice."""
    values = [f"value {at // 2}" for at in range(2 * pairs)]
    return read_table({"it": values}, [Field("it", kind)])


def repeats(kind: Kind, table: Table) -> Repeats:
    """What repeats in it, seen in the pairs that share a value."""
    column = table.columns[0]
    share = usual_shares(table)[0]
    assert share is not None
    count = len(column.counts)
    common = np.log2(share.known).astype(np.float32)
    shown = Row(np.zeros(count, np.int8), common, np.ones(count))
    none = Row(np.zeros(0, np.int8), np.zeros(0, np.float32), np.zeros(0))
    return Repeats(column, np.ones(count, np.bool_), True, shown, none)


@pytest.mark.parametrize(
    ("kind", "least", "most"), [(Kind.EMAIL, 0.0, 0.01), (Kind.DATE, 0.001, 0.1), (Kind.GIVEN_NAME, 0.9, 1.0)]
)
def test_without_other_fields_what_repeats_is_as_usual_for_its_kind(kind: Kind, least: float, most: float) -> None:
    found = repeats(kind, pairs_of_two(kind))
    for _ in range(20):
        found.learn(np.zeros(len(found.same)))  # the other fields say nothing
    assert least <= found.part <= most


@pytest.mark.parametrize(("kind", "strangers"), [(Kind.EMAIL, 0.8), (Kind.GIVEN_NAME, 0.1), (Kind.EMAIL, 0.1)])
def test_other_fields_tell_how_much_of_it_is_strangers(kind: Kind, strangers: float) -> None:
    found = repeats(kind, pairs_of_two(kind))
    odds = np.where(np.arange(len(found.same)) < strangers * len(found.same), -30.0, 30.0)
    for _ in range(20):
        found.learn(odds)
    assert found.part == pytest.approx(strangers, abs=0.1)


def test_a_value_is_as_common_as_strangers_make_it() -> None:
    table = pairs_of_two(Kind.EMAIL)
    (usual,), (less,) = usual_shares(table), usual_shares(table, [np.full(200, 0.25)])
    assert usual is not None
    assert less is not None
    assert less.known == pytest.approx(usual.known / 4, rel=0.01)


def test_nothing_repeats_where_every_value_is_once() -> None:
    table = read_table({"it": ["a", "b", "c"]}, [Field("it", Kind.EMAIL)])
    found = repeats(Kind.EMAIL, table)
    assert found.pairs == 0
    assert found.part == 1.0
