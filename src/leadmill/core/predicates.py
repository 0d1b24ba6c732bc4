"""The closed language of conditions: on which leads an order, a law or a segment bears.

Read by ``market`` (orders), ``parties`` (teams), ``policy`` (packs) and segments. A condition is data, compiled once
to a closure that is the reference for every faster index. It promises to be total: whatever a field holds, a
condition answers true or false. A field that is absent or empty fails every comparison (``exists = false`` alone is
true of it); a number is compared with numbers only, text without regard to case, and a list satisfies ``eq``, ``in``
and ``prefix`` if one of its items does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, Literal, NoReturn, get_args

from msgspec import Struct

from leadmill.core.faults import BadInput
from leadmill.core.reading import nearest
from leadmill.core.spans import before, is_span, moment, span_words

Scalar = str | int | float | bool
Value = str | int | float | bool | list[str] | None
"""What a lead's field may hold; dates and times are ISO 8601 texts."""

Op = Literal["eq", "ne", "in", "gte", "gt", "lte", "lt", "prefix", "exists", "older_than", "within"]
OPS: tuple[str, ...] = get_args(Op)

Check = Callable[[Mapping[str, Value], datetime], bool]
"""A compiled condition: the lead's values and the moment of the decision (UTC)."""

_DEEP = 20
_SKEW = timedelta(days=1)


class Test(Struct, frozen=True, tag="test"):
    """One comparison of one field. ``operand`` is a tuple for ``in`` and ``prefix``, a bool for ``exists``, a span
    such as ``90d`` for ``older_than`` and ``within``, otherwise a scalar."""

    __test__ = False  # the name must not make pytest collect it

    field: str
    op: Op
    operand: str | int | float | bool | tuple[str | int | float | bool, ...]


class All(Struct, frozen=True, tag="all"):
    """True where every part is; an empty one is true."""

    parts: "tuple[Test | All | AnyOf | Not, ...]" = ()


class AnyOf(Struct, frozen=True, tag="any"):
    """True where at least one part is."""

    parts: "tuple[Test | All | AnyOf | Not, ...]"


class Not(Struct, frozen=True, tag="not"):
    """True where the part is not."""

    part: "Test | All | AnyOf | Not"


Predicate = Test | All | AnyOf | Not
EVERYTHING = All()


# Reading and writing


def parse(raw: object, where: str = "where") -> Predicate:
    """The condition written as tables. A list means all of its parts; several comparisons in one table mean all of
    them.

    Raises :class:`BadInput` ``config.predicate.malformed``; the message begins with the place, ``where`` being the
    root's."""
    return _parse(raw, where, 0)


def _parse(raw: object, where: str, depth: int) -> Predicate:
    if depth > _DEEP:
        _refuse(where, f"is nested more than {_DEEP} deep")
    if isinstance(raw, list | tuple):
        return All(tuple(_parse(part, f"{where}[{place}]", depth + 1) for place, part in enumerate(raw)))
    if not isinstance(raw, Mapping):
        _refuse(where, 'must be a table such as { field = "state", in = ["CA"] }')
    for joint in ("all", "any", "not"):
        if joint in raw:
            if len(raw) > 1:
                extra = next(str(key) for key in raw if key != joint)
                _refuse(where, f"'{extra}' cannot stand beside '{joint}'; put it in a table of its own")
            return _parse_joint(joint, raw[joint], f"{where}.{joint}", depth + 1)
    return _parse_tests(raw, where)


def _parse_joint(joint: str, raw: object, where: str, depth: int) -> Predicate:
    if joint == "not":
        return Not(_parse(raw, where, depth))
    if not isinstance(raw, list | tuple):
        _refuse(where, "must be a list of conditions")
    parts = tuple(_parse(part, f"{where}[{place}]", depth) for place, part in enumerate(raw))
    if joint == "all":
        return All(parts)
    if not parts:
        _refuse(where, "needs at least one condition")
    return AnyOf(parts)


def _parse_tests(raw: Mapping[Any, Any], where: str) -> Predicate:
    for key in raw:
        if key != "field" and key not in OPS:
            _refuse(where, f"'{key}' is not known here; {nearest(str(key), ('field', 'all', 'any', 'not', *OPS))}")
    field = raw.get("field")
    if not isinstance(field, str) or not field.strip():
        _refuse(where, "names no field")
    tests = tuple(Test(field, op, _operand(op, raw[op], f"{where}, {op}")) for op in get_args(Op) if op in raw)
    if not tests:
        _refuse(where, f"compares '{field}' with nothing; add one of {', '.join(OPS)}")
    return tests[0] if len(tests) == 1 else All(tests)


def _operand(op: str, raw: object, where: str) -> Any:
    if op == "exists":
        if not isinstance(raw, bool):
            _refuse(where, "must be true or false")
        return raw
    if op == "in":
        items = raw if isinstance(raw, list | tuple) else ()
        if not items:
            _refuse(where, "must be a list of at least one value")
        return tuple(_scalar(item, where) for item in items)
    if op == "prefix":
        heads = raw if isinstance(raw, list | tuple) else (raw,)
        if not heads or not all(isinstance(head, str) and head and "*" not in head[:-1] for head in heads):
            _refuse(where, 'must be a beginning such as "94" or "94*", or a list of them')
        return tuple(heads)
    if op in ("older_than", "within"):
        if not isinstance(raw, str) or not is_span(raw):
            _refuse(where, "must be a span such as 12h, 90d, 2w, 6mo or 18y")
        return raw
    found = _scalar(raw, where)
    ordered = isinstance(found, int | float) and not isinstance(found, bool)
    ordered = ordered or (isinstance(found, str) and moment(found) is not None)
    if op in ("gte", "gt", "lte", "lt") and not ordered:
        _refuse(where, "must be a number or a date such as 2026-01-05")
    return found


def _scalar(raw: object, where: str) -> Scalar:
    if isinstance(raw, date):
        return raw.isoformat()
    if isinstance(raw, int | float) and not abs(raw) < 2**63:
        _refuse(where, "must be a finite number of at most 18 digits")
    if isinstance(raw, str) and not raw:
        _refuse(where, "is empty; use exists = false for a field that is absent or empty")
    if not isinstance(raw, str | int | float):
        _refuse(where, "must be a text, a number or true or false")
    return raw


def _refuse(where: str, says: str) -> NoReturn:
    raise BadInput("config.predicate.malformed", f"{where}: {says}")


def encode(pred: Predicate) -> dict[str, Any]:
    """The tables that :func:`parse` reads back to an equal condition."""
    match pred:
        case Test(field, op, operand):
            return {"field": field, op: list(operand) if isinstance(operand, tuple) else operand}
        case All(parts):
            return {"all": [encode(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [encode(part) for part in parts]}
        case Not(part):
            return {"not": encode(part)}


def fields_of(pred: Predicate) -> frozenset[str]:
    """The fields a condition looks at."""
    return frozenset(test.field for test in _tests(pred))


def _tests(pred: Predicate) -> Iterator[Test]:
    match pred:
        case Test():
            yield pred
        case Not(part):
            yield from _tests(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _tests(part)


# Deciding


def compile_predicate(pred: Predicate) -> Check:
    """The condition as a function. It never raises."""
    match pred:
        case Test():
            return _compile_test(pred)
        case Not(part):
            inner = compile_predicate(part)
            return lambda values, now: not inner(values, now)
        case All(parts):
            return _all([compile_predicate(part) for part in parts])
        case AnyOf(parts):
            return _any([compile_predicate(part) for part in parts])


def _all(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(values: Mapping[str, Value], now: datetime) -> bool:
        for one in checks:  # noqa: SIM110 a loop takes half the time of all() here
            if not one(values, now):
                return False
        return True

    return check


def _any(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(values: Mapping[str, Value], now: datetime) -> bool:
        for one in checks:  # noqa: SIM110 as above
            if one(values, now):
                return True
        return False

    return check


def _compile_test(test: Test) -> Check:
    field, op, operand = test.field, test.op, test.operand
    if op == "exists":
        wanted = bool(operand)
        return lambda values, now: is_given(values.get(field)) is wanted
    if op in ("older_than", "within"):
        return _aged(field, str(operand), older=op == "older_than")
    if op == "prefix":
        heads = tuple(str(head).removesuffix("*").casefold() for head in _items(operand))
        return _over_items(field, lambda item: isinstance(item, str) and item.casefold().startswith(heads))
    if op in ("eq", "in"):
        return _over_items(field, _member(_items(operand)))
    if op == "ne":
        same = _over_items(field, _member(_items(operand)))
        return lambda values, now: values.get(field) not in _EMPTY and not same(values, now)
    return _ordered(field, op, operand)


_EMPTY: tuple[Any, ...] = (None, "", [])


def is_given(value: object) -> bool:
    """Whether a field that holds this is there at all, as ``exists`` means it."""
    return value not in _EMPTY


def _items(operand: object) -> tuple[Any, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _member(wanted: tuple[Any, ...]) -> Callable[[object], bool]:
    texts = frozenset(item.casefold() for item in wanted if isinstance(item, str))
    numbers = frozenset(item for item in wanted if isinstance(item, int | float) and not isinstance(item, bool))
    flags = frozenset(item for item in wanted if isinstance(item, bool))

    def member(item: object) -> bool:
        if isinstance(item, str):
            return item != "" and item.casefold() in texts
        if isinstance(item, bool):
            return item in flags
        return isinstance(item, int | float) and item in numbers

    return member


def _over_items(field: str, hit: Callable[[object], bool]) -> Check:
    def check(values: Mapping[str, Value], now: datetime) -> bool:
        value = values.get(field)
        if isinstance(value, list | tuple):
            return any(item != "" and hit(item) for item in value)
        return value != "" and hit(value)

    return check


_ORDER: dict[str, Callable[[Any, Any], bool]] = {"gte": ge, "gt": gt, "lte": le, "lt": lt}


def _ordered(field: str, op: str, operand: Any) -> Check:
    holds = _ORDER[op]
    if not isinstance(operand, str):

        def of_numbers(values: Mapping[str, Value], now: datetime) -> bool:
            value = values.get(field)
            return isinstance(value, int | float) and not isinstance(value, bool) and holds(value, operand)

        return of_numbers
    bound = moment(operand)

    def of_moments(values: Mapping[str, Value], now: datetime) -> bool:
        value = values.get(field)
        found = moment(value) if isinstance(value, str) else None
        return found is not None and holds(found, bound)

    return of_moments


def _aged(field: str, span: str, older: bool) -> Check:
    """``older_than`` is true from the moment the span is full, ``within`` until then. A moment in the future is
    within no span, save for one day that differing clocks and time zones may put between a caller and us."""

    def check(values: Mapping[str, Value], now: datetime) -> bool:
        value = values.get(field)
        found = moment(value) if isinstance(value, str) else None
        if found is None or not isinstance(value, str):
            return False
        edge = before(now, span)
        if len(value) == 10:  # a bare date counts by days: a person is 18 from the first minute of the birthday
            edge = edge.replace(hour=0, minute=0, second=0, microsecond=0)
            if not older and found == edge:
                return False
        if older:
            return found <= edge
        return edge < found and found - now <= _SKEW

    return check


# Speaking

_WORDS = {
    "eq": ("is", "is not"),
    "ne": ("is not", "is"),
    "in": ("is", "is not"),
    "gte": ("is at least", "is not at least"),
    "gt": ("is over", "is not over"),
    "lte": ("is at most", "is not at most"),
    "lt": ("is under", "is not under"),
    "prefix": ("begins with", "does not begin with"),
    "older_than": ("is at least", "is not at least"),
    "within": ("lies within the last", "does not lie within the last"),
}


def describe(pred: Predicate) -> str:
    """The condition in words: ``state is CA or AZ``."""
    match pred:
        case Test():
            return _describe_test(pred, False)
        case Not(Test() as test):
            return _describe_test(test, True)
        case Not(part):
            return f"not ({describe(part)})"
        case All(parts):
            return " and ".join(_bracketed(part) for part in parts) or "every lead"
        case AnyOf(parts):
            return " or ".join(_bracketed(part) for part in parts)


def _bracketed(pred: Predicate) -> str:
    return f"({describe(pred)})" if isinstance(pred, All | AnyOf) and len(pred.parts) > 1 else describe(pred)


def _describe_test(test: Test, negated: bool) -> str:
    if test.op == "exists":
        return f"{test.field} is {'given' if bool(test.operand) is not negated else 'not given'}"
    words = f"{test.field} {_WORDS[test.op][negated]}"
    if test.op in ("older_than", "within"):
        return f"{words} {span_words(str(test.operand))}{' old' if test.op == 'older_than' else ''}"
    items = [_shown(item) for item in _items(test.operand)]
    return f"{words} {', '.join(items[:-1])} or {items[-1]}" if len(items) > 1 else f"{words} {items[0]}"


def _shown(item: object) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    return str(item)


def why_not(pred: Predicate, values: Mapping[str, Value], now: datetime) -> tuple[str, str] | None:
    """The first part that refused, as its field and the demand in words, or None where the condition holds.

    The words never contain the lead's own value, so they may stand in a reason.
    """
    if compile_predicate(pred)(values, now):
        return None
    if isinstance(pred, All):
        for part in pred.parts:
            found = why_not(part, values, now)
            if found is not None:
                return found
    first = next(_tests(pred), None)
    return (first.field if first else "", describe(pred))
