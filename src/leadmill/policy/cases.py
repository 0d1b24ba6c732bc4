"""Policy cases as they are written: a line merged over its base, relative times made absolute.

Called by ``leadmill policy check`` and by the packs' own examples. The bases are cases in order for every action at a
weekday's noon; they lie beside this file. ``docs/policy.md`` has the format.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from leadmill.core.faults import BadInput
from leadmill.core.spans import moment

_BASES = Path(__file__).with_name("bases.json")
_APART = ("base", "expect", "title")
_WORDS = ("text",)
"""Keys under which a person's own words stand, which are never times."""

TOLD = range(1900, 2200)
"""The years of which cases speak; calendars end somewhere."""

_RELATIVE = re.compile(r"(now|today)(?:([+-])([0-9]{1,6})([dhm]))?")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@lru_cache(1)
def bases() -> dict[str, dict[str, Any]]:
    """The bases by name."""
    found: dict[str, dict[str, Any]] = msgspec.json.decode(_BASES.read_bytes())
    return found


def read_case(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The whole case of a line. Raises BadInput ``policy.case.malformed`` where its base is unknown or it has no
    ``now``."""
    name = raw.get("base")
    found: Any = {}
    if name is not None:
        found = bases().get(name) if isinstance(name, str) else None
        if found is None:
            raise BadInput("policy.case.malformed", f"there is no base of this name; known: {', '.join(bases())}")
    case: dict[str, Any] = merged(found, {key: value for key, value in raw.items() if key not in _APART})
    now = moment_of(case)
    return {key: _absolute(value, now, key) for key, value in case.items()}


def moment_of(case: Mapping[str, Any]) -> datetime:
    """The moment of the decision, in UTC. Raises BadInput ``policy.case.malformed`` where it has none."""
    said = case.get("now")
    now = moment(said) if isinstance(said, str) else None
    if now is None or now.year not in TOLD:
        raise BadInput("policy.case.malformed", 'now: must be a moment such as "2026-11-23T19:00:00Z"')
    return now


def merged(under: Any, over: Any) -> Any:
    """``over`` laid over ``under``: tables key by key, None takes a key away, anything else replaces."""
    if not isinstance(over, Mapping):
        return over
    made = dict(under) if isinstance(under, Mapping) else {}
    for key, value in over.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def _absolute(value: Any, now: datetime, key: str = "") -> Any:
    if isinstance(value, str):
        value = value.strip()
        found = _RELATIVE.fullmatch(value) if value[:1] in "nt" and key not in _WORDS else None
        return _resolved(found, now) if found else value
    if isinstance(value, Mapping):
        return {name: _absolute(item, now, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_absolute(item, now, key) for item in value]
    return value


def _resolved(found: re.Match[str], now: datetime) -> str:
    word, sign, count, unit = found.groups()
    shift = timedelta(**{_UNITS[unit]: int(count)}) if unit else timedelta()
    try:
        at = now - shift if sign == "-" else now + shift
    except OverflowError:
        raise BadInput("policy.case.malformed", "a relative time leads out of the calendar") from None
    return at.astimezone(UTC).date().isoformat() if word == "today" else stamp(at)


def stamp(at: datetime) -> str:
    """A moment in UTC as results write it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any] | BadInput]]:
    """Each line's number and case; in place of one that cannot be read, what is wrong with it. Empty lines are left
    out."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw = msgspec.json.decode(line)
            if not isinstance(raw, dict):
                raise BadInput("policy.case.malformed", "a line must be one JSON object")
            yield number, raw
        except (msgspec.DecodeError, RecursionError) as fault:
            yield number, BadInput("policy.case.malformed", f"not JSON: {fault}")
        except BadInput as fault:
            yield number, fault
