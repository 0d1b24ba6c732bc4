"""How the platform hashes, how its files read, and what is reported of whom. Pure.

Standardising follows the technical specifications, field by field, and their examples are the tests: a difference in
one letter would find nobody and say nothing.
"""

import base64
import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import product
from pathlib import PurePath

from leadmill.core.faults import BadInput
from leadmill.privacy.drop.model import EVERY, LISTS, REMOVED, Clock, DropFile, Line, List, Status

KeyedHash = Callable[[str, str], bytes]

MOST_LINES = 5_000_000
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=")
_SPACES = re.compile(r"\s+")
_UNSPELT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"})
# fmt: off
_CYRILLIC = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ", (
    "a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh",
    "ts", "ch", "sh", "shch", "", "y", "", "e", "iu", "ia", "i", "i", "ie", "g",
), strict=True))
_GREEK = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", (
    "a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t", "y", "f", "ch",
    "ps", "o",
), strict=True))
# fmt: on
_TO_LATIN = str.maketrans({**_CYRILLIC, **_GREEK})


def hashed(standard: str) -> str:
    """The Base64 of the SHA-256 of a standardised value in UTF-8."""
    return base64.b64encode(hashlib.sha256(standard.encode()).digest()).decode()


def hashed_together(standards: Sequence[str]) -> str:
    """The hash of several: each hashed, the hashes set behind one another, and hashed again."""
    return hashed("".join(hashed(each) for each in standards))


def standard_email(text: str) -> str:
    """Without white space, in lower case; dots and plus signs stay."""
    return _SPACES.sub("", text).lower()


def standard_phone(text: str) -> str:
    """The last ten digits, or all where there are fewer."""
    return "".join(c for c in text if c.isascii() and c.isdigit())[-10:]


def standard_name(text: str) -> str:
    """Lower case, letters and digits alone; accents fall away, Greek and Cyrillic are written in Latin letters, other
    scripts stay as they are."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    plain = unicodedata.normalize("NFKC", bare.translate(_UNSPELT).translate(_TO_LATIN))
    return "".join(c for c in plain if c.isalnum())


def standard_birth(text: str) -> str:
    """``YYYYMMDD`` of an ISO date; nothing where it is none."""
    try:
        return date.fromisoformat(text.strip()[:10]).strftime("%Y%m%d")
    except ValueError:
        return ""


def standard_zip(text: str) -> str:
    """Lower case letters and digits without what follows a hyphen, without zeros in front, five at most."""
    plain = "".join(c for c in text.partition("-")[0] if c.isascii() and c.isalnum()).lower()
    return plain.lstrip("0")[:5]


def standard_device(text: str) -> str:
    """Letters and digits alone, in lower case: devices' and vehicles' numbers."""
    return "".join(c for c in text if c.isascii() and c.isalnum()).lower()


_STANDARD: Mapping[str, Callable[[str], str]] = {
    "email": standard_email,
    "phone": standard_phone,
    "first_name": standard_name,
    "last_name": standard_name,
    "date_of_birth": standard_birth,
    "zip": standard_zip,
    "vin": standard_device,
    "maid": standard_device,
    "ctv_id": standard_device,
}


def identifiers(values: Mapping[str, Iterable[str]]) -> Iterator[tuple[List, str]]:
    """Every hash under which a list may have somebody who ever gave these values, by the names of fields: of several
    names, dates or ZIPs each with each, as the platform counts them."""
    standards = {
        name: sorted({found for text in values.get(name, ()) if (found := standard(text))})
        for name, standard in _STANDARD.items()
    }
    for of, fields in LISTS.items():
        if len(fields) == 1:
            yield from ((of, hashed(each)) for each in standards[fields[0]])
        elif all(standards[name] for name in fields):
            yield from ((of, hashed_together(parts)) for parts in product(*(standards[name] for name in fields)))


def key_of(keyed_hash: KeyedHash, of: List, entry: str) -> bytes:
    """The key under which an entry is kept: it tells nothing to anybody without this installation's key."""
    return keyed_hash(f"drop-{of}", entry)


def listed_digest(entry: str) -> str:
    """The hexadecimal digits of an entry's SHA-256: how lists of opt-outs hold it."""
    return base64.b64decode(entry).hex()


def list_of(name: str) -> tuple[List | None, bool]:
    """Which list a file is by its name, ``<YYYYMMDD>_<broker>_<list>[_<suffix>].csv``, and whether it withdraws
    entries; None where the name does not say."""
    parts = PurePath(name).stem.split("_")
    if REMOVED in parts:
        return None, True
    return next((of for of in LISTS for part in parts if part.casefold() == of.casefold()), None), False


def read_list(name: str, text: str, of: List | None = None) -> DropFile:
    """A list as a file holds it. Raises BadInput ``privacy.drop.unnamed`` where neither the name nor ``of`` says which
    list it is, ``privacy.drop.header`` where it does not begin as the platform's files do, and
    ``privacy.drop.too_long``."""
    named, removed = list_of(name)
    found = of or named
    if found is None and not removed:
        raise BadInput("privacy.drop.unnamed", f"{name}: say which list it is: {', '.join(LISTS)}")
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    head = [each.strip().lower() for each in next(rows, [])]
    if head[:2] != ["id", "hash"]:
        raise BadInput("privacy.drop.header", f"{name}: the first line must be ID,Hash")
    lines: dict[str, Line] = {}
    wrong: list[int] = []
    for number, row in enumerate(rows, 2):
        if not any(each.strip() for each in row):
            continue
        if number > MOST_LINES:
            raise BadInput("privacy.drop.too_long", f"{name}: at most {MOST_LINES:,} lines; split it")
        if len(row) < 2 or not _ID.fullmatch(row[0].strip()) or not _HASH.fullmatch(row[1].strip()):
            wrong.append(number)
            continue
        line = Line(row[0].strip(), row[1].strip())
        lines[line.id] = line
    return DropFile(PurePath(name).name, found, tuple(lines.values()), removed, tuple(wrong))


def write_report(statuses: Mapping[str, Status], ids: Iterable[str]) -> str:
    """The file that answers a list: a line for each of its entries that has a status."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["Id", "Status"])
    writer.writerows([each, int(statuses[each])] for each in ids if each in statuses)
    return out.getvalue()


def clock_of(last: datetime | None, now: datetime) -> Clock:
    """Where the duty to fetch lists stands. Where none was ever fetched, nobody can say when it began."""
    due = last + EVERY if last is not None else None
    return Clock(last, due, due is not None and now > due)
