"""Profiles: how a kind of system is spoken to, given once, so that a table need only name it.

A profile comes with the packs (``packs/dialects/<name>/outbound.toml``); :func:`resolve` puts a table that names one
on top of the profile's part for a delivery (``post``) or a question for a bid (``ping``), and what comes out is read
by :func:`~leadmill.runtime.dialect.read_spec` like any table that says everything itself. Nothing here has heard of
either.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

from msgspec import Struct

from leadmill.core.reading import Table, nearest
from leadmill.runtime.packs import Pack, Packs

_FAULT = "packs.dialect.malformed"
_MERGED = ("fields", "constants", "headers", "options")

Part = Literal["post", "ping"]


class Wanted(Struct, frozen=True):
    """A value that whoever names the profile must give, or may: ``says`` what it is, ``place`` where it goes in the
    request (``constants`` or ``headers``), ``name`` under which name."""

    says: str
    name: str
    required: bool = True
    place: Literal["constants", "headers"] = "constants"


class Profile(Struct, frozen=True):
    """One kind of system. ``keys`` are the values it needs by the name they are given under, ``parts`` the tables for
    ``post`` and ``ping``."""

    name: str
    title: str
    keys: dict[str, Wanted]
    parts: dict[str, dict[str, Any]]


def read_profiles(packs: Packs) -> dict[str, Profile]:
    """The profiles of the packs by name; a dialect without ``outbound.toml`` has none. What its parts say is checked by
    whoever reads them. Raises ``BadInput`` ``packs.dialect.malformed``."""
    return {name: _profile(pack) for name, pack in packs.dialects.items() if "outbound.toml" in pack.files}


def _profile(pack: Pack) -> Profile:
    where = f"{pack.name}/outbound.toml"
    table = Table(pack.file("outbound.toml"), where, _FAULT)
    keys: dict[str, Wanted] = {}
    for section, required in (("keys", True), ("optional", False)):
        raw = table.value(section, {})
        inner = Table(raw, f"{where}, {section}", _FAULT)
        for name in raw:
            keys[str(name)] = _wanted(inner, str(name), required)
    parts = {part: dict(table.value(part)) for part in ("post", "ping") if table.has(part)}
    if not parts:
        table.refuse("is missing: a profile has post, ping or both", "post")
    table.close()
    return Profile(pack.name, str(pack.file("dialect.toml").get("title", pack.name)), keys, parts)


def _wanted(table: Table, name: str, required: bool) -> Wanted:
    raw = table.value(name)
    if isinstance(raw, str):
        return Wanted(raw, name, required)
    inner = Table(raw, f"{table.where}.{name}", _FAULT)
    header = inner.text("header", "")
    found = Wanted(
        inner.text("says"), header or inner.text("name", name), required, "headers" if header else "constants"
    )
    inner.value("name", "")
    inner.close()
    return found


def resolve(raw: object, profiles: Mapping[str, Profile], part: Part, where: str, code: str) -> object:
    """The table as it would stand without a profile: the profile's part with the table's own keys over it, tables of
    names (``fields``, ``constants``, ``headers``) laid over one another. A table that names no ``dialect`` comes back
    as it is.

    Raises :class:`BadInput` ``code`` for an unknown dialect, a dialect that has no such part, a key that it does not
    know (with the nearest it does) and one that is missing.
    """
    if not isinstance(raw, Mapping) or "dialect" not in raw:
        return raw
    name = raw["dialect"]
    profile = profiles.get(name) if isinstance(name, str) else None
    if profile is None:
        _refuse(code, where, [("dialect", f"no dialect '{name}'; {nearest(str(name), profiles)}")])
    base = profile.parts.get(part)
    if base is None:
        lacks = "is not asked for bids here; write out the ping itself"
        says = lacks if part == "ping" else "is asked for bids alone; write out the delivery itself"
        _refuse(code, where, [("dialect", f"{profile.title} {says}")])
    found: dict[str, Any] = dict(base)
    for key, value in _given(raw.get("keys", {}), profile, where, code).items():
        wanted = profile.keys[key]
        found[wanted.place] = {**found.get(wanted.place, {}), wanted.name: value}
    for key, value in raw.items():
        if key in ("dialect", "keys"):
            continue
        laid = key in _MERGED and isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = {**found[key], **value} if laid else value
    return found


def _given(raw: object, profile: Profile, where: str, code: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        _refuse(code, where, [("keys", "must be a table")])
    mistakes = [
        (f"keys.{key}", f"is not a key of {profile.title}; {nearest(str(key), profile.keys)}")
        for key in raw
        if key not in profile.keys
    ]
    mistakes += [
        (f"keys.{key}", f"is missing: {wanted.says}")
        for key, wanted in profile.keys.items()
        if wanted.required and key not in raw
    ]
    if mistakes:
        _refuse(code, where, mistakes)
    return dict(raw)


def _refuse(code: str, where: str, mistakes: Sequence[tuple[str, str]]) -> NoReturn:
    Table({}, where, code).refuse_all(mistakes)
