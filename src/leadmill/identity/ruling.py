"""What people rule about persons: that two are one, that two are two, and that a ruling was wrong.

Called by the console and the API. Nothing moves when two persons are held to be one: each keeps their keys, leads and
sealed data, and they are only read together. So taking a ruling back loses nothing, whatever came in between: every
lead is still with the person whose keys it bears. Rulings are kept for ever with who made them and on what evidence.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from leadmill.core.faults import BadInput, Conflict, NotFound
from leadmill.core.ids import Mint
from leadmill.identity.model import HouseholdLink, Ruling, Suggestion
from leadmill.identity.store.persons import list_suggestions, lock_persons, read_links, read_persons
from leadmill.identity.store.rulings import (
    add_ruling,
    end_ruling,
    mates_of,
    place_persons,
    read_ruling,
    rule_alone,
    rulings_of,
    settle_suggestion,
)
from leadmill.linkage import Part
from leadmill.runtime.db import Tx

_MOST_WORDS = 500
_PARTS = msgspec.json.Decoder(list[Part])


class Prospect(Struct, frozen=True):
    """One human being as far as we know: the ``persons`` that are held to be one, the oldest id first, every ruling
    about them, who else they may be, and who shares something with them."""

    persons: tuple[str, ...]
    rulings: tuple[Ruling, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    household: tuple[HouseholdLink, ...] = ()


def together(persons: Iterable[str], rulings: Iterable[Ruling]) -> list[list[str]]:
    """The persons in groups that standing rulings hold to be one, each group and the groups by their lowest ids.

    Pure. A ruling that two are two parts nobody whom other rulings join: :func:`rule` refuses such rulings.
    """
    root = {person: person for person in persons}

    def find(person: str) -> str:
        while root[person] != person:
            root[person] = root[root[person]]
            person = root[person]
        return person

    for ruling in rulings:
        if ruling.says == "one" and ruling.ended_at is None and ruling.low in root and ruling.high in root:
            low, high = sorted((find(ruling.low), find(ruling.high)))
            root[high] = low
    groups: dict[str, list[str]] = {}
    for person in sorted(root):
        groups.setdefault(find(person), []).append(person)
    return list(groups.values())


async def rule(
    tx: Tx, mint: Mint, one: str, other: str, says: Literal["one", "two"], *, by: str, why: str, now: datetime
) -> Ruling:
    """Rule that two persons are ``one`` or ``two``; the ruling, with what had been suggested of them as its evidence.

    Raises BadInput ``identity.ruling.same`` for a person and themselves, NotFound ``identity.person.unknown`` where one
    is not there or forgotten, and Conflict ``identity.ruling.stands`` where the opposite or the same stands already.
    """
    if one == other:
        raise BadInput("identity.ruling.same", "a person and themselves are always one; name two persons")
    low, high = sorted((one, other))
    await rule_alone(tx)
    members = await mates_of(tx, [low, high])
    locked = await lock_persons(tx, members)
    for person_id in (low, high):
        if person_id not in locked or locked[person_id].forgotten_at is not None:
            raise NotFound("identity.person.unknown", f"there is no person {person_id}, or they were forgotten")
    rulings = [ruling for ruling in await rulings_of(tx, members) if ruling.ended_at is None]
    groups = together(members, rulings)
    if says == "two" and any(low in group and high in group for group in groups):
        raise Conflict("identity.ruling.stands", "they are held to be one; take that ruling back first")
    new = [{*group} for group in groups if low in group or high in group]
    union = set().union(*new)
    for ruling in rulings:
        if {ruling.low, ruling.high} == {low, high}:
            raise Conflict("identity.ruling.stands", f"it was ruled before that they are {ruling.says}")
        if says == "one" and ruling.says == "two" and {ruling.low, ruling.high} <= union:
            raise Conflict(
                "identity.ruling.stands",
                f"{ruling.low} and {ruling.high} would become one, and were ruled to be two",
            )
    suggested = await settle_suggestion(tx, low, high)
    ruling = Ruling(
        id=mint("ruling", now),
        low=low,
        high=high,
        says=says,
        by=by,
        why=why.strip()[:_MOST_WORDS],
        at=now,
        kind=suggested["kind"] if suggested else None,
        bits=suggested["bits"] if suggested else None,
        parts=_PARTS.decode(suggested["evidence"]) if suggested else [],
    )
    add_ruling(tx, ruling)
    await _place(tx, members, [*rulings, ruling])
    return ruling


async def unrule(tx: Tx, ruling_id: str, *, by: str, why: str, now: datetime) -> Ruling:
    """Take a ruling back; it is kept, as one that stood for a while.

    Raises NotFound ``identity.ruling.unknown``, and Conflict ``identity.ruling.ended`` where it was taken back before.
    """
    await rule_alone(tx)
    ruling = await read_ruling(tx, ruling_id)
    if ruling is None:
        raise NotFound("identity.ruling.unknown", f"there is no ruling {ruling_id}")
    if ruling.ended_at is not None:
        raise Conflict("identity.ruling.ended", "this ruling was taken back before")
    members = await mates_of(tx, [ruling.low, ruling.high])
    await lock_persons(tx, members)
    await end_ruling(tx, ruling_id, by, why.strip()[:_MOST_WORDS], now)
    standing = [each for each in await rulings_of(tx, members) if each.id != ruling_id]
    await _place(tx, members, standing)
    return msgspec.structs.replace(ruling, ended_at=now, ended_by=by, ended_why=why)


async def _place(tx: Tx, members: Sequence[str], rulings: Iterable[Ruling]) -> None:
    groups = together(members, rulings)
    await place_persons(tx, {each: group[0] if len(group) > 1 else None for group in groups for each in group})


async def read_prospect(tx: Tx, person_id: str) -> Prospect:
    """All that is known of the human being behind a person. Raises NotFound ``identity.person.unknown``."""
    persons = await mates_of(tx, [person_id])
    if not persons or not await read_persons(tx, [person_id]):
        raise NotFound("identity.person.unknown", f"there is no person {person_id}")
    suggestions = {(each.low, each.high): each for one in persons for each in await list_suggestions(tx, one)}
    links = {(each.low, each.high): each for one in persons for each in await read_links(tx, one)}
    inside = {*persons}
    return Prospect(
        persons=tuple(persons),
        rulings=tuple(await rulings_of(tx, persons)),
        suggestions=tuple(each for pair, each in sorted(suggestions.items()) if not {*pair} <= inside),
        household=tuple(each for pair, each in sorted(links.items()) if not {*pair} <= inside),
    )
