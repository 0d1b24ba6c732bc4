"""What the columns of an unknown table hold: the name says it, the values confirm it, or decide where no name helps.

Called by :mod:`leadmill.linkage.service` for each file. Pure. A column that tells which records belong together, that
only numbers the records, or that says nothing of a person is left out, with the reason; what is told of a column never
holds one of its values. :mod:`leadmill.linkage.mapfile` writes the result for a person to correct.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec import Struct

from leadmill.linkage.headings import ID, TRUTH, Meaning, meaning_of, part_of
from leadmill.linkage.model import Kind
from leadmill.linkage.plain import fold
from leadmill.linkage.values import Look, NameShares, look, names_in

_LAST_YEAR = 2035
"""Later than that nobody can have been born; earlier than 1500 neither, as far as files go."""
_TRUTH = "tells which records belong together: that is the answer, not evidence"
_NUMBERS = "only numbers the records"
_NOBODY = "says nothing of who somebody is"
_KINDS = {kind.value: kind for kind in Kind}
Names = Callable[[], NameShares]
"""Tells given from family names; asked only where nothing but the values can tell, for the tables are long."""
_DATE_PARTS = ("date.year", "date.month", "date.day")


class Column(Struct, frozen=True):
    """What a column was taken for: ``target`` as in a MAP.toml (empty where it is left out, ``id`` for the record's own
    number), why, how full it is, how many values it has. ``form`` is the order of the parts, should it hold dates."""

    name: str
    target: str
    why: str
    filled: float = 0.0
    distinct: int = 0
    form: str = "ymd"

    @property
    def kind(self) -> Kind | None:
        """The kind of field, None for a column that is none."""
        head = self.target.partition(".")[0]
        return _KINDS.get(head)


def infer(table: Mapping[str, Sequence[str]], names: Names) -> tuple[Column, ...]:
    """What each column of a table holds, in the table's order. ``table`` has all values of each column, an empty text
    for none."""
    looks = {name: look(values) for name, values in table.items()}
    found = [_column(name, looks[name], values, names) for name, values in table.items()]
    found = _dates_in_parts(found, looks)
    found = _one_id(found, looks)
    found = _said_again(found, table)
    return tuple(_labelled(found))


def _column(name: str, seen: Look, values: Sequence[str], names: Names) -> Column:
    meaning = meaning_of(name)
    target, why = _decide(name, meaning, seen, values, names)
    return Column(name, target, why, seen.filled, seen.distinct, seen.form)


def _decide(name: str, meaning: Meaning | None, seen: Look, values: Sequence[str], names: Names) -> tuple[str, str]:
    if seen.distinct == 0:
        return "", "is empty"
    if meaning is not None and meaning.target == TRUTH:
        return "", _TRUTH
    if seen.distinct == 1 and seen.rows > 10:
        return "", "has one value only"
    if seen.share("record") > 0.9 or seen.share("uuid") > 0.9:
        return ID, "numbers the records"
    if meaning is not None:
        if meaning.target == ID:
            return ID, "numbers the records"
        if meaning.target == "":
            return "", _NOBODY
        if (target := _confirmed(meaning.target, seen)) is not None:
            return target, "by its name" if target == meaning.target else "by its name and its values"
    target, why = _by_values(name, seen, values, names)
    if meaning is not None and meaning.target == "full_name" and target.startswith(("text", "category")):
        return "full_name", "by its name"
    return target, why


def _confirmed(target: str, seen: Look) -> str | None:
    """The target, where the values do not contradict it; a near one where they say more."""
    kind, _, label = target.partition(".")
    match kind:
        case "email":
            return target if seen.share("at") > 0.3 else None
        case "phone" | "postcode" | "house_number":
            return target if seen.share("digit") > 0.5 and seen.share("at") < 0.3 else None
        case "date":
            return _confirmed_date(target, seen)
        case "given_name" | "family_name":
            return target if seen.share("digit") < 0.5 and seen.share("at") < 0.3 else None
        case "full_name":
            return target if seen.words > 1.3 and seen.share("at") < 0.3 and seen.share("digit") < 0.5 else None
        case "sex":
            return target if seen.distinct <= 30 else None
        case "text":
            return f"category.{label}" if seen.distinct <= 50 else target
        case _:
            return target


def _confirmed_date(target: str, seen: Look) -> str | None:
    if target != "date":
        return target if seen.share("whole") > 0.8 else None
    if seen.share("whole") > 0.8 and seen.span is not None:
        low, high = seen.span
        if low > 0 and high <= 31:
            return "date.day"
        if low >= 1000 and high <= _LAST_YEAR:
            return "date.year"
    return "date" if seen.share("date") > 0.3 or seen.share("digit") > 0.5 else None


def _by_values(name: str, seen: Look, values: Sequence[str], names: Names) -> tuple[str, str]:
    """What the values alone say."""
    share = seen.share
    why = "by its values"
    if share("at") > 0.5:
        return "email", why
    if share("link") > 0.5 or seen.length > 80:
        return "", _NOBODY
    if share("date") > 0.8 and (share("whole") < 0.5 or seen.forms.get(seen.form, 0.0) > 0.95):
        return ("date", why) if _is_birth(seen) else ("", "is a date, but as it seems not of birth")
    if share("clock") > 0.5 or share("real") > 0.5:
        return "", "is a measure or a moment"
    if share("ssn") > 0.8:
        return "identifier", why
    if share("mail_code") > 0.7:
        return "postcode", why
    if share("whole") > 0.9:
        return _by_numbers(seen)
    if share("phone") > 0.8:
        return "phone", why
    if share("sex") > 0.97 and seen.distinct <= 12:
        return "sex", why
    if share("state") > 0.9 and seen.distinct <= 150:
        return "state", why
    if share("street") > 0.5 or (share("numbered") > 0.7 and seen.words > 1.8):
        return "street", why
    if share("house") > 0.9:
        return "house_number", why
    if share("counter") > 0.95 and seen.unique > 0.3:
        return (ID, "numbers the records") if seen.unique > 0.999 else ("identifier", why)
    return _by_words(name, seen, values, names)


def _is_birth(seen: Look) -> bool:
    """Births lie decades apart, and in the past."""
    return seen.years is not None and seen.years[1] - seen.years[0] >= 15 and 1500 < seen.years[0] <= 2015


def _by_numbers(seen: Look) -> tuple[str, str]:
    low, high = seen.span or (0, 0)
    counted = low <= 0.02 * high + 1 and (seen.unique > 0.3 or (high > 500 and seen.unique > 0.02))
    if seen.dense and high > 31 and (seen.unique > 0.5 or counted):
        return (ID, "counts the records") if seen.unique > 0.999 and seen.filled == 1.0 else ("", _NUMBERS)
    if low >= 0 and seen.even and seen.length == 5 and seen.unique < 0.9:
        return "postcode", "by its values"
    if low >= 0 and 10 <= seen.length <= 13 and seen.share("phone") > 0.8:
        return "phone", "by its values"
    if low >= 0 and seen.length >= 6 and seen.unique > 0.3:
        return "identifier", "by its values"
    if low >= 1850 and high <= _LAST_YEAR and high - low >= 15:
        return "date.year?", "by its values"
    if low >= 1 and 11 <= high <= 12 and seen.distinct >= 6:
        return "date.month?", "by its values"
    if low >= 1 and 26 <= high <= 31 and seen.distinct >= 13:
        return "date.day?", "by its values"
    if low >= 200 and seen.even and seen.length == 4 and seen.unique < 0.7:
        return "postcode", "by its values"
    if low >= 0 and high <= 30_000 and seen.distinct >= 20 and not seen.even:
        return "house_number", "by its values"
    return "", "is a number of unknown meaning"


def _by_words(name: str, seen: Look, values: Sequence[str], names: Names) -> tuple[str, str]:
    label = "_".join(fold(name).replace(".", " ").split()) or "column"
    if seen.distinct <= 2 and seen.rows > 10:
        return "", _NOBODY
    if seen.share("name") > 0.8:
        given, family = names_in(list(islice(filter(None, values), 20_000)), names())
        if seen.words > 1.5 and given > 0.5 and family > 0.4:
            return "full_name", "by its values"
        if max(given, family) > 0.4:
            return ("given_name", "by its values") if given > family else ("family_name", "by its values")
    if seen.distinct <= 50 or seen.unique < 0.002:
        return f"category.{label}", "by its values"
    return (f"text.{label}", "by its values") if seen.length < 60 else ("", "is free text")


def _dates_in_parts(found: list[Column], looks: Mapping[str, Look]) -> list[Column]:
    """Year, month and day in columns of their own: by what names say, or where neighbours look like the three."""
    said = [column.target.rstrip("?") for column in found]
    told = {target for column, target in zip(found, said, strict=True) if not column.target.endswith("?")}
    loose = [part_of(column.name) for column in found]
    if "date" not in told and not told & set(_DATE_PARTS) and set(_DATE_PARTS) <= set(loose):
        ready = [
            msgspec.structs.replace(column, target=part, why="by its name")
            if part and looks[column.name].share("whole") > 0.8
            else column
            for column, part in zip(found, loose, strict=True)
        ]
        return [_doubtful_left_out(column) for column in ready]
    maybe = {column.target.rstrip("?") for column in found if column.target.endswith("?")}
    whole = "date" not in told and set(_DATE_PARTS) <= maybe | told
    taken = set(told)
    done = []
    for column in found:
        part = column.target.rstrip("?")
        if column.target.endswith("?") and whole and part not in taken:
            taken.add(part)
            column = msgspec.structs.replace(column, target=part)
        elif column.target == "date.day" and {"date.year", "date.month"} - told:
            column = msgspec.structs.replace(column, target="", why="is a day without a month or year")
        done.append(_doubtful_left_out(column))
    return done


def _doubtful_left_out(column: Column) -> Column:
    if column.target.endswith("?"):
        return msgspec.structs.replace(column, target="", why="is a number of unknown meaning")
    return column


def _one_id(found: list[Column], looks: Mapping[str, Look]) -> list[Column]:
    """Of the columns that number records the first that is unique is the record's; the others are left out."""
    chosen = next(
        (
            column.name
            for column in found
            if column.target == ID and looks[column.name].filled == 1.0 and column.distinct == looks[column.name].rows
        ),
        None,
    )
    return [
        msgspec.structs.replace(column, target="", why=_NUMBERS)
        if column.target == ID and column.name != chosen
        else column
        for column in found
    ]


def _said_again(found: list[Column], table: Mapping[str, Sequence[str]]) -> list[Column]:
    """Leave out a column that stands twice. What one column holds of another the engine takes off (``derived``)."""
    done: list[Column] = []
    for column in found:
        again = ""
        if column.kind is not None:
            twin = next(
                (one.name for one in done if one.kind is column.kind and _same(table, one.name, column.name)), ""
            )
            again = f"is the same as '{twin}'" if twin else ""
        done.append(msgspec.structs.replace(column, target="", why=again) if again else column)
    return done


def _sample(table: Mapping[str, Sequence[str]], one: str, other: str) -> list[tuple[str, str]]:
    step = max(1, len(table[one]) // 500)
    pairs = zip(table[one][::step], table[other][::step], strict=True)
    return [(fold(a), fold(b)) for a, b in pairs if a and b]


def _same(table: Mapping[str, Sequence[str]], one: str, other: str) -> bool:
    pairs = _sample(table, one, other)
    return len(pairs) > 5 and sum(a == b for a, b in pairs) > 0.98 * len(pairs)


def _labelled(found: list[Column]) -> list[Column]:
    """Give every field a name of its own: the second phone is ``phone.2``."""
    taken: set[str] = set()
    done = []
    for column in found:
        target, number = column.target, 1
        while target and target != ID and target in taken:
            number += 1
            target = f"{column.target.partition('.')[0]}.{number}"
        taken.add(target)
        done.append(msgspec.structs.replace(column, target=target) if target != column.target else column)
    return done
