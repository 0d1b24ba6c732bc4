"""Conditions taken apart into rows: the ways in which they can be met, each a list of demands on single fields.

Asked by ``board`` for every order of a large book; ``index`` holds the rows. What looks at the clock, or would come
apart into too many rows, is given back to be asked.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from leadmill.core.predicates import All, Not, Predicate, Test
from leadmill.core.spans import moment

MOST_ROWS = 8
"""A condition with more ways to be met than this is asked, not indexed."""

NUMBER, MOMENT = "", "@"
SCORE = "score"


class Demand(NamedTuple):
    """What a row demands of one field: ``kind`` is a comparison, with ``not`` before it where it must fail."""

    field: str
    kind: str
    operand: Any = None


Row = tuple[Demand, ...]


class Taken(NamedTuple):
    """A condition taken apart: the rows of which one must be met, and the parts that must be asked besides."""

    rows: list[Row]
    asked: list[Predicate]


def take_apart(parts: Sequence[Predicate], min_score: int | None = None) -> Taken:
    """The rows of a condition, given as the parts that must all hold, and the parts that cannot be indexed."""
    first: Row = () if min_score is None else (Demand("", SCORE, min_score),)
    rows: list[Row] = [first]
    asked: list[Predicate] = []
    found = [(part, _ways(part, True)) for part in parts]
    # Those met in one way first, so that the others share what room there is.
    for part, ways in sorted(found, key=lambda each: len(each[1]) if each[1] is not None else 0):
        if ways is None or len(ways) * len(rows) > MOST_ROWS:
            asked.append(part)
        else:
            rows = [row + way for row, way in product(rows, ways)]
    return Taken(rows, asked)


def _ways(pred: Predicate, wanted: bool) -> list[Row] | None:
    """The ways in which a condition can come out as wanted; None where it must be asked."""
    if isinstance(pred, Test):
        return _ways_of_test(pred, wanted)
    if isinstance(pred, Not):
        return _ways(pred.part, not wanted)
    if isinstance(pred, All) is wanted:
        together: list[Row] = [()]
        for part in pred.parts:
            ways = _ways(part, wanted)
            if ways is None or len(ways) * len(together) > MOST_ROWS:
                return None
            together = [row + way for row, way in product(together, ways)]
        return together
    either: list[Row] = []
    for part in pred.parts:
        ways = _ways(part, wanted)
        if ways is None:
            return None
        either += ways
    merged = _merged(either)
    return merged if len(merged) <= MOST_ROWS else None


def _merged(ways: list[Row]) -> list[Row]:
    """``state is CA or state is AZ`` as the one demand that it is."""
    kept: list[Row] = []
    lists: dict[tuple[str, str], tuple[Any, ...]] = {}
    for way in ways:
        if len(way) == 1 and way[0].kind in ("in", "prefix"):
            field, kind, operand = way[0]
            lists[field, kind] = lists.get((field, kind), ()) + operand
        else:
            kept.append(way)
    return [(Demand(field, kind, operand),) for (field, kind), operand in lists.items()] + kept


def _ways_of_test(test: Test, wanted: bool) -> list[Row] | None:
    field, op, operand = test.field, test.op, test.operand
    if op == "exists":
        return [(Demand(field, "given" if bool(operand) is wanted else "absent"),)]
    if op in ("older_than", "within"):
        return None
    sign = "" if wanted else "not "
    if op in ("eq", "in", "ne"):
        keys = tuple(_member_key(item) for item in (operand if isinstance(operand, tuple) else (operand,)))
        if op != "ne":
            return [(Demand(field, f"{sign}in", keys),)]
        if wanted:
            return [(Demand(field, "given"), Demand(field, "not in", keys))]
        return [(Demand(field, "absent"),), (Demand(field, "in", keys),)]
    if op == "prefix":
        heads = operand if isinstance(operand, tuple) else (operand,)
        return [(Demand(field, f"{sign}prefix", tuple(str(head).removesuffix("*").casefold() for head in heads)),)]
    if isinstance(operand, str):
        bound = moment(operand)
        return [(Demand(field, f"{sign}{op}{MOMENT}", bound),)] if bound is not None else None
    if isinstance(operand, tuple) or operand != operand:
        return None
    return [(Demand(field, f"{sign}{op}{NUMBER}", operand),)]


def _member_key(item: object) -> object:
    """What equal values share: case is nothing, and yes and no are no numbers."""
    if isinstance(item, str):
        return item.casefold()
    return ("flag", item) if isinstance(item, bool) else item
