"""Registries of numbers, taken in from files: do-not-call lists of the nation and of states, and what the database of
reassigned numbers said.

Called by the command ``dnc``. Numbers are kept as keyed hashes alone. A list is taken in by chunks, so that a large
file makes no long transaction; until it is whole, whoever is on the old version or on the new one counts as listed,
and the list is as old as the old one. Only American numbers are read: the registries hold no others.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from leadmill.parties import KeyedHash
from leadmill.policy.model import Registry
from leadmill.policy.store import numbers
from leadmill.runtime.db import Database

T = TypeVar("T")

_CHUNK = 10_000
_SHOWN = 20
_DIGITS = re.compile(r"[0-9]")
_NUMBER = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")
_RESULTS = {
    **dict.fromkeys(("yes", "y", "true", "1"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0"), "no"),
    **dict.fromkeys(("no_data", "no data", "nodata", "unknown"), "no_data"),
}


class TakenIn(Struct, frozen=True):
    """What came of a file: how many entries were ``read``; ``unreadable`` are neither a number nor empty, and the first
    of their lines stand in ``lines``."""

    read: int = 0
    unreadable: int = 0
    lines: tuple[int, ...] = ()


def number_in(line: str) -> str | None:
    """The American number in a line, in E.164: in its first column, or in two, as the national registry writes it
    (``201,5550123``); None where there is none."""
    columns = [column.strip() for column in line.split(",")]
    for text in (columns[0], "".join(columns[:2])):
        digits = "".join(_DIGITS.findall(text))
        digits = digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
        if _NUMBER.fullmatch(digits):
            return f"+1{digits}"
    return None


def result_in(line: str) -> tuple[str, str] | None:
    """The number in a line and what was said of it in its last column: yes, no or no_data. None where either cannot
    be read."""
    number = number_in(line.partition(",")[0])
    result = _RESULTS.get(line.rpartition(",")[2].strip().strip('"').lower())
    return (number, result) if number is not None and result is not None else None


async def take_registry(
    db: Database,
    keyed_hash: KeyedHash,
    registry: str,
    as_of: date,
    lines: Iterable[str],
    now: datetime,
    *,
    add: bool = False,
) -> TakenIn:
    """Take in a registry's version of a date: all of its numbers, or with ``add`` what came to it. ``registry`` is
    ``federal`` or a state's two letters."""
    told = _Tally()
    numbers_in = told.each(lines, number_in)
    while chunk := list(islice(numbers_in, _CHUNK)):
        hashes = sorted({keyed_hash("phone", number) for number in chunk})
        async with db.begin() as tx:
            await numbers.list_numbers(tx, registry, as_of, hashes)
    async with db.begin() as tx:
        if not add:
            await numbers.drop_numbers(tx, registry, as_of)
        await numbers.put_registry(tx, registry, as_of, now)
    return told.end()


async def take_reassigned(db: Database, keyed_hash: KeyedHash, queried_at: datetime, lines: Iterable[str]) -> TakenIn:
    """Take in what the database of reassigned numbers said; a later answer about a number takes the place of an
    earlier one."""
    told = _Tally()
    results = told.each(lines, result_in)
    while chunk := list(islice(results, _CHUNK)):
        said = {keyed_hash("phone", number): result for number, result in chunk}
        async with db.begin() as tx:
            await numbers.put_results(tx, sorted(said.items()), queried_at)
    return told.end()


async def registries_here(db: Database) -> list[Registry]:
    """The registries that are here, by name."""
    async with db.begin() as tx:
        return await numbers.list_registries(tx)


class _Tally:
    """Counts what is read of a file."""

    def __init__(self) -> None:
        self._read = 0
        self._wrong: list[int] = []
        self._unreadable = 0

    def each(self, lines: Iterable[str], read: Callable[[str], T | None]) -> Iterator[T]:
        """What the lines hold; a first line that holds nothing is a heading."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            found = read(line)
            if found is not None:
                self._read += 1
                yield found
            elif number > 1:
                self._unreadable += 1
                if len(self._wrong) < _SHOWN:
                    self._wrong.append(number)

    def end(self) -> TakenIn:
        """The counts."""
        return TakenIn(self._read, self._unreadable, tuple(self._wrong))
