"""What kind of value each name of evidence must hold, and how one that was written otherwise is read.

Called by the engine: which names hold yes or no and which a number follows from how the packs compare them. A case that
says ``"true"`` or ``1`` means yes; what can be read as neither is no evidence, and is said to be unreadable. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, Literal

from leadmill.core.predicates import All, AnyOf, Not, Predicate, Test, parse
from leadmill.policy.model import Law

Shape = Literal["flag", "number"]

_YES = frozenset(("true", "yes", "y", "1", "on"))
_NO = frozenset(("false", "no", "n", "0", "off"))
_ORDERED = frozenset(("gt", "gte", "lt", "lte"))


def shapes_of(laws: Iterable[Law]) -> dict[str, Shape]:
    """The names that any rule, term or provision compares with yes or no, or with a number."""
    found: dict[str, Shape] = {}
    for law in laws:
        conditions: list[Predicate] = [parse(list(rule.when), f"rule {rule.id}") for rule in law.rules]
        conditions += [term.when for term in law.terms] + [one.when for one in law.provisions]
        for test in (test for condition in conditions for test in _tests(condition)):
            if test.op in ("eq", "ne") and isinstance(test.operand, bool):
                found[test.field] = "flag"
            elif test.op in _ORDERED and isinstance(test.operand, int | float):
                found[test.field] = "number"
    return found


def _tests(one: Predicate) -> Iterator[Test]:
    if isinstance(one, Test):
        yield one
    elif isinstance(one, Not):
        yield from _tests(one.part)
    elif isinstance(one, All | AnyOf):
        for part in one.parts:
            yield from _tests(part)


def fits(value: object, shape: Shape) -> bool:
    """Whether a value is of the kind asked for, as it stands."""
    if shape == "flag":
        return value is True or value is False
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def flag_in(value: object) -> bool | None:
    """Yes or no, however it is written; None where it is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    word = value.strip().casefold() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None


def number_in(value: object) -> float | None:
    """A finite number, also one written as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def shaped(value: object, shape: Shape) -> Any:
    """The value as the kind asked for; None where it cannot be read so."""
    return flag_in(value) if shape == "flag" else number_in(value)


NO_SHAPES: Mapping[str, Shape] = {}
