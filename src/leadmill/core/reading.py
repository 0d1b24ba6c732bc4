"""Strict reading of tables a person wrote: configuration files, packs, predicates.

Called by the decoders of every package. It promises that nothing is silently dropped: a key nobody reads is refused
with the nearest known one, and every complaint says where it stands."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn

from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.money import Money, minor_digits, parse_money


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: ``"did you mean 'state'?"``, or the known words where none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1, 0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names) or 'none'}"


def pointer(where: str, key: str = "") -> str:
    """Where a key stands in its record, as a JSON pointer. ``where`` names the record and then, behind commas, the
    tables within it: ``team west, reps[0]`` and ``zip`` give ``/reps/0/zip``."""
    steps = [*where.split(", ")[1:], *([key] if key else [])]
    plain = ".".join(step for step in steps if " " not in step).replace("[", ".").replace("]", "")
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in plain.split(".") if step)


class Table:
    """A table being read key by key; :meth:`close` refuses what was not asked for.

    ``where`` is how messages name the table (``buyer helio``), ``code`` the fault's code. Every method raises
    :class:`BadInput` with that code; a key without a default must be present.
    """

    __slots__ = ("_code", "_raw", "_read", "where")

    def __init__(self, raw: object, where: str, code: str = "config.record.malformed") -> None:
        self.where = where
        self._code = code
        self._read: set[str] = set()
        if not isinstance(raw, Mapping):
            self.refuse("must be a table")
        self._raw: Mapping[str, Any] = raw

    def refuse(self, says: str, key: str = "") -> NoReturn:
        """Raise, naming the place."""
        self.refuse_all([(key, says)])

    def refuse_all(self, mistakes: Sequence[tuple[str, str]]) -> NoReturn:
        """Raise for several mistakes at once, pairs of a key and what to do; there must be one."""
        entries = [
            FieldFault(pointer(self.where, key), self._code, f"{self.where}{f', {key}' if key else ''}: {says}")
            for key, says in mistakes
        ]
        raise BadInput(self._code, "; ".join(entry.detail for entry in entries), entries)

    def inner(self, raw: object, name: str) -> "Table":
        """A table within this one, to be read under the same code."""
        return Table(raw, f"{self.where}, {name}", self._code)

    @property
    def code(self) -> str:
        """The code of the faults it raises."""
        return self._code

    def has(self, key: str) -> bool:
        """Whether the key is there; asking makes it a known one."""
        self._read.add(key)
        return key in self._raw

    def value(self, key: str, default: Any = ...) -> Any:
        """The value as written."""
        self._read.add(key)
        found = self._raw.get(key, default)
        if found is ...:
            self.refuse("is missing", key)
        return found

    def text(self, key: str, default: Any = ...) -> str:
        """A text of 1 to 10,000 characters (a default may be empty)."""
        found = self.value(key, default)
        if key in self._raw and (not isinstance(found, str) or not found.strip() or len(found) > 10_000):
            self.refuse("must be a text", key)
        return str(found)

    def name(self, key: str = "id") -> str:
        """An identifier: lower-case letters, digits, ``-``, ``_`` and ``.``, at most 64, beginning with a letter or
        digit."""
        found = self.text(key)
        plain = found.replace("-", "").replace("_", "").replace(".", "")
        if not (
            found[0].isalnum() and plain.isascii() and plain.isalnum() and found == found.lower() and len(found) <= 64
        ):
            self.refuse("use lower-case letters, digits, '-', '_' and '.', at most 64", key)
        return found

    def flag(self, key: str, default: Any = ...) -> bool:
        """True or false."""
        found = self.value(key, default)
        if not isinstance(found, bool):
            self.refuse("must be true or false", key)
        return found

    def whole(self, key: str, default: Any = ..., least: int = 0, most: int = 10**9) -> int:
        """A whole number between ``least`` and ``most``."""
        found = self.value(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.refuse(f"must be a whole number from {least} to {most}", key)
        return found

    def rate(self, key: str) -> Decimal:
        """A share from 0 to 1, written as a text such as ``"0.70"`` so that nothing is lost in a float."""
        found = self.value(key)
        try:
            value = Decimal(found) if isinstance(found, str) else Decimal("NaN")
        except ArithmeticError:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 <= value <= 1:
            self.refuse('must be a share from 0 to 1 written as a text, such as "0.70"', key)
        return value

    def money(self, key: str, currency: str) -> Money:
        """An amount that is not negative, written as a text such as ``"65.00"``."""
        found = self.value(key)
        try:
            amount = parse_money(found, currency) if isinstance(found, str) else Money(-1, currency)
        except BadInput:
            amount = Money(-1, currency)
        if not 0 <= amount.amount < 10**15:
            places = minor_digits(currency)
            self.refuse(
                f'must be an amount in {currency} written as a text, such as "65{"." if places else ""}{"0" * places}"',
                key,
            )
        return amount

    def currency(self, key: str = "currency") -> str:
        """An ISO 4217 currency of three capital letters; USD where none is given."""
        found = self.text(key, "USD")
        if not (len(found) == 3 and found.isascii() and found.isalpha() and found.isupper()):
            self.refuse('must be three capital letters such as "USD"', key)
        return found

    def day(self, key: str, default: Any = ...) -> date | None:
        """A date, written as a TOML date or as a text ``2026-01-05``."""
        found = self.value(key, default)
        if isinstance(found, datetime) or (found is not None and not isinstance(found, date | str)):
            self.refuse("must be a date such as 2026-01-05", key)
        if isinstance(found, str):
            try:
                return date.fromisoformat(found)
            except ValueError:
                self.refuse("must be a date such as 2026-01-05", key)
        return found

    def choice(self, key: str, known: Iterable[str], default: Any = ...) -> str:
        """One of the known words."""
        found = self.value(key, default)
        words = list(known)
        if found not in words and not (key not in self._raw and found is default):
            self.refuse(f"must be one of {', '.join(words)}", key)
        return str(found)

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        """A list of texts, none empty."""
        found = self.value(key, default)
        if not isinstance(found, list | tuple) or not all(isinstance(item, str) and item.strip() for item in found):
            self.refuse("must be a list of texts", key)
        return tuple(found)

    def tables(self, key: str) -> list[Any]:
        """A list of tables, empty where the key is absent; the items are checked by whoever reads them."""
        found = self.value(key, [])
        if not isinstance(found, list):
            self.refuse("must be a list of tables", key)
        return found

    def close(self) -> None:
        """Refuse any key that no one asked for, with the nearest known one."""
        for key in self._raw:
            if key not in self._read:
                self.refuse(f"is not a key here; {nearest(str(key), self._read)}", str(key))
