"""Values as they are compared: folded to plain lower-case ASCII, in one form a kind; an absent one is the empty text.

Pure and total: nothing is refused, because a field that cannot be read is simply compared as it stands.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from leadmill.linkage.model import Field, Kind

ABSENT = frozenset({"", "-", "--", ".", "?", "n/a", "#n/a", "na/na", "null", "(null)", "none", "nan", "nat", "unknown"})
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae", "œ": "oe", "å": "aa", "ł": "l"}
)
_NOT_NAME = re.compile(r"[^\w\s]|_")
_WORD = re.compile(r"[a-z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_MONTH_LETTERS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: f"{at:02}" for at, name in enumerate(_MONTH_LETTERS, 1)}
_MONTH_NAME = re.compile(rf"\b({'|'.join(_MONTH_LETTERS)})[a-z]*\b")
_STREET_WORDS = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "boulevard": "blvd",
    "court": "ct", "place": "pl", "square": "sq", "terrace": "ter", "highway": "hwy", "parkway": "pkwy",
    "circle": "cir", "crescent": "cres", "circuit": "cct", "apartment": "apt", "suite": "ste", "north": "n",
    "south": "s", "east": "e", "west": "w", "strasse": "str", "close": "cl",
}  # fmt: skip
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def fold(text: str) -> str:
    """Lower case without accents; umlauts are written with an e, as in German."""
    text = text.strip().lower()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text).translate(_UMLAUTS)
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).strip()


def _words(text: str) -> str:
    return " ".join(_NOT_NAME.sub(" ", text).split())


def _name(text: str) -> str:
    return _words(text.replace("'", "").replace("’", "").replace("`", ""))


def _full_name(text: str) -> str:
    """In the order it is spoken: "Smith, John" turns round, unless the comma begins a title ("Clifford, 1st baron")."""
    before, comma, after = text.partition(",")
    if comma and after.strip() and not any(sign.isdigit() for sign in after):
        text = f"{after} {before}"
    return _name(text)


def _street(text: str) -> str:
    return " ".join(_STREET_WORDS.get(word, word) for word in _words(text).split())


def _email(text: str) -> str:
    local, _, domain = text.partition("@")
    local = local.partition("+")[0]
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}" if domain else local


def _phone(text: str) -> str:
    digits = "".join(_DIGITS.findall(_whole(text))).removeprefix("00")
    return digits[-10:] if len(digits) > 10 else digits


def _whole(text: str) -> str:
    return text.removesuffix(".0")


def _postcode(text: str) -> str:
    plain = "".join(_WORD.findall(_whole(text)))
    return plain[:5] if len(plain) == 9 and plain.isdigit() else plain


def _compact(text: str) -> str:
    return "".join(_WORD.findall(_whole(text)))


def _sex(text: str) -> str:
    return {"male": "m", "man": "m", "female": "f", "woman": "f"}.get(text, text)


def plain_date(text: str, form: str = "ymd") -> str:
    """Eight digits, year first; zeros stand for a month or day not told. A text that holds no date gives its digits,
    for a broken one is still worth comparing."""
    text = _MONTH_NAME.sub(lambda found: f" m{_MONTHS[found[1]]} ", text.partition("t")[0] if ":" in text else text)
    named = re.search(r"m([0-9]{2})", text)
    parts = _DIGITS.findall(text.replace(".0 ", " ").removesuffix(".0"))
    if ":" in text and len(parts) > 3:
        parts = parts[:3]
    if named and len(parts) == 3:
        rest = [part for at, part in enumerate(parts) if at != parts.index(named[1])]
        long = max(rest, key=len)
        rest.remove(long)
        return f"{_year(long)}{named[1]}{rest[0]:0>2}"
    if len(parts) == 3:
        if len(parts[0]) == 4:
            return f"{parts[0]}{parts[1]:0>2}{parts[2]:0>2}"
        places = {"y": 0, "m": 1, "d": 2}
        year, month, day = (parts[form.index(letter)] for letter in places)
        return f"{_year(year)}{month:0>2}{day:0>2}"
    if len(parts) == 2:
        year, month = (parts[0], parts[1]) if len(parts[0]) == 4 else (parts[1], parts[0])
        return f"{_year(year)}{month:0>2}00"
    if len(parts) == 1 and len(parts[0]) == 8 and form != "ymd":
        digits = parts[0]
        day, month = (digits[:2], digits[2:4]) if form == "dmy" else (digits[2:4], digits[:2])
        return f"{digits[4:]}{month}{day}"
    if len(parts) == 1 and len(parts[0]) == 4:
        return f"{parts[0]}0000"
    return "".join(parts)


def _year(digits: str) -> str:
    """Two digits mean the hundred years that end in 2030."""
    if len(digits) > 2:
        return f"{digits:0>4}"
    return f"20{digits:0>2}" if int(digits) <= 30 else f"19{digits:0>2}"


_WRITERS: dict[Kind, Callable[[str], str]] = {
    Kind.GIVEN_NAME: _name,
    Kind.FAMILY_NAME: _name,
    Kind.FULL_NAME: _full_name,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.POSTCODE: _postcode,
    Kind.CITY: _words,
    Kind.STATE: _words,
    Kind.STREET: _street,
    Kind.HOUSE_NUMBER: _compact,
    Kind.IDENTIFIER: _compact,
    Kind.SEX: _sex,
    Kind.CATEGORY: _words,
    Kind.TEXT: _words,
}


def plain(field: Field, value: str | None) -> str:
    """The value as it is compared, empty where there is none."""
    if value is None:
        return ""
    text = fold(value)
    if text in ABSENT:
        return ""
    if field.kind is Kind.DATE:
        return plain_date(text, field.form)
    return _WRITERS[field.kind](text).strip()


def prepare(fields: Iterable[Field], record: Mapping[str, str | None]) -> tuple[str, ...]:
    """A record's values in the order of the fields, as :func:`leadmill.linkage.compare` takes them."""
    return tuple(
        plain(field, joined(record.get(column) for column in field.columns or (field.name,))) for field in fields
    )


def joined(values: Iterable[str | None]) -> str | None:
    """The parts of one field as one text, None if all are absent."""
    given = [value for value in values if value]
    return " ".join(given) if given else None
