"""One value as its field's type: the readers that the mapping compiles from a vertical's fields.

Called by :mod:`leadmill.capture.mapping`, once for every field of every vertical. A reader takes a value as it came
and whether its channel is textual (a form, a file: everything is text and must be read) or JSON (types are meant). It
returns the value as it is kept or raises :class:`Refused`; it never guesses.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from leadmill.capture.model import FieldSpec, Value

Reader = Callable[[object, bool], Value]


class Refused(Exception):
    """A value that its field cannot hold; ``code`` and ``detail`` go to the caller, the value does not."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


_FOLD = {ord(sign): None for sign in " \t\r\n_-./:;,?!'\"()[]{}#*&+|\\@$%<>=’"}

_NUMBER = re.compile(
    r"""[$€£₹]?\s*(?P<low>-?\d+(?:,\d{2,3})*(?:\.\d+)?)\s*(?P<unit>[km])?\s*%?
        (?:\s*(?:-|–|to)\s*[$€£₹]?\s*\d[\d,]*(?:\.\d+)?\s*(?P<unit2>[km])?\s*%?|\s*\+)?""",
    re.VERBOSE | re.IGNORECASE,
)
_UNITS = {"k": 1_000, "m": 1_000_000}
_AMERICAN = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T].*)?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}.*)?|\d{8}")
_YES = frozenset(("yes", "true", "y", "t", "1", "on", "x", "checked", "agree", "agreed"))
_NO = frozenset(("no", "false", "n", "f", "0", "off", "unchecked", "none"))
_FIRMS = frozenset(["llc", "inc", "ltd", "lp", "llp", "pa", "pc", "pllc", "plc", "co", "corp", "gmbh", "na", "lllp"])
_LONGEST_WORD = 60
"""Characters that yes or no has at most, signs and spaces around it included."""
_MAX_ITEMS = 200


def fold(text: str) -> str:
    """A name or an answer without case, spaces and signs, for comparing: ``TCPA-Text`` and ``tcpa_text`` are one."""
    return text.translate(_FOLD).lower()


def reader_of(spec: FieldSpec) -> Reader:
    """The reader of a field."""
    match spec.type:
        case "int":
            return _int_reader(spec)
        case "number" | "money":
            return _number_reader(spec)
        case "bool":
            return _bool_reader(spec)
        case "choice":
            return _choice_reader(spec)
        case "date":
            return _read_date
        case "list":
            return _list_reader(spec)
        case "text":
            return _text_reader(spec)


def truth(text: str) -> bool | None:
    """A word as yes or no; None where it is neither."""
    if len(text) > _LONGEST_WORD:
        return None
    word = fold(text)
    return True if word in _YES else False if word in _NO else None


def split_list(text: str) -> list[str]:
    """The items of a list written as text: by ``;``, ``|`` or line, else by comma, a legal form staying with its
    company (``Helio Solar, LLC`` is one name)."""
    for sign in ("\n", ";", "|"):
        if sign in text:
            return [item for part in text.split(sign) if (item := part.strip())]
    items: list[str] = []
    for part in text.split(","):
        if items and fold(part) in _FIRMS:
            items[-1] = f"{items[-1]}, {part.strip()}"
        elif part.strip():
            items.append(part.strip())
    return items


def _wrong(says: str) -> Refused:
    return Refused("capture.field.type", says)


def _text_reader(spec: FieldSpec) -> Reader:
    longest = spec.max_length

    def read(value: object, textual: bool) -> Value:
        if isinstance(value, str):
            text = value.strip()
        elif textual and isinstance(value, int | float):
            text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
        else:
            raise _wrong("send a text in quotes" if isinstance(value, int | float) else "send a text")
        if len(text) > longest:
            raise Refused("capture.field.too_long", f"has at most {longest} characters")
        return text

    return read


def _number(value: object, textual: bool) -> float | int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 60 else None
    if found is None:
        raise _wrong("send a number")
    unit = found["unit"] or found["unit2"]
    digits = found["low"].replace(",", "")
    if len(digits) > 18:
        raise Refused("capture.field.range", "has too many digits")
    if unit:
        exact = Decimal(digits) * _UNITS[unit.lower()]  # 1.1 million is not 1100000.0000000001
        return int(exact) if exact == exact.to_integral_value() else float(exact)
    return float(digits) if "." in digits else int(digits)


def _within(spec: FieldSpec, amount: float | int) -> float | int:
    if spec.minimum is not None and amount < spec.minimum:
        raise Refused("capture.field.range", f"is at least {spec.minimum:g}")
    if spec.maximum is not None and amount > spec.maximum:
        raise Refused("capture.field.range", f"is at most {spec.maximum:g}")
    return amount


def _number_reader(spec: FieldSpec) -> Reader:
    return lambda value, textual: _within(spec, _number(value, textual))


def _int_reader(spec: FieldSpec) -> Reader:
    def read(value: object, textual: bool) -> Value:
        amount = _number(value, textual)
        if isinstance(amount, float):
            if not amount.is_integer():
                raise _wrong("send a whole number")
            amount = int(amount)
        return _within(spec, amount)

    return read


def _bool_reader(spec: FieldSpec) -> Reader:
    yes = _YES | {fold(word) for word in spec.yes}
    no = (_NO | {fold(word) for word in spec.no}) - yes

    def read(value: object, textual: bool) -> Value:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            word = fold(value)
            if word in yes:
                return True
            if word in no:
                return False
        elif textual and value in (0, 1):
            return value == 1
        raise _wrong("send true or false")

    return read


def _choice_reader(spec: FieldSpec) -> Reader:
    """An answer that is none of the choices is kept as it came: it is what the person said, and an order may ask for
    it."""
    known = _known(spec)
    longest = spec.max_length

    def read(value: object, textual: bool) -> Value:
        if not isinstance(value, str):
            answer = str(value).lower() if isinstance(value, int | float | bool) else ""
            if fold(answer) not in known:
                raise _wrong("send one of " + ", ".join(choice.value for choice in spec.choices[:12]))
            return known[fold(answer)]
        if len(value) > longest:
            raise Refused("capture.field.too_long", f"has at most {longest} characters")
        return known.get(fold(value)) or value.strip()

    return read


def _known(spec: FieldSpec) -> dict[str, str]:
    known: dict[str, str] = {}
    for choice in spec.choices:
        for word in (choice.value, choice.label, *choice.synonyms):
            known.setdefault(fold(word), choice.value)
    return known


def _read_date(value: object, textual: bool) -> Value:
    text = value.strip() if isinstance(value, str) and len(value) <= 60 else ""
    found: date | None = None
    try:
        if iso := _ISO.fullmatch(text):
            found = date.fromisoformat(iso[1] or text)
        elif american := _AMERICAN.fullmatch(text):
            month, day, year = (int(part) for part in american.groups())
            found = date(year, month, day)
    except ValueError:
        found = None
    if found is None or not 1880 <= found.year <= 2150:
        raise _wrong("send a date as YYYY-MM-DD")
    return found.isoformat()


def _list_reader(spec: FieldSpec) -> Reader:
    known = _known(spec)

    def read(value: object, textual: bool) -> Value:
        if isinstance(value, str):
            items = split_list(value)
        elif isinstance(value, list) and all(isinstance(item, str | int | float | bool) for item in value):
            items = [item.strip() if isinstance(item, str) else str(item) for item in value]
        else:
            raise _wrong("send a list of texts")
        if len(items) > _MAX_ITEMS or any(len(item) > spec.max_length for item in items):
            raise Refused("capture.field.too_long", f"has at most {_MAX_ITEMS} items of {spec.max_length} characters")
        return [known.get(fold(item), item) if known else item for item in items if item]

    return read
